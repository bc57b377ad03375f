"""A new or updated installation is made ready to serve."""

from __future__ import annotations

import shutil
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from backend.accounts.models import ServerKey
from backend.cases.management.commands import load_catalogue, set_up
from backend.cases.management.commands.load_catalogue import SHIPPED, SHIPPED_CONSENT
from backend.cases.models import ConsentText
from tests.factories import make_case
from tests.servers import libpq_url, url_of

# These look for themselves whether anything is to do.
ALWAYS = ["migrate", "load_boundaries", "load_population"]

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
    assert called == [*ALWAYS, "load_catalogue", "collectstatic"]
    assert (Path(settings.STATIC_ROOT) / "staticfiles.json").exists()
    called.clear()
    last_line()
    assert called == ALWAYS


def test_whoever_starts_beside_another_waits_until_that_is_done(monkeypatch):
    other = psycopg.connect(libpq_url(url_of(connection.settings_dict["NAME"])))
    other.execute("SELECT pg_advisory_lock(hashtextextended('set up', 0))")
    done = []

    def wait(seconds: float) -> None:
        done.append("waited")
        other.close()

    monkeypatch.setattr("time.sleep", wait)
    with set_up.one_at_a_time():
        done.append("set up")
    assert done[0] == "waited"
    assert done[-1] == "set up"


def test_the_key_of_pushes_is_there_from_the_first_start(called):
    last_line()
    made = ServerKey.objects.get(name="vapid").value
    last_line()
    assert ServerKey.objects.get(name="vapid").value == made


def test_a_changed_catalogue_is_loaded_again(called, monkeypatch, tmp_path):
    last_line()
    called.clear()
    changed = tmp_path / "catalogue"
    changed.mkdir()
    for file in SHIPPED.glob("*.csv"):
        (changed / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(set_up, "CATALOGUE", changed)
    last_line()
    assert called == [*ALWAYS, "load_catalogue"]


def test_another_text_of_consent_is_loaded(called, monkeypatch, tmp_path):
    last_line()
    called.clear()
    changed = Path(shutil.copytree(SHIPPED_CONSENT, tmp_path / "consent"))
    with (changed / "versions.csv").open("a") as file:
        file.write("2099-01,2099-01-01\n")
    for language in ("es", "en"):
        (changed / f"2099-01.{language}.md").write_text("Acepto.")
    monkeypatch.setattr(set_up, "CONSENT", changed)
    monkeypatch.setattr(load_catalogue, "SHIPPED_CONSENT", changed)
    last_line()
    assert called == [*ALWAYS, "load_catalogue"]
    assert ConsentText.objects.filter(version="2099-01").exists()


def test_static_files_that_somebody_deleted_are_collected_again(called, settings):
    last_line()
    called.clear()
    (Path(settings.STATIC_ROOT) / "staticfiles.json").unlink()
    last_line()
    assert called == [*ALWAYS, "collectstatic"]


def last_line() -> str:
    out = StringIO()
    call_command("set_up", stdout=out)
    return out.getvalue().splitlines()[-1]
