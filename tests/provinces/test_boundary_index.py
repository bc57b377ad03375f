"""Which outline covers a point, or is nearest to it.

PostGIS is the judge: it holds the same outlines and shares no code with the index.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import shapely
from django.db import connection
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from shapely import Point

from provinces.boundary_index import BoundaryIndex, Near
from provinces.models import Boundary, Level
from tests.factories import OUTLINES

DEGREE_NORTH = 110_605  # metres at 8.55° north, by Vincenty's formulae
DEGREE_EAST = 110_088
# Not farther off than this: 0.5 %, or a metre.
TOLERANCE, METRE = 0.005, 1.0

LONGITUDES = st.integers(-83_200_000, -77_000_000).map(lambda n: n / 1e6)
LATITUDES = st.integers(7_000_000, 9_800_000).map(lambda n: n / 1e6)
ANYWHERE = st.tuples(LONGITUDES, LATITUDES).map(Point)
# Along a segment between two vertices of an outline: its start, and points that
# floating point can only put very near to it.
ALONG = st.sampled_from([0.0, 0.5, 1 / 3, 0.7071])

POINTS_AND_DISTRICTS = """
    WITH point AS (
        SELECT n, ST_SetSRID(ST_MakePoint(lon, lat), 4326) AS at
        FROM unnest(%s::float8[], %s::float8[]) WITH ORDINALITY AS p (lon, lat, n)
    ), district AS MATERIALIZED (
        SELECT b.code, b.outline FROM provinces_boundary b
        JOIN provinces_generation g ON g.id = b.generation_id AND g.is_active
        WHERE b.level = 'district'
    )
