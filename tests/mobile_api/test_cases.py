"""GET cases/{number}/: what the public may know, and what the reporter may."""

import json
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.test import Client
from PIL import Image

from backend.cases.access import PIN_GUESSES
from backend.cases.filing import Contact
from backend.cases.handling import Transition, change_status
from backend.cases.models import Case
from backend.cases.numbers import case_number
from backend.cases.workflow import Status
from tests.factories import make_case, make_category, make_crew, make_photo
from tests.jobs import run_jobs
from tests.mobile_api.calls import problem_of

pytestmark = pytest.mark.usefixtures("squares")

PUBLIC = {
    "number",
    "version",
    "status",
    "status_name",
    "open",
    "category",
    "category_name",
    "group",
    "description",
    "entity",
    "province",
    "district",
    "corregimiento",
    "location",
    "precision",
    "filed_at",
    "due_at",
    "updated_at",
    "resolved_at",
    "history",
    "photos",
    "supports",
    "demo",
    "url",
}
OWN = PUBLIC | {
    "place_hint",
    "act",
    "accuracy",
    "captured_at",
    "contact",
    "can",
    "question",
}
LINE = {"status", "status_name", "note", "changed_at"}
PHOTO = {"id", "state", "url", "thumbnail", "width", "height", "of"}

CONTACT = Contact("MARCA-nombre", "6999-1234", "marca@example.com", "MARCA-texto")
MARKED: dict[str, Any] = {
    "description": "MARCA-relato: llame al 6999-1234 o a marca@example.com",
    "place_hint": "MARCA-seña",
    "contact": CONTACT,
    "accuracy": 41.73,
    "captured_at": datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC),
}
# What must be in no public answer, whatever the category.
MARKS = [
    "MARCA-nombre",
    "MARCA-texto",
    "MARCA-seña",
    "6999-1234",
    "marca@example.com",
    "41.73",
    "2026-03-04",
]


def address(case: Case) -> str:
    return f"/api/v1/cases/{case.number}/"


def test_anyone_sees_a_public_case_and_no_more_than_that(phone):
    case = make_case(description="Un hueco", photos=[make_photo()])
    run_jobs()
    case.refresh_from_db()
    answer = phone.get(address(case))
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "public, max-age=30"
    assert {"X-Case-Pin", "Accept-Language", "Cookie"} <= set(
        answer["Vary"].split(", ")
    )
    seen = answer.json()
    assert seen.keys() == PUBLIC
    assert seen["number"] == case.number
    assert (seen["status"], seen["status_name"]) == ("received", "Recibido")
    assert seen["open"] is True
    assert seen["description"] == "Un hueco"
    assert seen["location"] == {"type": "Point", "coordinates": [-79.95, 8.55]}
    assert seen["precision"] == "exact"
    assert seen["corregimiento"] == {"code": "900101", "name": "Oeste Uno"}
    assert seen["resolved_at"] is None
    assert [line.keys() for line in seen["history"]] == [LINE]
    assert [photo.keys() for photo in seen["photos"]] == [PHOTO]
    assert seen["photos"][0]["of"] == "received"
    for link in ("url", "thumbnail"):
        assert size_of(phone, seen["photos"][0][link]) in {(640, 480), (320, 240)}


def test_a_number_is_read_as_people_write_it(phone):
    case = make_case()
    for written in (case.number.replace("-", ""), case.number.replace("-", " ")):
        assert phone.get(f"/api/v1/cases/{written}/").json()["number"] == case.number


def test_the_history_tells_what_was_done_without_personal_data(phone):
    case = make_case()
    note = "Llamé a la vecina al 6999-1234: tapado"
    crew = make_crew()
    change_status(
        case, Transition(Status.RESOLVED, note, photos=[make_photo()]), by=crew
    )
    run_jobs()
    seen = phone.get(address(case)).json()
    assert [line["status"] for line in seen["history"]] == ["received", "resolved"]
    assert seen["history"][1]["note"] == "Llamé a la vecina al […]: tapado"
    assert seen["open"] is False
    assert seen["resolved_at"] == seen["history"][1]["changed_at"]
    assert seen["photos"][0]["of"] == "resolved"
    assert crew.username not in json.dumps(seen)


