"""GET cases/similar/: what is open nearby, before one reports it again."""

from typing import Any

import pytest

from backend.accounts.devices import issue_device
from backend.cases.citizens import support
from backend.cases.models import Photo
from backend.cases.workflow import Status
from tests.factories import make_case, make_category, make_photo
from tests.mobile_api.calls import SIMILAR, problem_of, wrong_fields

pytestmark = pytest.mark.usefixtures("squares")

HERE: dict[str, Any] = {"lat": 8.55, "lon": -79.95, "category": "PRU-01"}
FIELDS = {
    "number",
    "category",
    "category_name",
    "status",
    "status_name",
    "distance",
    "filed_at",
    "supports",
    "description",
    "thumbnail",
    "url",
}


def test_anyone_sees_what_is_open_nearby_with_its_photo_and_whom_it_affects(phone):
    case = make_case(
        at=(-79.9501, 8.55),
        description="Un hueco, llame al 6999-1234",
        photos=[make_photo()],
    )
    support(case, issue_device().device)
    answer = phone.get(SIMILAR, HERE)
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    found = answer.json()
    assert found.keys() == {"cases", "radius"}
    assert found["radius"] == 60
    (only,) = found["cases"]
    assert only.keys() == FIELDS
    assert only["number"] == case.number
    assert only["distance"] == pytest.approx(11, abs=0.1)
    assert only["supports"] == 1
    assert only["description"] == "Un hueco, llame al […]"
    assert phone.get(only["thumbnail"]).getvalue()
    assert phone.get(only["url"]).status_code == 200
    english = phone.get(SIMILAR, HERE, headers={"Accept-Language": "en"}).json()
    assert english["cases"][0]["status_name"] == "Received"


def test_a_photo_nobody_released_has_no_thumbnail_here(phone):
    make_case(photos=[make_photo()])
    Photo.objects.update(released_at=None)
    assert phone.get(SIMILAR, HERE).json()["cases"][0]["thumbnail"] is None


def test_of_a_long_story_only_the_beginning_is_told(phone):
    make_case(description="hueco " * 600)
    told = phone.get(SIMILAR, HERE).json()["cases"][0]["description"]
    assert len(told) == 280
    assert told.endswith("…")


def test_what_is_resolved_or_private_or_elsewhere_is_not_told(phone):
    make_case(status=Status.RESOLVED)
    make_case(category=make_category("P-1", private=True, precision="none"))
    make_case(at=(-79.96, 8.55))
    assert phone.get(SIMILAR, HERE).json() == {"cases": [], "radius": 60}
    asked = phone.get(SIMILAR, {**HERE, "category": "P-1"})
    assert asked.json() == {"cases": [], "radius": 60}


def test_a_pin_opens_no_more(phone):
    case = make_case(category=make_category("P-1", private=True, precision="none"))
    headers = {"X-Case-Pin": case.pin}
    asked = phone.get(SIMILAR, {**HERE, "category": "P-1"}, headers=headers)
    assert asked.json()["cases"] == []


def test_an_unknown_category_and_a_point_that_is_none_are_refused(phone):
    unknown = phone.get(SIMILAR, {**HERE, "category": "NADA"})
    assert problem_of(unknown, 422) == "unknown-category"
    assert wrong_fields(phone.get(SIMILAR)) == {
        "/lat": "required",
        "/lon": "required",
        "/category": "required",
    }
    assert "/lat" in wrong_fields(phone.get(SIMILAR, {**HERE, "lat": "nan"}))


@pytest.mark.parametrize("cases", [1, 5])
def test_however_many_there_are_it_takes_three_statements(
    phone, cases, django_assert_num_queries
):
    for _ in range(cases):
        make_case(photos=[make_photo((32, 32))])
    phone.get(SIMILAR, HERE)  # reads the categories
    with django_assert_num_queries(3):  # the rules in force, the cases, their photos
        assert len(phone.get(SIMILAR, HERE).json()["cases"]) == cases
