"""The cases and the places as features, a page at a time."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import cos, log, pi, radians, sin, sqrt, tan

import pytest
import sqlalchemy as sa
from django.db import connection
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from backend.cases.models import Case
from backend.cases.workflow import Status
from geo import sql
from geo.features import (
    CASES,
    CORREGIMIENTOS,
    CRS84,
    DISTRICTS,
    MERCATOR,
    UTM_17_NORTH,
    WGS84,
    Area,
    Question,
    extent_of_cases,
    extent_of_places,
    one,
    page,
)
from geo.filters import Box
from provinces.models import Boundary, Level
from tests.factories import OUTLINES, make_boundary, make_case, make_category
from tests.geo.many import multiply, plan_of

SEMI_MAJOR = 6378137.0  # of WGS 84, metres
FLATTENING = 1 / 298.257223563
DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)


def ids(layer=CASES, **question) -> list[str]:
    found = page(layer, Question(limit=1000, **question))
    return [json.loads(text)["id"] for text in found.features]


def point_of(text: str) -> list[float]:
    point: list[float] = json.loads(text)["geometry"]["coordinates"]
    return point


def mercator(longitude: float, latitude: float) -> tuple[float, float]:
    return (
        SEMI_MAJOR * radians(longitude),
        SEMI_MAJOR * log(tan(pi / 4 + radians(latitude) / 2)),
    )


def utm_17(longitude: float, latitude: float) -> tuple[float, float]:
    """By the series in Snyder's "Map Projections: A Working Manual", 1987, page 61."""
    e2 = FLATTENING * (2 - FLATTENING)
    second = e2 / (1 - e2)
    phi = radians(latitude)
    n = SEMI_MAJOR / sqrt(1 - e2 * sin(phi) ** 2)
    t, c = tan(phi) ** 2, second * cos(phi) ** 2
    a = radians(longitude + 81) * cos(phi)
    m = SEMI_MAJOR * (
        (1 - e2 / 4 - 3 * e2**2 / 64 - 5 * e2**3 / 256) * phi
        - (3 * e2 / 8 + 3 * e2**2 / 32 + 45 * e2**3 / 1024) * sin(2 * phi)
        + (15 * e2**2 / 256 + 45 * e2**3 / 1024) * sin(4 * phi)
        - (35 * e2**3 / 3072) * sin(6 * phi)
    )
    x = a + (1 - t + c) * a**3 / 6
    x += (5 - 18 * t + t**2 + 72 * c - 58 * second) * a**5 / 120
    y = a**2 / 2 + (5 - t + 9 * c + 4 * c**2) * a**4 / 24
    return 500_000 + 0.9996 * n * x, 0.9996 * (m + n * tan(phi) * y)


def test_a_page_ends_where_the_next_begins(squares):
    made = [make_case().number for _ in range(5)]
    seen, after = [], ""
    for pages in range(1, 4):
        found = page(CASES, Question(limit=2, after=after))
        seen += [json.loads(text)["id"] for text in found.features]
        after = found.next
        assert bool(after) == (pages < 3)
    assert seen == sorted(made)


def test_a_page_that_is_just_full_is_the_last(squares):
    made = [make_case().number for _ in range(2)]
    found = page(CASES, Question(limit=2))
    assert (len(found.features), found.next) == (2, "")
    assert page(CASES, Question(limit=2, after=made[-1])).features == []


def test_only_what_is_on_the_map_is_a_feature(squares):
    exact = make_case()
    grid = make_case(
        at=(-79.951234, 8.554321), category=make_category("P-2", precision="grid")
    )
    pointless = make_case(category=make_category("P-3", precision="none"))
    private = make_case(category=make_category("P-4", precision="none", private=True))
    assert ids() == [exact.number, grid.number]
    assert one(CASES, exact.number, CRS84, english=False)
    for hidden in (pointless, private):
        assert one(CASES, hidden.number, CRS84, english=False) is None
    assert "79.951234" not in str(one(CASES, grid.number, CRS84, english=False))


