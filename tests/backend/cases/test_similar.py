"""Which open case may be the same problem."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import cos, radians
from typing import Any

import pytest
from django.contrib.gis.geos import Point
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from backend.accounts.devices import issue_device
from backend.cases.citizens import support
from backend.cases.deadlines import PANAMA
from backend.cases.models import Case, Category, Photo
from backend.cases.similar import candidates, similar
from backend.cases.workflow import Status
from tests.factories import make_case, make_category, make_duty, make_photo
from tests.geo.many import multiply
from tests.jobs import run_jobs

pytestmark = pytest.mark.usefixtures("squares")

MONDAY = datetime(2026, 11, 23, 10, tzinfo=PANAMA)
HERE = (-79.95, 8.55)
METRES = 6_371_008.8 * radians(1)  # of a degree, on PostGIS's sphere


def north(metres: float) -> tuple[float, float]:
    return HERE[0], HERE[1] + metres / METRES


def found(category: Category, at: datetime = MONDAY) -> list[Any]:
    return similar(category, Point(*HERE, srid=4326), at)


def test_the_open_cases_around_are_found_nearest_first_with_who_they_affect():
    category = make_category()
    far = make_case(at=north(50), filed_at=MONDAY)
    near = make_case(at=north(-20), filed_at=MONDAY, photos=[make_photo()])
    run_jobs("clean_photo")
    for _ in range(3):
        support(near, issue_device().device)

    one, other = found(category)

    assert (one, other) == (near, far)
    assert one.metres.m == pytest.approx(20, abs=0.1)
    assert (one.supporters, other.supporters) == (3, 0)
    assert one.shown_photos == [near.photos.get()]
    assert other.shown_photos == []


def test_nobody_is_similar_beyond_the_radius_of_the_category():
    make_case(at=north(61), filed_at=MONDAY)
    inside = make_case(at=north(59), filed_at=MONDAY)
    assert found(make_category()) == [inside]
    wider = make_category("PRU-02", similar_metres=100)
    assert len(found(wider)) == 2


def test_a_case_older_than_the_category_says_is_another_problem():
    category = make_category(similar_days=7)
    case = make_case(filed_at=MONDAY)
    assert found(category, MONDAY + timedelta(days=7)) == [case]
    assert found(category, MONDAY + timedelta(days=7, seconds=1)) == []


@pytest.mark.parametrize("status", [Status.RESOLVED, Status.REJECTED, Status.CANCELLED])
def test_what_is_no_longer_open_is_not_offered(status):
    make_case(status=status, filed_at=MONDAY)
    assert found(make_category()) == []


def test_what_another_duty_answers_for_is_another_problem():
    make_case(filed_at=MONDAY)
    same = make_case(filed_at=MONDAY, category=make_category("PRU-02"))
    other = make_category("PRU-03", duty=make_duty("otra"))
    assert found(other) == []
    assert same in found(make_category())


def test_a_photo_that_is_not_released_is_not_shown():
    make_case(filed_at=MONDAY, photos=[make_photo()])
    run_jobs("clean_photo")
    assert found(make_category())[0].shown_photos
    Photo.objects.update(released_at=None)
    assert found(make_category())[0].shown_photos == []


def test_there_are_never_more_than_ten():
    for n in range(12):
        make_case(at=north(n), filed_at=MONDAY)
    distances = [case.metres.m for case in found(make_category())]
    assert len(distances) == 10
    assert distances == sorted(distances)
    assert distances[-1] == pytest.approx(9, abs=0.1)


# ── What it must not tell ────────────────────────────────────────────────────────


def test_a_private_category_has_no_neighbours():
    private = make_category("PRU-04", private=True, precision="none")
    make_case(filed_at=MONDAY, category=private)
    make_case(filed_at=MONDAY)
    assert found(private) == []


@pytest.mark.parametrize("private", [True, False])
def test_a_case_without_a_public_point_is_never_offered(private):
    hidden = make_category("PRU-05", private=private, precision="none")
    make_case(filed_at=MONDAY, category=hidden)
    assert found(make_category()) == []
    assert found(hidden) == []


@hypothesis_settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    east=st.floats(-0.0009, 0.0009),
    up=st.floats(-0.0009, 0.0009),
)
def test_the_distance_to_a_case_on_the_grid_is_to_the_middle_of_its_cell(east, up):
    """The same wherever in its cell the case really is."""
    Case.objects.all().delete()
    on_grid = make_category("PRU-06", precision="grid", similar_metres=500)
    case = make_case(
        at=(HERE[0] + east, HERE[1] + up), filed_at=MONDAY, category=on_grid
    )
    middle = case.public_location
    assert middle is not None
    wide = (middle.x - HERE[0]) * METRES * cos(radians(HERE[1]))
    high = (middle.y - HERE[1]) * METRES
    (only,) = found(on_grid)
    assert only.metres.m == pytest.approx((wide**2 + high**2) ** 0.5, abs=0.05)


# ── What it costs ────────────────────────────────────────────────────────────────


def test_they_are_found_by_the_index_of_places():
    case = make_case(filed_at=MONDAY)
    multiply(case, 8000)
    plan = candidates(case.category, case.location, MONDAY).explain()
    assert "public_cases_by_place" in plan
    assert "Seq Scan on cases_case" not in plan


@pytest.mark.parametrize("cases", [1, 6])
def test_however_many_there_are_it_takes_two_statements(
    cases, django_assert_num_queries
):
    category = make_category()
    for n in range(cases):
        case = make_case(at=north(n), filed_at=MONDAY, photos=[make_photo((32, 32))])
        support(case, issue_device().device)
    run_jobs("clean_photo")
    with django_assert_num_queries(2):
        told = [
            (
                str(case.category),
                case.supporters,
                [photo.case for photo in case.shown_photos],
            )
            for case in found(category)
        ]
    assert [len(photos) for _, _, photos in told] == [1] * cases


@pytest.mark.parametrize("lat", [-90, 90, 0])
@pytest.mark.parametrize("lon", [-180, 180])
def test_at_the_ends_of_the_earth_there_is_nothing(lat, lon):
    make_case(filed_at=MONDAY)
    assert similar(make_category(), Point(lon, lat, srid=4326), MONDAY) == []
