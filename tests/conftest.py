"""What every test finds: Panama's real territory and catalogue, and an empty desk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.gis.db.models.fields import get_srid_info
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import translation

from backend.accounts.models import User
from tests.servers import Server, server_of_its_own


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Who asks for a server, or plays elsewhere, does so on a copy of the tests' database."""
    for item in items:
        if any(
            mark.kwargs.get("transaction") for mark in item.iter_markers("django_db")
        ):
            # It would empty all tables, the territory's too: see `tests.backend.elsewhere`.
            raise pytest.UsageError(f"{item.nodeid}: no test may commit here")
        if {"server", "elsewhere"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.django_db)
    by_folder(items)


def by_folder(items: list[pytest.Item]) -> None:
    """Folder after folder, each in the order that was drawn.

    What a folder's tests share is gone as soon as one of another comes in between: a
    server and a browser take some ten seconds to start.
    """
    turns: dict[Path, int] = {}
    for item in items:
        turns.setdefault(item.path.parent, len(turns))
    items.sort(key=lambda item: turns[item.path.parent])


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """The shipped boundaries, populations and catalogue, once, beneath all tests.

    And what Django asks once in a process of a reference system, which would else count
    as a query of whichever test comes first.
    """
    assert connection.settings_dict["NAME"].startswith("test_")
    with django_db_blocker.unblock():
        call_command("load_boundaries", if_missing=True, verbosity=0)
        call_command("load_population", if_missing=True, verbosity=0)
        call_command("load_catalogue", verbosity=0)
        get_srid_info(4326, connection)


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


@pytest.fixture(autouse=True)
def in_spanish() -> None:
    """A request leaves its language behind, in which the next test would be told."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def room_for_all(settings) -> None:
    """All tests call from one address; those of the limits have them as they are."""
    settings.LIMITS_FACTOR = 1000.0


@pytest.fixture
def phone(db) -> Client:
    """A citizen's phone: no session, Spanish."""
    return Client(HTTP_HOST="localhost")


@pytest.fixture
def chief(phone: Client) -> Client:
    """Somebody in the administration who may do everything."""
    phone.force_login(User.objects.create_superuser("jefa"))
    return phone


@pytest.fixture(scope="module")
def server(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[Server]:
    """A real server with two workers, on a database of its own."""
    folder = tmp_path_factory.mktemp("server")
    with server_of_its_own(django_db_blocker, folder) as running:
        yield running