"""

with_shipped = settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@dataclass(frozen=True)
class Shipped:
    """The shipped districts: their index, their outlines, and all their segments."""

    index: BoundaryIndex
    outlines: dict[str, shapely.Geometry]
    segments: list[tuple[tuple[float, float], tuple[float, float]]]


@pytest.fixture(scope="module")
def shipped(django_db_setup: None, django_db_blocker: Any) -> Shipped:
    with django_db_blocker.unblock():
        rows = Boundary.objects.filter(
            level=Level.DISTRICT, generation__is_active=True
        ).values_list("code", "outline")
        outlines = {
            code: shapely.from_wkb(bytes(outline.wkb)) for code, outline in rows
        }
    return Shipped(BoundaryIndex(outlines), outlines, segments_of(outlines.values()))


def segments_of(
    outlines: Iterable[shapely.Geometry],
) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """Each once, written from west to east."""
    found = set()
    for outline in outlines:
        for part in shapely.get_parts(outline):
            for ring in (part.exterior, *part.interiors):
                at = [(x, y) for x, y in ring.coords]
                found |= {(min(pair), max(pair)) for pair in pairwise(at)}
    return sorted(found)


def between(
    segment: tuple[tuple[float, float], tuple[float, float]], share: float
) -> Point:
    (west, south), (east, north) = segment
    return Point(west + (east - west) * share, south + (north - south) * share)


def covers(points: list[Point]) -> list[list[str]]:
    """What PostGIS says: for each point, the districts that cover it."""
    return rows_for(
        points,
        """
        SELECT coalesce(array_agg(b.code ORDER BY b.code)
                        FILTER (WHERE b.code IS NOT NULL), '{}')
        FROM point LEFT JOIN district b ON ST_Covers(b.outline, point.at)
        GROUP BY point.n ORDER BY point.n
        """,
    )


def distances(points: list[Point]) -> list[dict[str, float]]:
    """What PostGIS says: for each point, the metres on the ellipsoid to the six
    districts that are nearest in degrees."""
    return [
        json.loads(row)
        for row in rows_for(
            points,
            """
            SELECT json_object_agg(near.code, ST_Distance(
                near.outline::geography, point.at::geography))::text
            FROM point CROSS JOIN LATERAL (
                SELECT b.code, b.outline FROM district b
                ORDER BY b.outline <-> point.at LIMIT 6
            ) near
            GROUP BY point.n ORDER BY point.n
            """,
        )
    ]


def rows_for(points: list[Point], sql: str) -> list[Any]:
    columns = [[point.x for point in points], [point.y for point in points]]
    with connection.cursor() as cursor:
        cursor.execute(POINTS_AND_DISTRICTS + sql, columns)
        return [value for (value,) in cursor.fetchall()]


def about(metres: float) -> Any:
    return pytest.approx(metres, rel=TOLERANCE, abs=METRE)


SQUARES = BoundaryIndex(OUTLINES)


def test_a_point_is_in_the_outline_that_covers_it():
    assert SQUARES.covering(Point(-79.95, 8.55)) == ["9001"]
    assert SQUARES.covering(Point(-79.85, 8.55)) == ["9002"]


def test_a_point_on_the_shared_border_is_in_both_the_lower_code_first():
    assert SQUARES.covering(Point(-79.9, 8.55)) == ["9001", "9002"]
    assert SQUARES.covering(Point(-79.9, 8.6)) == ["9001", "9002"]


def test_a_point_on_the_outer_border_is_inside():
    assert SQUARES.covering(Point(-80.0, 8.55)) == ["9001"]
    assert SQUARES.covering(Point(-79.8, 8.5)) == ["9002"]


def test_a_point_outside_all_is_in_none():
    assert SQUARES.covering(Point(-80.000001, 8.55)) == []


def test_nothing_is_found_in_an_empty_index():
    empty = BoundaryIndex({})
    assert empty.covering(Point(-79.9, 8.5)) == []
    assert empty.nearest(Point(-79.9, 8.5)) is None


def test_the_nearest_outline_is_told_with_its_metres():
    near = SQUARES.nearest(Point(-80.01, 8.55))
    assert near == Near("9001", about(0.01 * DEGREE_EAST))
    near = SQUARES.nearest(Point(-79.85, 8.62))
    assert near == Near("9002", about(0.02 * DEGREE_NORTH))


def test_the_nearest_of_a_point_inside_is_its_own_at_no_distance():
    assert SQUARES.nearest(Point(-79.95, 8.55)) == Near("9001", 0.0)


def test_the_nearest_besides_a_code_is_the_neighbour():
    near = SQUARES.nearest(Point(-79.91, 8.55), besides="9001")
    assert near == Near("9002", about(0.01 * DEGREE_EAST))


def test_what_is_farther_than_the_limit_is_not_found():
    point = Point(-79.91, 8.55)
    assert SQUARES.nearest(point, within=1_090, besides="9001") is None
    assert SQUARES.nearest(point, within=1_110, besides="9001") is not None


@pytest.mark.parametrize("within", [1e4, 1e6, 1e12, float("inf")])
def test_a_huge_limit_finds_the_same(within):
    point = Point(-79.91, 8.55)
    assert SQUARES.nearest(point, within, "9001") == SQUARES.nearest(
        point, besides="9001"
    )
    alone = BoundaryIndex({"9001": OUTLINES["9001"]})
    assert alone.nearest(point, within, "9001") is None


@pytest.mark.parametrize("lon", [-79.99, -75.0, -65.0])
def test_something_far_is_found_though_it_takes_several_steps(lon):
    far = SQUARES.nearest(Point(lon, 8.55), besides="9001")
    assert far is not None
    assert far.code == "9002"


def test_of_two_at_the_same_distance_the_lower_code_is_nearest():
    corner = Point(-79.9, 8.61)  # above the corner that the squares share
    same = {"b": OUTLINES["9001"], "a": OUTLINES["9002"], "c": OUTLINES["9001"]}
    near = BoundaryIndex(same).nearest(corner)
    assert near is not None
    assert near.code == "a"
    beside = BoundaryIndex(same).nearest(corner, besides="a")
    assert beside is not None
    assert beside.code == "b"
    assert near.metres == beside.metres


@given(ANYWHERE, st.floats(1, 200_000))
@settings(deadline=None, max_examples=100)
def test_a_limit_leaves_out_what_is_farther_and_nothing_else(point, within):
    nearest = SQUARES.nearest(point)
    assert nearest is not None
    assume(abs(nearest.metres - within) > 0.001)
    found = SQUARES.nearest(point, within)
    assert found == (nearest if nearest.metres <= within else None)
    if nearest.metres > 1:
        assert SQUARES.nearest(point, nearest.metres) == nearest


@given(points=st.lists(ANYWHERE, min_size=20, max_size=40))
@with_shipped
def test_it_covers_what_postgis_covers(db, shipped, points):
    assert [shipped.index.covering(point) for point in points] == covers(points)


@given(data=st.data())
@with_shipped
def test_it_covers_what_postgis_covers_on_borders_and_vertices(db, shipped, data):
    segments = data.draw(
        st.lists(st.sampled_from(shipped.segments), min_size=20, max_size=40)
    )
    points = [between(segment, data.draw(ALONG)) for segment in segments]
    assert [shipped.index.covering(point) for point in points] == covers(points)


@given(points=st.lists(ANYWHERE, min_size=5, max_size=10))
@with_shipped
def test_the_nearest_is_as_near_as_postgis_says(db, shipped, points):
    for point, metres in zip(points, distances(points), strict=True):
        nearest = shipped.index.nearest(point)
        assert nearest is not None
        assert nearest.metres == about(metres[nearest.code])
        assert nearest.metres == about(min(metres.values()))


@given(points=st.lists(ANYWHERE, min_size=5, max_size=10))
@with_shipped
def test_the_neighbour_is_as_near_as_postgis_says(db, shipped, points):
    for point, metres in zip(points, distances(points), strict=True):
        own = (shipped.index.covering(point) or [""])[0]
        metres.pop(own, None)
        neighbour = shipped.index.nearest(point, besides=own)
        assert neighbour is not None
        assert neighbour.code != own
        assert neighbour.metres == about(min(metres.values()))
        assert neighbour.metres == about(metres[neighbour.code])


@given(data=st.data())
@with_shipped
def test_a_shared_border_falls_on_the_same_side_however_outlines_are_ordered(
    shipped, data
):
    codes = data.draw(st.permutations(sorted(shipped.outlines)))
    turned = {code: data.draw(st.booleans()) for code in codes}
    other = BoundaryIndex(
        {
            code: shipped.outlines[code].reverse()
            if turned[code]
            else shipped.outlines[code].normalize()
            for code in codes
        }
    )
    segments = data.draw(
        st.lists(st.sampled_from(shipped.segments), min_size=20, max_size=30)
    )
    points = [between(segment, data.draw(ALONG)) for segment in segments]
    for point in points:
        covering = shipped.index.covering(point)
        assert other.covering(point) == covering == sorted(covering)
        assert other.nearest(point) == shipped.index.nearest(point)


def test_no_point_falls_through_between_two_districts(shipped):
    pairs = Counter(
        segment
        for outline in shipped.outlines.values()
        for segment in segments_of([outline])
    )
    shared = [segment for segment, times in pairs.items() if times == 2][::10]
    assert len(shared) > 500
    for segment in shared:
        assert shipped.index.covering(between(segment, 0.5))


def test_threads_that_ask_a_new_index_at_once_are_answered_alike(shipped):
    points = [between(segment, 0.3) for segment in shipped.segments[::500]]
    new = BoundaryIndex(
        {
            code: shapely.transform(o, lambda at: at)
            for code, o in shipped.outlines.items()
        }
    )

    def ask(_thread: int) -> list[object]:
        return [(new.covering(p), new.nearest(p, 5_000)) for p in points]

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, range(8)))
    alone = [
        (shipped.index.covering(p), shipped.index.nearest(p, 5_000)) for p in points
    ]
    assert answers == [alone] * 8


# ── Many at once ─────────────────────────────────────────────────────────────────


def columns(points: list[Point]) -> tuple[Any, Any]:
    return np.array([p.x for p in points]), np.array([p.y for p in points])


def test_of_many_points_each_has_the_first_outline_that_covers_it():
    points = [Point(-79.85, 8.55), Point(0, 0), Point(-79.9, 8.55), Point(-79.95, 8.55)]
    assert SQUARES.first_covering(*columns(points)).tolist() == [1, -1, 0, 0]
    assert SQUARES.all_covering(*columns(points)) == {
        0: ["9002"],
        2: ["9001", "9002"],
        3: ["9001"],
    }


def test_of_many_points_each_has_its_nearest_within_its_own_limit():
    points = [Point(-80.01, 8.55), Point(-79.79, 8.55), Point(-79.79, 8.55)]
    points += [Point(-79.9, 8.61), Point(-70.0, 8.55)]
    within = np.array([2e6, 1_110, 1_090, 2e6, 2e6])
    numbers, metres = SQUARES.nearest_to_each(*columns(points), within)
    assert numbers.tolist() == [0, 1, -1, 0, 1]
    assert metres[:2].tolist() == [about(0.01 * DEGREE_EAST)] * 2


@given(data=st.data())
@with_shipped
def test_many_points_are_covered_as_each_is_alone(shipped, data):
    segments = data.draw(
        st.lists(st.sampled_from(shipped.segments), min_size=20, max_size=40)
    )
    points = [between(segment, data.draw(ALONG)) for segment in segments]
    points += data.draw(st.lists(ANYWHERE, max_size=40))
    alone = [shipped.index.covering(point) for point in points]
    first = shipped.index.first_covering(*columns(points)).tolist()
    assert [shipped.index.codes[n] if n >= 0 else "" for n in first] == [
        codes[0] if codes else "" for codes in alone
    ]
    assert shipped.index.all_covering(*columns(points)) == {
        n: codes for n, codes in enumerate(alone) if codes
    }


@given(
    points=st.lists(st.tuples(ANYWHERE, st.floats(1, 50_000)), max_size=40),
)
@with_shipped
def test_many_points_have_the_nearest_that_each_has_alone(shipped, points):
    uncovered = [(p, within) for p, within in points if not shipped.index.covering(p)]
    within = np.array([limit for _, limit in uncovered])
    found = shipped.index.nearest_to_each(*columns([p for p, _ in uncovered]), within)
    alone = [shipped.index.nearest(p, limit) for p, limit in uncovered]
    assert [
        Near(shipped.index.codes[number], metres) if number >= 0 else None
        for number, metres in zip(*(each.tolist() for each in found), strict=True)
    ] == alone


def test_nothing_is_found_for_none_nor_by_an_empty_index():
    none = np.array([])
    assert SQUARES.first_covering(none, none).tolist() == []
    assert SQUARES.nearest_to_each(none, none, none)[0].tolist() == []
    one, within = columns([Point(-79.95, 8.55)]), np.array([5_000.0])
    empty = BoundaryIndex({})
    assert empty.first_covering(*one).tolist() == [-1]
    assert empty.nearest_to_each(*one, within)[0].tolist() == [-1]
