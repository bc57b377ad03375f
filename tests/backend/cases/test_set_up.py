"""A new or updated installation is made ready to serve."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from backend.cases.management.commands import set_up
from backend.cases.management.commands.load_catalogue import SHIPPED
from tests.factories import make_case

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def static_files_of_their_own(settings, tmp_path):
    settings.STATIC_ROOT = str(tmp_path / "static")
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {
            "BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
        },
    }


@pytest.fixture
def called(monkeypatch):
    """The commands that `set_up` runs, which run all the same."""
    names: list[str] = []

    def noted(name, *args, **options):
        names.append(name)
        call_command(name, *args, **{"stdout": StringIO(), **options})

    monkeypatch.setattr(set_up, "call_command", noted)
    return names


def test_the_last_line_says_whether_there_are_cases(called):
    assert last_line() == "empty"
    make_case((-79.5408, 8.9536))
    assert last_line() == "has-cases"


def test_the_second_time_there_is_little_to_do(called, settings):
    last_line()
    assert called == ["migrate", "load_boundaries", "load_catalogue", "collectstatic"]
    assert (Path(settings.STATIC_ROOT) / "staticfiles.json").exists()
    called.clear()
    last_line()
    assert called == ["migrate", "load_boundaries"]


def test_a_changed_catalogue_is_loaded_again(called, monkeypatch, tmp_path):
    last_line()
    called.clear()
    changed = tmp_path / "catalogue"
    changed.mkdir()
    for file in SHIPPED.glob("*.csv"):
        (changed / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(set_up, "CATALOGUE", changed)
    last_line()
    assert called == ["migrate", "load_boundaries", "load_catalogue"]


def test_static_files_that_somebody_deleted_are_collected_again(called, settings):
    last_line()
    called.clear()
    (Path(settings.STATIC_ROOT) / "staticfiles.json").unlink()
    last_line()
    assert called == ["migrate", "load_boundaries", "collectstatic"]


def last_line() -> str:
    out = StringIO()
    call_command("set_up", stdout=out)
    return out.getvalue().splitlines()[-1]