@pytest.mark.parametrize("precision", ["exact", "grid", "none"])
def test_nothing_private_is_in_the_public_view(phone, precision):
    category = make_category(f"P-{precision}", precision=precision)
    case = make_case(at=(-79.951234, 8.554321), category=category, **MARKED)
    change_status(
        case, Transition(Status.RESOLVED, "Avisé a marca@example.com"), by=make_crew()
    )
    text = phone.get(address(case)).content.decode()
    for mark in MARKS:
        assert mark not in text, mark
    assert "pin" not in json.loads(text)
    assert ("-79.951234" in text) is (precision == "exact")
    assert ("8.554321" in text) is (precision == "exact")


def test_a_case_on_the_grid_shows_the_middle_of_its_cell(phone):
    case = make_case(
        at=(-79.951234, 8.554321), category=make_category("P-1", precision="grid")
    )
    lon, lat = phone.get(address(case)).json()["location"]["coordinates"]
    assert (lon, lat) != (-79.951234, 8.554321)
    assert abs(lon + 79.951234) <= 0.00045
    assert abs(lat - 8.554321) <= 0.00045


def test_a_case_without_a_public_point_names_nothing_smaller_than_the_district(phone):
    case = make_case(category=make_category("P-1", precision="none"))
    seen = phone.get(address(case)).json()
    assert seen.keys() == PUBLIC
    assert seen["location"] is None
    assert seen["corregimiento"] is None
    assert seen["district"] == {"code": "9001", "name": "Oeste"}
    assert "900101" not in json.dumps(seen)


def test_a_private_case_is_not_there(phone):
    private = make_case(category=make_category("P-1", private=True, precision="none"))
    nobody = case_number(26, 9_999_999)
    refused = phone.get(address(private))
    assert problem_of(refused, 404) == "no-such-case"
    # Word for word what a number says that was never given.
    unused = phone.get(f"/api/v1/cases/{nobody}/")
    assert refused.content == unused.content
    assert refused.headers == unused.headers


def test_a_private_case_is_not_there_with_a_wrong_pin_either(phone):
    private = make_case(category=make_category("P-1", private=True, precision="none"))
    refused = phone.get(address(private), {"pin": other_pin(private)})
    assert problem_of(refused, 404) == "no-such-case"


def test_a_mistyped_number_is_told_from_an_unknown_one(phone):
    case = make_case()
    wrong = f"{case.number[:-1]}{(int(case.number[-1]) + 1) % 10}"
    assert problem_of(phone.get(f"/api/v1/cases/{wrong}/"), 404) == "wrong-digit"
    unused = case_number(26, 9_999_999)
    assert problem_of(phone.get(f"/api/v1/cases/{unused}/"), 404) == "no-such-case"
    for text in ("hola", "1", "26-0000123", "٢٦-٠٠٠٠١٢٣-٦", "%00", "26-0000123-6x"):
        refused = phone.get(f"/api/v1/cases/{text}/")
        assert problem_of(refused, 404) == "not-a-case-number"


@pytest.mark.parametrize("private", [False, True])
def test_the_pin_opens_everything_about_the_own_case(phone, private):
    category = make_category(
        "P-1", private=private, precision="none" if private else "grid"
    )
    case = make_case(at=(-79.951234, 8.554321), category=category, **MARKED)
    change_status(case, Transition(Status.RESOLVED, "Al 6999-1234 no responden"), None)
    by_header = phone.get(address(case), headers={"X-Case-Pin": case.pin})
    by_query = phone.get(address(case), {"pin": case.pin})
    for answer in (by_header, by_query):
        assert answer.status_code == 200
        assert answer["Cache-Control"] == "no-store"
        seen = answer.json()
        assert seen.keys() == OWN
        assert seen["description"] == MARKED["description"]
        assert seen["place_hint"] == "MARCA-seña"
        assert seen["location"]["coordinates"] == [-79.951234, 8.554321]
        assert seen["corregimiento"]["code"] == "900101"
        assert seen["captured_at"] == "2026-03-04T00:06:07-05:00"
        assert seen["history"][1]["note"] == "Al 6999-1234 no responden"
        assert seen["contact"] == {
            "name": CONTACT.name,
            "phone": CONTACT.phone,
            "email": CONTACT.email,
            "consent": CONTACT.consent,
        }
        # The pin itself travels no further than it has to.
        assert case.pin not in answer.content.decode()


def test_without_a_contact_the_reporter_sees_none(phone):
    case = make_case()
    assert phone.get(address(case), {"pin": case.pin}).json()["contact"] is None


