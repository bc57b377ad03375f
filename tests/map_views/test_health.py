"""Whether this process lives, and whether it can serve."""

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.db.migrations.recorder import MigrationRecorder

from provinces.models import Generation


def test_a_process_that_can_serve_says_so(phone):
    answer = phone.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"database": True, "migrations": True, "boundaries": True}


def test_it_lives_whatever_becomes_of_the_database(client):
    # No fixture gives this test a database: asking one would fail it.
    answer = client.get("/healthz", HTTP_HOST="localhost")
    assert answer.status_code == 200
    assert answer.json() == {"alive": True}


def test_without_boundaries_it_is_not_ready(phone):
    Generation.objects.update(is_active=False)
    answer = phone.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"database": True, "migrations": True, "boundaries": False}


def test_with_a_migration_to_do_it_is_not_ready(phone):
    MigrationRecorder(connection).record_unapplied("cases", last_migration())
    answer = phone.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["migrations"] is False


@pytest.mark.parametrize(
    "error", [OperationalError("dsn=secreto"), InterfaceError("secreto")]
)
def test_without_a_database_it_is_not_ready(phone, monkeypatch, error):
    def away(*_):
        raise error

    monkeypatch.setattr(type(Generation.objects), "active", away)
    answer = phone.get("/readyz")
    assert answer.status_code == 503
    assert b"secreto" not in answer.content


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_nobody_keeps_the_answer(phone, path):
    assert "no-store" in phone.get(path)["Cache-Control"]
    assert phone.head(path).status_code == 200
    assert phone.post(path).status_code == 405


def last_migration() -> str:
    applied = MigrationRecorder(connection).applied_migrations()
    return max(name for app, name in applied if app == "cases")
