"""gunicorn's settings for a server whose workers are killed again and again.

All is imported before it forks: two cores import no faster than workers are killed.
"""

from importlib import import_module
from typing import Any

from django.conf import settings

preload_app = True


def when_ready(server: Any) -> None:
    import_module(settings.ROOT_URLCONF)
