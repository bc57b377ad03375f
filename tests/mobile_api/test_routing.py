"""routing/explain/: why a case goes where it goes, for staff."""

from datetime import date
from typing import Any

import pytest

from provinces.models import Jurisdiction
from tests.factories import (
    make_category,
    make_crew,
    make_duty,
    make_entity,
    make_jurisdiction,
)
from tests.mobile_api.calls import EXPLAIN, phone_of, problem_of, wrong_fields

pytestmark = pytest.mark.usefixtures("squares")

ASKED: dict[str, Any] = {"lat": 8.55, "lon": -79.95, "category": "BAS-01"}
RULE = {
    "level",
    "place",
    "entity",
    "valid_from",
    "valid_to",
    "legal_basis",
    "note",
    "confirmed",
    "outcome",
    "why",
}


@pytest.fixture
def rubbish():
    """The municipality until 18 January 2026; from the 19th, the nation's agency."""
    duty = make_duty("rubbish")
    level = Jurisdiction.Scope.DISTRICT
    make_jurisdiction(
        duty, make_entity("MUNI"), level, "9001", valid_to=date(2026, 1, 18)
    )
    make_jurisdiction(duty, make_entity("AAUD"), valid_from=date(2020, 1, 1))
    make_category("BAS-01", duty=duty)


@pytest.fixture
def staff(squares):
    user = make_crew(username="mesa")
    user.is_staff = True
    user.save()
    return phone_of(user)


def test_staff_see_every_rule_the_winner_and_why(staff, rubbish):
    answer = staff.get(EXPLAIN, {**ASKED, "at": "2026-01-18"})
    assert answer.status_code == 200
    told = answer.json()
    assert told.keys() == {
        "category",
        "duty",
        "day",
        "place",
        "considered",
        "winner",
        "second_best",
        "nearest_border",
    }
    assert (told["category"], told["duty"], told["day"]) == (
        "BAS-01",
        "rubbish",
        "2026-01-18",
    )
    assert told["winner"].keys() == RULE
    assert told["winner"]["entity"]["code"] == "MUNI"
    assert told["winner"]["outcome"] == "wins"
    assert told["second_best"]["entity"]["code"] == "AAUD"
    assert told["second_best"]["outcome"] == "less-local"
    assert told["considered"] == [told["winner"], told["second_best"]]
    assert all(rule["why"] for rule in told["considered"])
    assert told["place"]["corregimiento"]["code"] == "900101"
    assert told["nearest_border"].keys() == {"code", "name", "distance"}
    assert told["nearest_border"]["code"] == "9002"
    assert told["nearest_border"]["distance"] == pytest.approx(5500, abs=30)


def test_the_day_decides(staff, rubbish):
    told = staff.get(EXPLAIN, {**ASKED, "at": "2026-01-19"}).json()
    assert told["winner"]["entity"]["code"] == "AAUD"
    assert told["second_best"] is None
    assert [rule["outcome"] for rule in told["considered"]] == [
        "not-in-effect",
        "wins",
    ]


def test_without_a_rule_nobody_wins(staff):
    duty = make_duty("elsewhere")
    make_jurisdiction(duty, make_entity(), Jurisdiction.Scope.DISTRICT, "9002")
    make_category("BAS-02", duty=duty)
    told = staff.get(EXPLAIN, {**ASKED, "category": "BAS-02"}).json()
    assert told["winner"] is None
    assert told["considered"] == []


def test_a_border_within_the_accuracy_is_told(staff):
    asked = {"lat": 8.55, "lon": -79.9001, "category": "PRU-01"}
    assert "near_border" not in staff.get(EXPLAIN, asked).json()["place"]
    near = staff.get(EXPLAIN, {**asked, "accuracy": 50}).json()["place"]["near_border"]
    assert near["code"] == "9002"


def test_it_is_for_staff_alone(phone, rubbish):
    assert problem_of(phone.get(EXPLAIN, ASKED), 401) == "not-authenticated"
    crew = phone_of(make_crew())
    assert problem_of(crew.get(EXPLAIN, ASKED), 403) == "not-permitted"


def test_what_it_cannot_explain_is_refused_with_its_reason(staff, rubbish):
    outside = staff.get(EXPLAIN, {**ASKED, "lon": -84.08, "lat": 9.93})
    assert problem_of(outside, 422) == "outside-panama"
    unknown = staff.get(EXPLAIN, {**ASKED, "category": "NADA-99"})
    assert problem_of(unknown, 422) == "unknown-category"
    assert wrong_fields(staff.get(EXPLAIN)) == {
        "/lat": "required",
        "/lon": "required",
        "/category": "required",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lat", "NaN"),
        ("lat", "91"),
        ("lon", "1e999"),
        ("lon", "-180.5"),
        ("accuracy", "-1"),
        ("accuracy", "1e308"),
        ("at", "ayer"),
        ("at", "2026-02-30"),
        ("category", "BAS\0"),
    ],
)
def test_a_wrong_parameter_is_named(staff, rubbish, name, value):
    assert wrong_fields(staff.get(EXPLAIN, {**ASKED, name: value})).keys() == {
        f"/{name}"
    }
