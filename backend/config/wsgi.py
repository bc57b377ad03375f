"""The WSGI application, with the web's short patience for the database."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backend.config.settings")
# A person is waiting: a statement that takes longer is ended by PostgreSQL.
os.environ.setdefault("STATEMENT_TIMEOUT_MS", "5000")
os.environ.setdefault("LOCK_TIMEOUT_MS", "2000")

import gc
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from backend.config.encodings import reads_addresses_as_utf8

application = reads_addresses_as_utf8(get_wsgi_application())
# Now, and not while the first caller of each worker waits.
import_module(settings.ROOT_URLCONF)
# What has been loaded is never garbage: nobody need look there, nor copy its pages.
gc.collect()
gc.freeze()
