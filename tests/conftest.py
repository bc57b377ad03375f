"""What every test finds: Panama's real territory and catalogue, and an empty desk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from tests.servers import Server, cloned_database


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Who asks for a server asks for the tests' database: it is a copy of that one."""
    for item in items:
        if "server" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.django_db)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The shipped boundaries and catalogue, once, beneath all tests.

    Loading them here also loads the SRID, which would else count as a query.
    """
    assert connection.settings_dict["NAME"].startswith("test_")
    with django_db_blocker.unblock():
        call_command("load_boundaries", if_missing=True, verbosity=0)
        call_command("load_catalogue", verbosity=0)


@pytest.fixture(autouse=True)
def files_of_their_own(settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "media")
    settings.STATIC_ROOT = str(tmp_path)  # empty, but there
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {
            "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        },
    }


@pytest.fixture
def phone(db) -> Client:
    """A citizen's phone: no session, Spanish."""
    return Client(HTTP_HOST="localhost")


@pytest.fixture(scope="module")
def server(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[Server]:
    """A real server with two workers, on a database of its own."""
    folder = tmp_path_factory.mktemp("server")
    with cloned_database(django_db_blocker) as url, Server(url, folder) as running:
        yield running