def test_a_point_is_the_same_place_in_every_frame(squares):
    case = make_case(at=(-79.95, 8.55))
    points = {
        frame: point_of(str(one(CASES, case.number, frame, english=False)))
        for frame in (CRS84, WGS84, MERCATOR, UTM_17_NORTH)
    }
    assert points[CRS84] == [-79.95, 8.55]
    assert points[WGS84] == [8.55, -79.95]
    assert points[MERCATOR] == pytest.approx(mercator(-79.95, 8.55), abs=0.01)
    assert points[UTM_17_NORTH] == pytest.approx(utm_17(-79.95, 8.55), abs=0.02)


def test_a_far_page_costs_what_the_first_does(squares):
    multiply(make_case(), 8000)
    for after in ("", "M000007000"):
        plan = plan_of(lambda after=after: page(CASES, Question(10, after=after)))
        assert "using cases_case_number_key on cases_case" in plan
        assert "Seq Scan on cases_case" not in plan
    assert "Index Cond: ((number)::text > 'M000007000'" in plan


def test_asked_for_times_they_come_in_the_order_of_time_page_after_page(squares):
    # Two of one moment, and all of them the other way round than by their numbers.
    made = [make_case(filed_at=DAY - timedelta(days=n // 2)) for n in range(7)]
    asked = Question(limit=2, since=DAY - timedelta(days=2), until=DAY)
    seen, after = [], ""
    for pages in range(1, 3):
        found = page(CASES, replace(asked, after=after))
        seen += [json.loads(text)["id"] for text in found.features]
        after = found.next
        assert bool(after) == (pages < 2)
    assert seen == [made[n].number for n in (4, 5, 2, 3)]


def test_the_last_months_are_found_without_the_earlier_ones(squares):
    multiply(
        make_case(),
        8000,
        filed_at="filed_at - (8000 - n) * interval '1 hour'",
        updated_at="filed_at",
    )
    newest = Case.objects.latest("filed_at").filed_at
    asked = Question(limit=5, since=newest - timedelta(days=100))
    for after in ("", page(CASES, asked).next):
        plan = plan_of(lambda after=after: page(CASES, replace(asked, after=after)))
        assert "using cases_by_filing on cases_case" in plan


def test_what_is_true_of_few_is_found_by_an_index(squares):
    multiply(make_case(), 8000, demo="n % 1000 = 0")
    demo = Question(limit=10, equal={"demo": True})
    assert len(page(CASES, demo).features) == 8
    assert "demo_cases" in plan_of(lambda: page(CASES, demo))
    others = page(CASES, Question(limit=9000, equal={"demo": False}))
    assert len(others.features) == 8001 - 8


boxes = st.tuples(
    st.floats(-79.99, -79.81),
    st.floats(8.51, 8.59),
    st.floats(0, 0.1),
    st.floats(0, 0.05),
)
ALL_INSIDE = """
SELECT number FROM cases_case, LATERAL ST_Transform(public_location, %s) AS point
WHERE ST_X(point) BETWEEN %s AND %s AND ST_Y(point) BETWEEN %s AND %s ORDER BY number
"""


@pytest.fixture
def scattered(squares):
    multiply(make_case(), 300)


@examples(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(box=boxes, frame=st.sampled_from([CRS84, MERCATOR, UTM_17_NORTH]))
def test_a_box_holds_what_lies_between_its_sides_in_its_own_units(
    scattered, box, frame
):
    west, south, width, height = box
    with connection.cursor() as cursor:
        corner = "SELECT ST_X(p), ST_Y(p) FROM ST_Transform(ST_SetSRID(ST_MakePoint(%s, %s), 4326), %s) AS p"
        cursor.execute(corner, [west, south, frame.srid])
        x, y = cursor.fetchone()
        unit = 1 if frame is CRS84 else 111_320
        sides = Box(x, y, x + width * unit, y + height * unit)
        cursor.execute(
            ALL_INSIDE, [frame.srid, sides.west, sides.east, sides.south, sides.north]
        )
        expected = [number for (number,) in cursor.fetchall()]
    assert ids(area=Area(frame, (sides,))) == expected


def test_a_box_without_width_still_holds_the_point_it_is_drawn_through(squares):
    case = make_case(at=(-79.95, 8.55))
    here = Box(-79.95, 8.55, -79.95, 8.55)
    assert ids(area=Area(CRS84, (here,))) == [case.number]
    assert ids(area=Area(CRS84, ())) == []


def test_of_a_place_its_outline_counts_and_not_the_box_around_it(squares):
    generation = Boundary.objects.filter(code="9001").latest("id").generation
    Boundary.objects.filter(generation=generation, code="9001").delete()
    west = OUTLINES["9001"]
    corners = list(west.exterior.coords)
    triangle = type(west)([corners[0], corners[1], corners[2]])
    make_boundary(generation, Level.DISTRICT, "9001", triangle)
    outside = west.difference(triangle).centroid
    around = Box(
        outside.x - 0.001, outside.y - 0.001, outside.x + 0.001, outside.y + 0.001
    )
    assert ids(DISTRICTS, area=Area(CRS84, (around,))) == []
    assert ids(DISTRICTS) == ["9001", "9002"]


def test_every_filter_takes_what_is_equal_and_only_that(squares):
    one_case = make_case()
    other = make_case(
        at=(-79.85, 8.55), category=make_category("X-1"), status=Status.RESOLVED
    )
    Case.objects.filter(pk=other.pk).update(demo=True)
    values = {
        "number": one_case.number,
        "category": "PRU-01",
        "status": "received",
        "open": True,
        "district_code": "9001",
        "corregimiento_code": "900101",
        "demo": False,
    }
    for name, value in values.items():
        assert ids(equal={name: value}) == [one_case.number], name
    for name, value in {
        "group": "PRU",
        "entity": "OBRAS",
        "province_code": "90",
    }.items():
        assert len(ids(equal={name: value})) == 2, name
        assert ids(equal={name: "nada"}) == []
    assert {*values, "group", "entity", "province_code"} == CASES.filters.keys()
    assert ids(equal={"open": False}) == [other.number]


def test_a_place_tells_what_it_belongs_to_and_whether_it_is_only_about_there(squares):
    Boundary.objects.filter(code="900201").update(approximate=True)
    west, east = (
        json.loads(text) for text in page(CORREGIMIENTOS, Question(5)).features
    )
    assert west["properties"] == {
        "code": "900101",
        "name": "Oeste Uno",
        "kind": "corregimiento",
        "district": "Oeste",
        "district_code": "9001",
        "province": "Cuadrados",
        "province_code": "90",
        "approximate": False,
    }
    assert (
        ids(CORREGIMIENTOS, equal={"approximate": True}) == [east["id"]] == ["900201"]
    )


def test_the_extent_is_exact(squares):
    assert extent_of_cases() is None
    for n, at in enumerate([(-79.99, 8.55), (-79.9, 8.51), (-79.81, 8.52)]):
        make_case(at=at, filed_at=DAY + timedelta(days=n))
    hidden = make_category("P-4", precision="none", private=True)
    make_case(at=(-79.999, 8.599), category=hidden, filed_at=DAY - timedelta(days=9))
    found = extent_of_cases()
    assert found == (Box(-79.99, 8.51, -79.81, 8.55), DAY)
    assert extent_of_places(Level.DISTRICT) == (Box(-80.0, 8.5, -79.8, 8.6), None)
    assert extent_of_places(Level.PROVINCE) is None


def test_the_extent_is_found_by_walking_the_index_inwards(squares):
    multiply(make_case(), 8000)
    plan = plan_of(extent_of_cases)
    assert plan.count("Index Scan using public_cases_by_place") == 4
    assert "Seq Scan" not in plan


def test_what_takes_too_long_is_stopped_and_said(db):
    with pytest.raises(sql.TooLong), sql.within(20):
        sql.rows(sa.text("SELECT 1 FROM pg_sleep(60)"))
    assert sql.rows(sa.text("SELECT 1")) == [(1,)]
