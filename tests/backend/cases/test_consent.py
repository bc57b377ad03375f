"""Which text of consent there is, and whether it can have been accepted."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from backend.cases.consent import (
    NoConsentText,
    UnknownConsent,
    check_accepted,
    current,
    load_consent_texts,
)
from backend.cases.deadlines import PANAMA
from backend.cases.filing import Contact, file_case
from backend.cases.management.commands.load_catalogue import SHIPPED_CONSENT
from backend.cases.models import Case, ConsentText
from provinces.catalogue import Changes, InvalidCatalogue
from tests.factories import make_consent, make_report, make_territory

pytestmark = pytest.mark.django_db

FIRST_DAY = datetime(2026, 11, 1, 0, 0, tzinfo=PANAMA)


def test_the_text_in_force_is_the_newest_that_has_begun():
    assert current(FIRST_DAY).version == "2026-11"
    make_consent("2027-01", valid_from=date(2027, 1, 1))
    eve = datetime(2026, 12, 31, 23, 59, tzinfo=PANAMA)
    assert current(eve).version == "2026-11"
    assert current(eve + timedelta(minutes=1)).version == "2027-01"


def test_before_the_first_text_there_is_none():
    with pytest.raises(NoConsentText):
        current(FIRST_DAY - timedelta(seconds=1))


def test_the_shipped_texts_say_all_that_the_law_wants_in_both_languages():
    for text in ConsentText.objects.all():
        for words in (
            "AIG",
            "ANTAI",
            "PIN",
            "portabilidad",
            "oposición",
            "cancelación",
        ):
            assert words in text.text_es, (text, words)
        for words in ("AIG", "ANTAI", "PIN", "portability", "opposition", "Draft"):
            assert words in text.text_en, (text, words)


def test_a_phone_that_was_without_signal_may_have_accepted_an_older_text():
    make_consent("2027-01", valid_from=date(2027, 1, 1))
    later = datetime(2027, 3, 1, tzinfo=PANAMA)
    check_accepted("2026-11", later)
    check_accepted("2027-01", later)


@pytest.mark.parametrize("version", ["", "2026-12", "2026-11 ", "demo"])
def test_nobody_has_accepted_a_text_that_there_is_not(version):
    with pytest.raises(UnknownConsent):
        check_accepted(version, FIRST_DAY)


def test_nobody_has_accepted_a_text_that_has_not_begun():
    with pytest.raises(UnknownConsent):
        check_accepted("2026-11", FIRST_DAY - timedelta(seconds=1))


def test_a_contact_without_a_known_text_files_nothing():
    make_territory()
    report = make_report()
    contact = Contact("Ana", "6612-3456", consent="2026-12")
    with pytest.raises(UnknownConsent):
        file_case(type(report)(**{**vars(report), "contact": contact}))
    assert not Case.objects.exists()


# ── The files ────────────────────────────────────────────────────────────────────


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "versions.csv").write_text("version,valid_from\n9,2030-01-01\n")
    (tmp_path / "9.es.md").write_text("Acepto.\n", encoding="utf-8")
    (tmp_path / "9.en.md").write_text("I accept.\n", encoding="utf-8")
    return tmp_path


def load(folder: Path) -> list[str]:
    changes = Changes()
    load_consent_texts(folder, changes)
    return changes.lines


def test_new_texts_are_added_and_the_second_time_nothing(folder):
    assert load(folder) == ["+ texto de consentimiento 9 9"]
    text = ConsentText.objects.get(version="9")
    assert (text.text_es, text.valid_from) == ("Acepto.", date(2030, 1, 1))
    assert load(folder) == []
    assert load(SHIPPED_CONSENT) == []


def test_the_words_that_people_accepted_are_never_others(folder):
    load(folder)
    (folder / "9.en.md").write_text("I accept everything.\n", encoding="utf-8")
    with pytest.raises(InvalidCatalogue, match="9 ya está cargado y no se cambia"):
        load(folder)
    assert ConsentText.objects.get(version="9").text_en == "I accept."


def test_a_text_that_has_begun_does_not_begin_on_another_day(folder):
    load(folder)
    (folder / "versions.csv").write_text("version,valid_from\n9,2031-01-01\n")
    with pytest.raises(InvalidCatalogue, match="otra versión"):
        load(folder)


def test_a_text_without_its_file_stays_for_who_accepted_it(folder):
    load(folder)
    (folder / "versions.csv").write_text("version,valid_from\n")
    assert load(folder) == []
    assert ConsentText.objects.filter(version="9").exists()


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("versions.csv", "version,valid_from\n9,\n", "valid_from es un día"),
        ("versions.csv", "version,valid_from\n9,mañana\n", "valid_from es un día"),
        ("versions.csv", "version,valid_from\n8,2030-01-01\n", "8.es.md"),
        ("9.en.md", " \n", "text_en"),
    ],
)
def test_what_is_wrong_with_a_text_is_said(folder, name, text, problem):
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(InvalidCatalogue, match=problem):
        load(folder)


def test_the_command_loads_texts_and_catalogue_together_or_neither(folder):
    said = StringIO()
    call_command("load_catalogue", consent=folder, stdout=said)
    assert "Catálogo: 1 cambios." in said.getvalue()
    (folder / "9.es.md").write_text("Acepto todo.\n", encoding="utf-8")
    with pytest.raises(CommandError, match="No se cambió nada"):
        call_command("load_catalogue", consent=folder, stderr=StringIO())
