"""The open cases closest to a crew, against measuring every one of them."""

from math import asin, cos, radians, sin, sqrt

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.cases.models import Case
from backend.cases.workflow import OPEN, Status
from geo import sql
from geo.nearby import Cursor, nearby
from geo.tables import case
from tests.factories import (
    make_case,
    make_category,
    make_duty,
    make_entity,
    make_jurisdiction,
)
from tests.geo.many import multiply, plan_of

pytestmark = pytest.mark.usefixtures("squares")

FAR = 500_000


@pytest.fixture
def cases():
    """Two entities' cases, a third of them no longer open, some at the same place."""
    duty = make_duty("water")
    make_jurisdiction(duty, make_entity("IDAAN"))
    one = make_case()
    two = make_case(category=make_category("AGU-01", duty=duty))
    statuses = "(ARRAY['received','in_progress','resolved'])[1 + n % 3]"
    multiply(one, 60, status=statuses)
    multiply(
        two,
        60,
        number="'N' || n",
        status=statuses,
        location="ST_SetSRID(ST_MakePoint(-79.9 + n % 5 / 100.0, 8.55), 4326)",
    )
    return list(Case.objects.all())


def haversine(lon: float, lat: float, case: Case) -> float:
    """Metres on the sphere of PostGIS (6,371,008.77 m)."""
    x, y = case.location.coords
    a = (
        sin(radians(y - lat) / 2) ** 2
        + cos(radians(lat)) * cos(radians(y)) * sin(radians(x - lon) / 2) ** 2
    )
    return 2 * 6_371_008.7714 * asin(sqrt(a))


def measured(cases, entities, lon, lat, radius, statuses) -> list[tuple[float, int]]:
    away = [
        (haversine(lon, lat, case), case.pk)
        for case in cases
        if case.entity_id in entities and case.status in statuses
    ]
    return sorted((metres, pk) for metres, pk in away if metres <= radius)


def test_the_nearest_come_first(cases):
    found = nearby(["OBRAS"], -79.95, 8.55, FAR, OPEN, limit=10)
    expected = measured(cases, ["OBRAS"], -79.95, 8.55, FAR, OPEN)[:10]
    assert [near.id for near in found] == [pk for _, pk in expected]
    assert [near.metres for near in found] == pytest.approx(
        [metres for metres, _ in expected], abs=0.01
    )
    case = Case.objects.get(pk=found[3].id)
    assert (found[3].longitude, found[3].latitude) == case.location.coords
    assert found[3].number == case.number
    assert found[3].category_name == "Categoría PRU-01"


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    lon=st.floats(-80.1, -79.7),
    lat=st.floats(8.4, 8.7),
    radius=st.floats(1, 30_000),
    entities=st.sets(st.sampled_from(["OBRAS", "IDAAN", "NADA"])).map(sorted),
    statuses=st.sets(st.sampled_from(sorted(OPEN)), min_size=1).map(frozenset),
    page=st.integers(1, 40),
)
def test_the_pages_hold_every_case_once_in_order(
    cases, lon, lat, radius, entities, statuses, page
):
    found, after = [], None
    while True:
        rows = nearby(entities, lon, lat, radius, statuses, page, after)
        found += rows
        if len(rows) < page:
            break
        after = Cursor(rows[-1].metres, rows[-1].id)
    # Within the width of a hair of the radius, either formula may be right.
    least = measured(cases, entities, lon, lat, radius - 0.001, statuses)
    most = measured(cases, entities, lon, lat, radius + 0.001, statuses)
    ids = [near.id for near in found]
    assert len(ids) == len(set(ids))
    assert {pk for _, pk in least} <= set(ids) <= {pk for _, pk in most}
    order = [(near.metres, near.id) for near in found]
    assert order == sorted(order)


def test_metres_are_those_of_postgis_on_the_sphere(cases):
    metres = sa.func.ST_Distance(
        sa.text("'SRID=4326;POINT(-79.95 8.55)'::geography"),
        sa.text("location::geography"),
        False,
    )
    for near in nearby(["OBRAS"], -79.95, 8.55, FAR, OPEN, limit=5):
        answer = sql.rows(sa.select(metres).where(case.c.id == near.id))
        assert answer == [(pytest.approx(near.metres, abs=0.001),)]


def test_across_the_date_line_is_near():
    case = make_case()
    Case.objects.filter(pk=case.pk).update(location="SRID=4326;POINT(179.999 0)")
    (near,) = nearby(["OBRAS"], -179.999, 0, 1000, OPEN, 5)
    assert near.metres == pytest.approx(222.4, abs=0.5)


def test_only_open_cases_are_there_to_be_done(cases):
    found = nearby(["OBRAS", "IDAAN"], -79.95, 8.55, FAR, OPEN, 100)
    assert {near.status for near in found} == {"received", "in_progress"}
    resolved = frozenset({Status.RECEIVED.value})
    only = nearby(["OBRAS", "IDAAN"], -79.95, 8.55, FAR, resolved, 100)
    assert {near.status for near in only} == {"received"}


def test_who_is_of_no_entity_asks_nothing(cases, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert nearby([], -79.95, 8.55, FAR, OPEN, 5) == []


def test_the_question_is_one_statement(cases, django_assert_num_queries):
    with django_assert_num_queries(1):
        nearby(["OBRAS", "IDAAN"], -79.95, 8.55, FAR, OPEN, 5)


WALK = "Index Scan using open_cases_by_entity_and_place"
OUTWARDS = "Order By: ((location)::geography(Point,4326) <->"


@pytest.mark.parametrize("after", [None, Cursor(900.0, 5)])
@pytest.mark.parametrize("statuses", [OPEN, frozenset({"received", "assigned"})])
def test_the_index_is_walked_outwards_from_the_crew(statuses, after):
    """No setting helps it: this is the plan that PostgreSQL prefers."""
    multiply(make_case(), 8000)
    plan = plan_of(
        lambda: nearby(["OBRAS"], -79.9, 8.55, FAR, statuses, limit=20, after=after)
    )
    assert WALK in plan
    assert OUTWARDS in plan
    assert "Seq Scan on cases_case" not in plan


def test_two_entities_are_two_walks():
    duty = make_duty("water")
    make_jurisdiction(duty, make_entity("IDAAN"))
    water = make_category("AGU-01", duty=duty)
    multiply(make_case(category=water), 8000, number="'N' || n")
    multiply(make_case(), 8000)
    plan = plan_of(lambda: nearby(["OBRAS", "IDAAN"], -79.9, 8.55, FAR, OPEN, limit=20))
    assert plan.count(WALK) == plan.count(OUTWARDS) == 2
    assert "Seq Scan on cases_case" not in plan


def test_many_at_one_place_are_shown_once_each():
    here = "ST_SetSRID(ST_MakePoint(-79.9, 8.55), 4326)"
    multiply(make_case(), 50, location=here)
    found, after = [], None
    while rows := nearby(["OBRAS"], -79.95, 8.55, FAR, OPEN, 7, after):
        found += rows
        after = Cursor(rows[-1].metres, rows[-1].id)
    assert [near.id for near in found] == list(
        Case.objects.order_by("id").values_list("id", flat=True)
    )
