"""A new or updated installation is made ready to serve."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from backend.accounts.models import ServerKey
from backend.cases.catalogue import republish
from backend.cases.management.commands import set_up
from backend.cases.models import Category, ConsentText
from backend.cases.retention import quietly
from tests.factories import make_case
from tests.servers import libpq_url, url_of

# These look for themselves whether anything is to do.
ALWAYS = ["migrate", "load_boundaries", "load_population", "load_catalogue"]

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
    assert called == [*ALWAYS, "collectstatic"]
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


def test_the_shipped_catalogue_is_never_loaded_over_an_authoritys(called, settings):
    """In a new container: nothing is on its disk of what was done before."""
    category = Category.objects.get(code="VIA-01")
    category.precision, category.private, category.sla_amount = "none", True, 33
    category.save()
    republish(category, quietly)
    case = make_case((-79.5408, 8.9536), category=category)
    last_line()
    category.refresh_from_db()
    case.refresh_from_db()
    said = category.precision, category.private, category.sla_amount
    assert said == ("none", True, 33)
    assert not case.is_public
    assert case.public_location is None


def test_of_an_authoritys_catalogue_nothing_comes_back_that_it_has_not(called):
    Category.objects.exclude(code="VIA-01").delete()
    ConsentText.objects.all().delete()
    last_line()
    assert Category.objects.get().code == "VIA-01"
    assert not ConsentText.objects.exists()


def test_where_there_is_no_catalogue_the_shipped_one_is_loaded(called):
    shipped = Category.objects.count()
    Category.objects.all().delete()
    ConsentText.objects.all().delete()
    last_line()
    assert Category.objects.count() == shipped
    assert ConsentText.objects.exists()


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