def test_a_contact_whose_key_is_lost_is_unavailable_and_the_case_is_not(
    phone, settings
):
    case = make_case(**MARKED)
    settings.DATA_KEYS = [Fernet.generate_key().decode()]
    answer = phone.get(address(case), headers={"X-Case-Pin": case.pin})
    assert answer.status_code == 200
    assert answer.json()["contact"] == {
        "name": "",
        "phone": "",
        "email": "",
        "unavailable": True,
        "consent": CONTACT.consent,
    }
    assert phone.get(address(case)).json().keys() == PUBLIC
    page = phone.post("/casos/", {"numero": case.number, "pin": case.pin})
    assert "no se pueden leer" in page.content.decode()


def test_the_reporter_is_told_of_doubts_about_the_place(phone):
    case = make_case(at=(-79.9001, 8.55), accuracy=50.0)
    seen = phone.get(address(case), {"pin": case.pin}).json()
    assert seen.keys() == OWN | {"near_border"}
    assert phone.get(address(case)).json().keys() == PUBLIC


@pytest.mark.parametrize(
    "pin", ["000", "abcdef", "é", "١٢٣٤٥٦", "0" * 1000, "\0", "null"]
)
def test_what_is_no_pin_opens_nothing(phone, pin):
    case = make_case()
    assert problem_of(phone.get(address(case), {"pin": pin}), 403) == "wrong-pin"


def test_a_wrong_pin_shows_nothing_and_is_not_cached(phone):
    case = make_case()
    refused = phone.get(address(case), headers={"X-Case-Pin": other_pin(case)})
    assert problem_of(refused, 403) == "wrong-pin"
    assert refused["Cache-Control"] == "no-store"


def test_an_empty_pin_is_no_pin(phone):
    case = make_case()
    assert phone.get(address(case), {"pin": ""}).json().keys() == PUBLIC


def test_a_pin_cannot_be_guessed_by_trying(phone):
    case, other = make_case(), make_case()
    for _ in range(PIN_GUESSES.times):
        wrong = phone.get(address(case), {"pin": other_pin(case)})
        assert problem_of(wrong, 403) == "wrong-pin"
    refused = phone.get(address(case), {"pin": case.pin})
    assert problem_of(refused, 429) == "too-many-requests"
    assert 0 < int(refused["Retry-After"]) <= PIN_GUESSES.seconds
    # Neither another case nor the public view of this one is the worse for it.
    assert phone.get(address(other), {"pin": other.pin}).status_code == 200
    assert phone.get(address(case)).status_code == 200


def test_a_stranger_elsewhere_does_not_shut_the_owner_out(phone):
    case = make_case()
    wrong, there = {"pin": other_pin(case)}, {"REMOTE_ADDR": "200.46.1.7"}
    for _ in range(PIN_GUESSES.times):
        phone.get(address(case), wrong, **there)
    assert phone.get(address(case), wrong, **there).status_code == 429
    assert phone.get(address(case), {"pin": case.pin}).status_code == 200


def test_the_right_pin_may_be_used_as_often_as_one_likes(phone):
    case = make_case()
    for _ in range(PIN_GUESSES.times + 5):
        assert phone.get(address(case), {"pin": case.pin}).status_code == 200


def test_a_pin_opens_its_own_case_only(phone):
    case, other = make_case(), make_case()
    Case.objects.filter(pk=other.pk).update(pin=other_pin(case))
    refused = phone.get(address(other), {"pin": case.pin})
    assert problem_of(refused, 403) == "wrong-pin"


def test_names_come_in_the_readers_language(phone):
    case = make_case()
    spanish = phone.get(address(case))
    english = phone.get(address(case), headers={"Accept-Language": "en"})
    assert (spanish["Content-Language"], english["Content-Language"]) == ("es", "en")
    assert spanish.json()["category_name"] == "Categoría PRU-01"
    assert english.json()["category_name"] == "Category PRU-01"


def test_a_crews_token_shows_no_more_than_the_public_sees(phone):
    crew = Client(HTTP_HOST="localhost", headers={"Authorization": "Token nada"})
    assert crew.get(address(make_case())).json().keys() == PUBLIC


def size_of(phone: Client, link: str) -> tuple[int, int]:
    """Of the photo that a link leads to."""
    answer = phone.get(link)
    assert answer.status_code == 200
    return Image.open(BytesIO(answer.getvalue())).size


def other_pin(case: Case) -> str:
    return f"{(int(case.pin) + 1) % 1_000_000:06}"
