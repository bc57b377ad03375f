"""places/at/: where a point is, before anything is reported there."""

from __future__ import annotations

import pytest

from tests.mobile_api.calls import PLACE, problem_of, wrong_fields

pytestmark = pytest.mark.usefixtures("squares")
BORDER = {"lat": 8.55, "lon": -79.9001, "accuracy": 50}


def test_a_point_has_province_district_and_corregimiento(phone):
    answer = phone.get(PLACE, {"lat": 8.55, "lon": -79.95})
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    assert answer.json() == {
        "province": {"code": "90", "name": "Cuadrados"},
        "district": {"code": "9001", "name": "Oeste"},
        "corregimiento": {"code": "900101", "name": "Oeste Uno"},
    }


def test_by_a_border_both_sides_are_named_and_either_may_be_chosen(phone):
    own = phone.get(PLACE, BORDER).json()
    assert own["district"]["code"] == "9001"
    assert own["near_border"] == {"code": "9002", "name": "Este", "distance": 11.0}
    other = phone.get(PLACE, {**BORDER, "district": "9002"}).json()
    assert other["district"]["code"] == "9002"
    assert other["corregimiento"]["code"] == "900201"
    assert other["snapped"] == 11.0
    assert other["near_border"] == {"code": "9001", "name": "Oeste", "distance": 0.0}


def test_no_other_side_may_be_chosen(phone):
    for asked in (
        {**BORDER, "district": "0801"},
        {**BORDER, "district": "9002", "accuracy": 5},
        {**BORDER, "district": "\u0669"},
    ):
        assert wrong_fields(phone.get(PLACE, asked)) == {"/district": "not-this-side"}


def test_outside_of_panama_nothing_is(phone):
    refused = phone.get(PLACE, {"lat": 9.93, "lon": -84.08})
    assert problem_of(refused, 422) == "outside-panama"


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ({}, {"/lat": "required", "/lon": "required"}),
        ({"lat": "8.5"}, {"/lon": "required"}),
        ({"lat": "NaN", "lon": "inf"}, {"/lat", "/lon"}),
        ({"lat": 91, "lon": -181}, {"/lat": "min_value", "/lon": "x"}),
        ({"lat": 8, "lon": -80, "accuracy": -1}, {"/accuracy": "min_value"}),
        ({"lat": 8, "lon": -80, "district": "90011"}, {"/district": "max_length"}),
    ],
)
def test_what_is_no_place_is_refused(phone, asked, wrong):
    found = wrong_fields(phone.get(PLACE, asked))
    assert found.keys() == set(wrong)
