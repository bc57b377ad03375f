"""What is held of a person in a case, for them to take along."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.apps import apps
from django.utils import translation

from backend.accounts.devices import issue_device
from backend.cases.access import look_at_contact
from backend.cases.handling import Transition, change_status
from backend.cases.models import AccessLog, Follow
from backend.cases.my_data import export_my_data
from backend.cases.personal_data import (
    erase_me,
)
from backend.cases.workflow import Status
from tests.backend.cases import people
from tests.backend.cases.people import FILED, WORDS, make_person
from tests.factories import WEST, make_case, make_crew, make_photo

pytestmark = pytest.mark.usefixtures("squares")
LATER = FILED + timedelta(days=10)


def test_the_person_gets_all_that_is_held_of_them():
    case = make_person()
    # What somebody else has said of it is not theirs.
    people.tie(people.other_follower(case), case, "flags")
    data = export_my_data(case, LATER)
    assert data["contact"] == {
        "name": people.NAME,
        "phone": people.PHONE,
        "email": people.EMAIL,
    }
    assert data["consent"]["version"] == "2026-11"
    assert data["consent"]["accepted_at"] == "2026-11-10T10:00:00-05:00"
    assert "ANTAI" in data["consent"]["text"]
    assert data["report"]["description"].startswith("Soy Zoraida")
    assert data["report"]["location"] == list(WEST)
    assert data["report"]["captured_at"] == "2026-11-08T22:14:15-05:00"
    ready = data["photos"][0] if data["photos"][0]["url"] else data["photos"][1]
    assert ready["taken_location"] == list(people.TAKEN_AT)
    assert ready["taken_at"] == "2026-11-08T21:07:18-05:00"
    assert ready["original_kept"]
    assert ready["url"].startswith("http://127.0.0.1:8311/fotos/")
    assert [line["note"] for line in data["history"]][
        2
    ] == f"Mi correo es {people.EMAIL}"
    assert [line["by_reporter"] for line in data["history"]] == [
        False,
        False,
        True,
        False,
    ]
    assert data["device"]["push_endpoint"] == WORDS["push"]
    assert [follow["channel"] for follow in data["follows"]] == ["push", "email"]
    assert len(data["supports"]) == len(data["flags"]) == 1
    assert len(data["notices"]) == 3
    text = orjson.dumps(data).decode()
    # The marks that a database writes otherwise are looked at above.
    for name in WORDS.keys() - {"camera", "when taken", "when captured"}:
        assert WORDS[name] in text, name
    assert case.pin not in text


def test_a_picture_of_the_work_is_not_the_person_s():
    case = make_person(Status.ASSIGNED)
    own = {photo["id"] for photo in export_my_data(case, LATER)["photos"]}
    done = Transition(Status.RESOLVED, "Listo", photos=[make_photo()])
    change_status(case, done, None, LATER)
    assert {photo["id"] for photo in export_my_data(case, LATER)["photos"]} == own


EVERY_COLUMN = {
    # What is not the person's: what the case is, and how the machine keeps it.
    "Case": "category entity jurisdiction province district corregimiento zones snapped "
    "near_border near_border_metres is_public demo due_at updated_at resolved_at version "
    "under_review public_description public_location report_digest pin id",
    "Reporter": "id case",
    "Device": "token_digest revoked_at",
    "Photo": "case change received original image thumbnail width height fingerprint "
    "refusal released_at",
    "Follow": "id case device email_fingerprint own",
}
EXPORTED = {
    "Case": "number act description place_hint location accuracy status filed_at "
    "captured_at language device report_id forgotten_at",
    "Reporter": "name phone email consent consented_at",
    "Device": "id language push made_at",
    "Photo": "id state size sha256 taken_at taken_location doubts added_at",
    "Follow": "email language followed_at confirmed_at",
}


def test_no_column_of_a_person_is_forgotten_in_the_export():
    """A new column must be exported, or written here as not the person's."""
    for name in EXPORTED:
        app = "accounts" if name == "Device" else "cases"
        columns = {f.name for f in apps.get_model(app, name)._meta.concrete_fields}
        assert columns == {*EXPORTED[name].split(), *EVERY_COLUMN[name].split()}, name


def test_without_a_contact_or_a_phone_there_is_little_to_take():
    case = make_case()
    issue_device()
    Follow.objects.create(case=case, email="otra@example.com", followed_at=FILED)
    data: dict[str, Any] = export_my_data(case, LATER)
    assert data["contact"] is data["consent"] is data["device"] is None
    assert data["follows"] == data["supports"] == data["flags"] == []


def test_the_file_speaks_the_language_of_who_asks():
    case = make_person()
    with translation.override("en"):
        english = export_my_data(case, LATER)["consent"]["text"]
    assert "portability" in english


def test_taken_or_erased_many_times_in_an_hour_it_is_written_down_once():
    case = make_person()
    for minutes in (0, 1, 59, 60):
        export_my_data(case, LATER + timedelta(minutes=minutes))
        erase_me(case, LATER + timedelta(minutes=minutes))
    assert [(a.what, a.at - LATER) for a in AccessLog.objects.order_by("pk")] == [
        ("taken", timedelta()),
        ("erased", timedelta()),
        ("taken", timedelta(minutes=60)),
        ("erased", timedelta(minutes=60)),
    ]


def test_that_staff_looked_hides_nothing_of_the_person():
    case = make_person()
    look_at_contact(case, make_crew(), "Llamar", LATER)
    export_my_data(case, LATER)
    assert [a.what for a in case.accesses.order_by("pk")] == ["seen", "taken"]


def test_who_took_or_erased_it_is_written_down_without_a_name():
    case = make_person()
    export_my_data(case, LATER)
    erase_me(case, LATER)
    assert [(a.what, a.who, a.why) for a in AccessLog.objects.order_by("pk")] == [
        ("taken", None, ""),
        ("erased", None, ""),
    ]
    assert [a["what"] for a in export_my_data(case, LATER)["accesses"]][-1] == "taken"
