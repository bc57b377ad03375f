"""Columns that can be read with their key alone."""

from __future__ import annotations

import importlib
import logging

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection

from backend.accounts import rotation
from backend.accounts.encryption import DataKeyLost, Unreadable, encrypted, readable
from backend.accounts.models import Device, ServerKey
from backend.accounts.rotation import encrypted_columns
from backend.cases.filing import Contact
from backend.cases.models import Follow, Reporter
from tests.factories import make_case, make_territory

pytestmark = pytest.mark.django_db
OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))
ANA = Contact("Ana Pérez", "6612-3456", "ana@example.org", "1")


@pytest.fixture(autouse=True)
def _squares():
    make_territory()


@pytest.fixture
def stored(settings) -> Reporter:
    """Written while the old key was the only one."""
    settings.DATA_KEYS = [OLD]
    return make_case(contact=ANA).reporter


def raw(column: str = "name") -> str:
    """As it is stored, of the first case."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_jsonb(r) ->> %s FROM cases_reporter r ORDER BY case_id", [column]
        )
        return str(cursor.fetchone()[0])


def read() -> Reporter:
    return Reporter.objects.get()


def rotated(capsys) -> str:
    call_command("rotate_data_key")
    return str(capsys.readouterr().out)


def test_what_is_stored_says_nothing_and_reads_as_it_was(stored):
    assert Fernet(OLD).decrypt(raw()) == b"Ana P\xc3\xa9rez"
    for column in ("name", "phone", "email"):
        assert "Ana" not in raw(column)
        assert "6612" not in raw(column)
    assert (read().name, read().phone) == ("Ana Pérez", "6612-3456")


def test_what_is_empty_stays_empty(settings):
    make_case(contact=Contact("Ana", "6612-3456", consent="1"))
    assert raw("email") == ""


def test_a_new_key_reads_what_the_old_one_wrote(stored, settings):
    settings.DATA_KEYS = [NEW, OLD]
    assert read().name == "Ana Pérez"
    reporter = read()
    reporter.save()
    assert Fernet(NEW).decrypt(raw()).decode() == "Ana Pérez"


def test_after_the_rotation_the_old_key_can_go(stored, settings, capsys):
    Device.objects.create(token_digest="d", push="{}", made_at=stored.consented_at)
    ServerKey.objects.create(name="k", value="v", made_at=stored.consented_at)
    Follow.objects.create(
        case=stored.case, email="luz@example.org", followed_at=stored.consented_at
    )
    settings.DATA_KEYS = [NEW, OLD]
    assert "6 textos pasaron a la primera clave; 0 ya la tenían." in rotated(capsys)
    settings.DATA_KEYS = [NEW]
    assert (read().name, read().phone, read().email) == (
        "Ana Pérez",
        "6612-3456",
        "ana@example.org",
    )
    assert Device.objects.get().push == "{}"
    assert ServerKey.objects.get().value == "v"
    assert Follow.objects.get().email == "luz@example.org"
    assert "0 textos pasaron a la primera clave; 6 ya la tenían." in rotated(capsys)


def test_every_encrypted_column_is_rotated():
    found = {model.__name__: columns for model, columns in encrypted_columns()}
    assert found["Reporter"] == ["name", "phone", "email"]
    assert {"Device", "ServerKey", "Follow"} <= found.keys()


def test_a_rotation_that_was_stopped_goes_on_where_it_was(
    settings, monkeypatch, capsys
):
    monkeypatch.setattr(rotation, "BATCH", 2)
    settings.DATA_KEYS = [OLD]
    for _ in range(5):
        make_case(contact=ANA)
    settings.DATA_KEYS = [NEW, OLD]
    [columns] = [c for model, c in encrypted_columns() if model is Reporter]
    steps = rotation.rotate(Reporter, columns)
    assert next(steps).moved == next(steps).moved == 6
    del steps  # stopped
    assert "3 textos pasaron a la primera clave; 12 ya la tenían." in rotated(capsys)
    settings.DATA_KEYS = [NEW]
    assert {reporter.name for reporter in Reporter.objects.all()} == {"Ana Pérez"}


def test_what_no_key_can_read_is_told_and_left_as_it_is(stored, settings, capsys):
    settings.DATA_KEYS = [NEW]
    before = raw()
    with pytest.raises(CommandError, match="3 textos no se pueden leer"):
        rotated(capsys)
    assert "ya se pueden quitar" not in capsys.readouterr().out
    assert raw() == before


# ── A key that is lost ───────────────────────────────────────────────────────────


def test_without_its_key_it_reads_as_empty_and_says_so(stored, settings, caplog):
    settings.DATA_KEYS = [NEW]
    with caplog.at_level(logging.ERROR):
        reporter = read()
    assert (reporter.name, reporter.phone, reporter.email) == ("", "", "")
    assert reporter.is_lost
    assert "cases_reporter.name cannot be read: its key is not in DATA_KEY" in (
        caplog.text
    )
    with pytest.raises(DataKeyLost):
        readable(reporter.name)
    assert readable("Ana") == "Ana"


def test_saved_without_its_key_nothing_is_lost(stored, settings):
    settings.DATA_KEYS = [NEW]
    reporter = read()
    reporter.phone = "6000-0000"
    reporter.save()
    assert isinstance(read().name, Unreadable)
    settings.DATA_KEYS = [NEW, OLD]
    assert (read().name, read().phone) == ("Ana Pérez", "6000-0000")
    assert not read().is_lost


# ── What was stored before there were keys ───────────────────────────────────────


def test_the_migration_encrypts_the_contacts_that_were_there(db):
    migration = importlib.import_module("backend.cases.migrations.0003_what_was_there")
    first = make_case(contact=ANA)
    second = make_case(contact=Contact("José Ñato", email="j@example.org", consent="1"))
    third = make_case(contact=Contact("José Ñato", "6000-0000", consent="1"))
    with connection.cursor() as cursor:
        plain = "UPDATE cases_reporter SET name = %s, phone = %s, email = %s"
        cursor.executemany(
            f"{plain} WHERE case_id = %s",
            [
                (ANA.name, ANA.phone, ANA.email, first.pk),
                ("José Ñato", "", "j@example.org", second.pk),
                ("José Ñato", "6000-0000", "", third.pk),
            ],
        )
    assert raw() == "Ana Pérez"
    with connection.schema_editor() as editor:
        migration.encrypt_contacts(None, editor)
    assert "Ana" not in raw()
    assert [(r.name, r.phone, r.email) for r in Reporter.objects.order_by("pk")] == [
        (ANA.name, ANA.phone, ANA.email),
        ("José Ñato", "", "j@example.org"),
        ("José Ñato", "6000-0000", ""),
    ]


def test_the_migration_encrypts_many_batches(db, monkeypatch):
    migration = importlib.import_module("backend.cases.migrations.0003_what_was_there")
    monkeypatch.setattr(migration, "BATCH", 2)
    for _ in range(5):
        make_case(contact=ANA)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE cases_reporter SET name = 'Ana', phone = '', email = ''")
    with connection.schema_editor() as editor:
        migration.encrypt_contacts(None, editor)
    assert [reporter.name for reporter in Reporter.objects.all()] == ["Ana"] * 5


def test_the_same_words_are_never_stored_alike():
    assert encrypted("Ana") != encrypted("Ana")
