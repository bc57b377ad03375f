"""The cells of cases that are counted one by one are those that the heat counts in."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import func

from backend.cases.deadlines import PANAMA
from backend.cases.heat import FINEST, fold
from geo import sql
from geo.any_view import ANY_VIEW, numbers_of
from geo.by_hand import cell_of
from geo.cells import COUNTRY, Box, View, view_of
from geo.filters import Filters
from geo.heatmap import heat
from tests.factories import make_case
from tests.geo.many import AROUND, multiply, plan_of

IN_THE_CAPITAL = Box(-79.56, 8.95, -79.44, 9.07)
SIX = 1e-6  # what a public point is rounded to, in degrees


def cells_of(points: list[tuple[float, float]], view: View) -> list[tuple[int, ...]]:
    """By comparing, and as the heat numbers them: column and row, twice."""
    doubles: sa.ARRAY[float] = sa.ARRAY(sa.Double())
    places = func.unnest(
        sa.literal([lon for lon, _ in points], doubles),
        sa.literal([lat for _, lat in points], doubles),
    ).table_valued("lon", "lat")
    place = places.render_derived(name="places")
    point = func.ST_SetSRID(func.ST_MakePoint(place.c.lon, place.c.lat), 4326)
    finest = (func.cases_heat_x(point), func.cases_heat_y(point))
    coarser = (number.op(">>")(ANY_VIEW.coarser) for number in finest)
    return sql.rows(
        sa.select(*cell_of(point, ANY_VIEW), *coarser).select_from(place),
        **numbers_of(view),
    )


@pytest.mark.parametrize("level", [4, 7, 11, FINEST])
def test_a_point_is_in_the_cell_that_the_heat_counts_it_in(db, level):
    draw = random.Random(level)  # noqa: S311 - places, no secret
    view = view_of(COUNTRY if level < 9 else IN_THE_CAPITAL, level)
    assert view.level == level
    west, south, east, north = view.box()
    points = [
        (round(draw.uniform(west, east), 6), round(draw.uniform(south, north), 6))
        for _ in range(2_000)
    ]
    found = cells_of(points, view)
    assert len({(x, y) for x, y, _, _ in found}) > 3
    assert all((x, y) == (heat_x, heat_y) for x, y, heat_x, heat_y in found)


def test_next_to_the_line_between_two_rows_a_point_is_on_its_own_side(db):
    view = view_of(Box(-79.9, 8.7, -79.8, 9.3), FINEST)
    southernmost, edges = view.edges()
    lines = [round(edge, 6) + off for edge in edges[1:-1] for off in (-SIX, 0.0, SIX)]
    found = cells_of([(-79.85, round(line, 6)) for line in lines], view)
    assert [y for _, y, _, _ in found] == [y for _, _, _, y in found]
    assert {y for _, y, _, _ in found} == set(range(view.top, southernmost + 1))


def test_what_lies_beyond_panama_counts_in_the_next_row(db):
    view = view_of(None, 4)
    country = View.of_box(COUNTRY, 4)
    ((_, south, _, _), (_, north, _, _)) = cells_of([(-80, -40), (-80, 60)], view)
    assert (south, north) == (country.bottom + 1, country.top - 1)
    assert view.top <= north < south <= view.bottom


def test_cases_of_a_few_hours_are_found_by_their_times_whatever_else_is_asked(squares):
    since = datetime(2026, 1, 5, 7, tzinfo=PANAMA)
    multiply(
        make_case(filed_at=since),
        4000,
        filed_at="filed_at + n * interval '20 minutes'",
        updated_at="filed_at + interval '1 year'",
        # So few that their own index would seem the shorter way.
        entity_id="CASE WHEN n % 1000 = 3 THEN entity_id END",
    )
    fold()
    two_hours = Filters(
        entity="OBRAS", box=AROUND, since=since, until=since + timedelta(hours=2)
    )
    assert heat(two_hours, 12).total == 2
    plan = plan_of(lambda: heat(two_hours, 12))
    assert "cases_by_filing" in plan
    assert "entity_id_" not in plan
