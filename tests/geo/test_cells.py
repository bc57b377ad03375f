"""The grid: keys, ranges of them, and tiles, as the database numbers them too."""

from __future__ import annotations

import numpy as np
import pytest
from django.contrib.gis.db.models import Extent
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from geo.cells import (
    COUNTRY,
    LEVELS,
    Box,
    View,
    cell_at,
    corner,
    middles,
    of_keys,
    view_of,
)
from provinces.models import Boundary, Level

in_the_country = st.tuples(
    st.floats(COUNTRY.west, COUNTRY.east), st.floats(COUNTRY.south, COUNTRY.north)
)


def key_of(x: int, y: int, level: int) -> int:
    return (((y // 16 << level) + x // 16) << 8) + y % 16 * 16 + x % 16


@given(at=in_the_country, level=st.sampled_from(LEVELS))
def test_a_key_tells_its_cell_and_a_cell_its_point(at, level):
    x, y = cell_at(at[0], at[1], level)
    columns, rows = of_keys(np.array([key_of(x, y, level)]), level)
    assert (*columns, *rows) == (x, y)
    west, north = corner(x, y, level)
    east, south = corner(x + 1, y + 1, level)
    assert west <= at[0] <= east
    assert south - 1e-9 <= at[1] <= north + 1e-9
    [longitude], [latitude] = middles(np.array([key_of(x, y, level)]), level)
    hundredth = (east - west) / 100
    assert longitude == pytest.approx((west + east) / 2, abs=hundredth)
    assert latitude == pytest.approx((south + north) / 2, abs=hundredth)


@given(one=in_the_country, other=in_the_country, zoom=st.integers(4, 18))
def test_the_keys_of_every_cell_in_a_view_are_in_its_ranges(one, other, zoom):
    (west, east), (south, north) = (
        sorted((one[0], other[0])),
        sorted((one[1], other[1])),
    )
    view = view_of(Box(west, south, east, north), zoom)
    assert view.size <= 16_384
    ranges = view.key_ranges()
    for x, y in {
        (view.left, view.top),
        (view.right, view.top),
        (view.left, view.bottom),
        (view.right, view.bottom),
        ((view.left + view.right) // 2, (view.top + view.bottom) // 2),
    }:
        key = key_of(x, y, view.level)
        assert any(first <= key <= last for first, last in ranges)
    # And they hold no more than the tiles around.
    tiles_across = view.right // 16 - view.left // 16 + 1
    assert all(last - first + 1 == tiles_across * 256 for first, last in ranges)


def test_all_around_the_world_is_one_range():
    assert view_of(None, 9).key_ranges() == [(0, 2**9 * 2**9 * 256 - 1)]


def test_between_the_rows_of_a_view_are_its_edges():
    view = view_of(Box(-79.9, 8.7, -79.2, 9.3), 12)
    southernmost, edges = view.edges()
    assert southernmost == view.bottom
    assert edges == sorted(edges)
    assert len(edges) == view.bottom - view.top + 2
    outer = (view.box().south, view.box().north)
    assert (edges[0], edges[-1]) == pytest.approx(outer)


def test_a_view_of_nothing_has_nothing_between_rows():
    _, edges = view_of(Box(10, 10, 20, 20), 12).edges()
    assert len(edges) <= 1


@pytest.mark.parametrize(
    ("zoom", "side"), [(0, 256), (4, 16), (14, 16), (16, 4), (18, 1)]
)
def test_a_tile_has_a_part_of_the_cells(zoom, side):
    view = View.of_tile(zoom, 0, 0)
    assert (view.right + 1, view.bottom + 1) == (side, side)


def test_the_database_numbers_the_cells_alike(db):
    points = [(-79.5408, 8.9536), (-83.0, 8.2), (-77.2, 7.3), (-80.0, 8.5), (0.0, 0.0)]
    for at in points:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT cases_heat_x(p), cases_heat_y(p),"
                " cases_heat_key(14, cases_heat_x(p), cases_heat_y(p))"
                " FROM ST_SetSRID(ST_MakePoint(%s, %s), 4326) AS p",
                at,
            )
            x, y, key = cursor.fetchone()
        assert (x, y) == cell_at(*at, 14)
        assert key == key_of(x, y, 14)


def test_the_country_holds_all_of_its_places(db):
    places = Boundary.objects.exclude(level=Level.ABROAD)
    west, south, east, north = places.aggregate(box=Extent("outline"))["box"]
    assert COUNTRY.west < west < east < COUNTRY.east
    assert COUNTRY.south < south < north < COUNTRY.north
