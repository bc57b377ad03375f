"""cases/{number}/my-data/: what is held of a person, taken along or erased."""

import pytest
from django.test import Client

from backend.cases.access import PIN_GUESSES
from backend.cases.models import AccessLog, Case, Reporter
from backend.cases.numbers import case_number
from backend.cases.workflow import Status
from tests.backend.cases.people import EMAIL, NAME, make_person
from tests.factories import make_category
from tests.mobile_api.calls import problem_of

pytestmark = pytest.mark.usefixtures("squares")


def address(case: Case) -> str:
    return f"/api/v1/cases/{case.number}/my-data/"


def with_pin(case: Case) -> dict[str, str]:
    return {"X-Case-Pin": case.pin}


def test_with_the_pin_all_that_is_held_comes_as_a_file(phone):
    case = make_person()
    answer = phone.get(address(case), headers=with_pin(case))
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Disposition"] == (
        f'attachment; filename="mis-datos-{case.number}.json"'
    )
    held = answer.json()
    assert held["contact"]["name"] == NAME
    assert held["about"].startswith("Esto es todo lo que el 311 guarda")
    english = {**with_pin(case), "Accept-Language": "en"}
    assert phone.get(address(case), headers=english).json()["contact"]["email"] == EMAIL


def test_with_the_pin_the_person_goes_and_the_pin_goes_on_opening_the_case(phone):
    case = make_person()
    for _ in range(2):
        answer = phone.delete(address(case), headers=with_pin(case))
        assert (answer.status_code, answer.content) == (204, b"")
        assert answer["Cache-Control"] == "no-store"
    assert not Reporter.objects.exists()
    own = phone.get(f"/api/v1/cases/{case.number}/", headers=with_pin(case))
    assert own.json()["contact"] is None
    assert own.json()["place_hint"] == ""
    held = phone.get(address(case), headers=with_pin(case)).json()
    assert held["contact"] is held["device"] is held["consent"] is None
    assert held["forgotten_at"]
    assert NAME.split()[0].lower() not in phone.get(address(case)).content.decode()


def test_an_erased_case_looks_otherwise_and_is_of_the_same_version(phone):
    case = make_person()
    number = f"/api/v1/cases/{case.number}/"
    before, own_before = (phone.get(number, headers=h) for h in ({}, with_pin(case)))
    phone.delete(address(case), headers=with_pin(case))
    after, own_after = (phone.get(number, headers=h) for h in ({}, with_pin(case)))
    assert (before["ETag"] == after["ETag"]) == (before.content == after.content)
    assert own_before["ETag"] != own_after["ETag"]
    assert own_before.json()["version"] == own_after.json()["version"]


def test_an_open_denunciation_says_why_it_needs_its_person(phone):
    category = make_category("PRU-09", act="denunciation")
    case = make_person(Status.ASSIGNED, category=category)
    refused = phone.delete(address(case), headers=with_pin(case))
    assert problem_of(refused, 409) == "needed-while-open"
    assert "Ley 38" in refused.json()["detail"]
    assert Reporter.objects.exists()
    assert not AccessLog.objects.exists()


@pytest.mark.parametrize("method", ["get", "delete"])
@pytest.mark.parametrize("private", [False, True])
def test_without_the_right_pin_nothing_is_told_and_nothing_goes(phone, method, private):
    precision = "none" if private else "exact"
    case = make_person(
        category=make_category("K", private=private, precision=precision)
    )
    kind = (404, "no-such-case") if private else (403, "wrong-pin")
    wrong = f"{(int(case.pin) + 1) % 1_000_000:06}"
    tries = [{}, {"X-Case-Pin": wrong}, {"X-Case-Pin": ""}, {"X-Case-Pin": "é"}]
    for headers in tries:
        refused = getattr(phone, method)(address(case), headers=headers)
        assert problem_of(refused, kind[0]) == kind[1]
        assert NAME not in refused.content.decode()
    # What stands in an address is kept in many places: it opens nothing here.
    refused = getattr(phone, method)(f"{address(case)}?pin={case.pin}")
    assert problem_of(refused, kind[0]) == kind[1]
    assert Reporter.objects.exists()
    assert not AccessLog.objects.exists()


@pytest.mark.parametrize("method", ["get", "delete"])
def test_a_pin_cannot_be_guessed_here_either(phone, method):
    case = make_person()
    wrong = f"{(int(case.pin) + 1) % 1_000_000:06}"
    for _ in range(PIN_GUESSES.times):
        getattr(phone, method)(address(case), headers={"X-Case-Pin": wrong})
    refused = getattr(phone, method)(address(case), headers=with_pin(case))
    assert problem_of(refused, 429) == "too-many-requests"
    assert Reporter.objects.exists()


def test_a_stranger_elsewhere_does_not_shut_the_owner_out(phone):
    case = make_person()
    wrong = {"X-Case-Pin": f"{(int(case.pin) + 1) % 1_000_000:06}"}
    for _ in range(PIN_GUESSES.times):
        phone.get(address(case), headers=wrong, REMOTE_ADDR="200.46.1.7")
    assert phone.get(address(case), headers=with_pin(case)).status_code == 200


def test_asking_without_a_pin_uses_up_no_guess(phone):
    case = make_person()
    for _ in range(PIN_GUESSES.times + 1):
        phone.get(address(case))
    assert phone.get(address(case), headers=with_pin(case)).status_code == 200


def test_a_number_that_is_none_is_told_from_one_not_given(phone):
    unused = f"/api/v1/cases/{case_number(26, 9_999_999)}/my-data/"
    assert problem_of(phone.get(unused), 404) == "no-such-case"
    assert problem_of(phone.delete("/api/v1/cases/1/my-data/"), 404) == (
        "not-a-case-number"
    )


def test_the_pin_is_enough_and_no_cookie_is_needed():
    case = make_person()
    strict = Client(HTTP_HOST="localhost", enforce_csrf_checks=True)
    assert strict.delete(address(case), headers=with_pin(case)).status_code == 204
