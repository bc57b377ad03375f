"""The cells of the heat, against counting from scratch."""

from collections import Counter
from itertools import pairwise
from math import floor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.cases.models import Case
from backend.cases.workflow import OPEN, RESOLVED, Status
from geo import heatmap
from geo.filters import Box, Filters
from geo.heatmap import FINEST_DEGREES, cell_size, heat
from tests.factories import make_case, make_category
from tests.geo.many import multiply, plan_of

pytestmark = pytest.mark.usefixtures("squares")

ZOOMS = range(4, 19)


@pytest.fixture
def cases():
    """Cases of every status all over the territory, some without a public point."""
    one = make_case()
    multiply(
        one,
        400,
        status="(ARRAY['received','assigned','resolved','closed','rejected'])[1 + n % 5]",
        public_location=f"CASE WHEN n % 4 > 0 THEN {spread('n')} END",
    )
    return list(Case.objects.all())


def spread(n: str) -> str:
    """Some of them together, so that a cell may hold several."""
    return f"ST_SetSRID(ST_MakePoint(-80 + {n} % 37 / 185.0, 8.5 + {n} % 11 / 110.0), 4326)"


def counted(cases: list[Case], zoom: int) -> Counter[tuple[int, int]]:
    size = cell_size(zoom)
    points = [case.public_location for case in cases if case.public_location]
    return Counter((floor(point.x / size), floor(point.y / size)) for point in points)


def test_a_cell_holds_the_public_cases_in_it(cases):
    found = heat(Filters(), zoom=12)
    size = cell_size(12)
    expected = counted(cases, 12)
    assert {
        (floor(lon / size), floor(lat / size)): weight
        for lon, lat, weight in found.cells
    } == expected
    assert found.total == expected.total() == 301
    # A cell's point is its middle.
    for lon, lat, _ in found.cells:
        assert lon / size % 1 == pytest.approx(0.5, abs=0.001)
        assert lat / size % 1 == pytest.approx(0.5, abs=0.001)


@pytest.mark.parametrize("zoom", ZOOMS)
def test_the_sum_is_the_same_at_every_zoom(cases, zoom):
    found = heat(Filters(), zoom)
    assert sorted(weight for *_, weight in found.cells) == sorted(
        counted(cases, zoom).values()
    )
    assert sum(weight for *_, weight in found.cells) == found.total == 301


@pytest.mark.parametrize(
    ("state", "statuses"),
    [("open", OPEN), ("resolved", RESOLVED), ("all", set(Status))],
)
def test_open_resolved_and_all_are_counted_apart(cases, state, statuses):
    expected = [
        case for case in cases if case.status in statuses and case.public_location
    ]
    assert heat(Filters(state=state), 10).total == len(expected) > 0


def test_cells_come_densest_first_and_always_in_the_same_order(cases):
    cells = heat(Filters(), 14).cells
    assert cells == sorted(cells, key=lambda cell: (-cell[2], cell[0], cell[1]))
    assert cells == heat(Filters(), 14).cells


def test_the_total_counts_also_the_cells_that_are_cut_off(cases, monkeypatch):
    whole = heat(Filters(), 14)
    monkeypatch.setattr(heatmap, "MOST_CELLS", 3)
    cut = heat(Filters(), 14)
    assert cut.cells == whole.cells[:3]
    assert cut.total == whole.total > sum(weight for *_, weight in cut.cells)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    across=st.tuples(st.floats(-80, -79.8), st.floats(-80, -79.8)).map(sorted),
    up=st.tuples(st.floats(8.5, 8.6), st.floats(8.5, 8.6)).map(sorted),
    zoom=st.sampled_from(ZOOMS),
)
def test_a_box_counts_what_is_in_it(cases, across, up, zoom):
    box = Box(across[0], up[0], across[1], up[1])
    points = [case.public_location for case in cases if case.public_location]
    # PostGIS keeps boxes in float32: on an edge, either answer will do.
    least = sum(inside(point, box, -0.00002) for point in points)
    most = sum(inside(point, box, 0.00002) for point in points)
    assert least <= heat(Filters(box=box), zoom).total <= most


def inside(point, box: Box, margin: float):
    return (
        box.west - margin <= point.x <= box.east + margin
        and box.south - margin <= point.y <= box.north + margin
    )


def test_with_nothing_to_count_there_are_no_cells():
    found = heat(Filters(), 8)
    assert (found.cells, found.total) == ([], 0)
    assert found.cell > 0


def test_a_cell_halves_with_every_zoom_down_to_the_public_grid():
    sizes = [cell_size(zoom) for zoom in ZOOMS]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == 360 / 16 / 16
    assert all(
        wide == 2 * narrow or narrow == FINEST_DEGREES
        for wide, narrow in pairwise(sizes)
    )
    assert sizes[-1] == FINEST_DEGREES
    # 98.4 m from west to east in Panama.
    assert heat(Filters(), 18).cell == pytest.approx(99, abs=0.5)


def test_cases_on_the_public_grid_do_not_straddle_the_finest_cells():
    grid = make_category("PRU-02", precision="grid")
    for n in range(20):
        make_case(at=(-79.95 + n * 0.00041, 8.55 + n * 0.00037), category=grid)
    # Half way into a cell: far from any edge that a rounding could move it over.
    shapes = Case.objects.values_list("public_location", flat=True)
    points = {shape.coords for shape in shapes if shape}
    for point in points:
        for degrees in point:
            assert degrees / FINEST_DEGREES % 1 == pytest.approx(0.5, abs=0.01)
    cells = heat(Filters(), 18).cells
    assert {(lon, lat) for lon, lat, _ in cells} == points


def test_the_view_is_found_by_the_index():
    multiply(make_case(), 5000)
    view = Filters(box=Box(-79.905, 8.545, -79.9, 8.55))
    assert "public_cases_by_place" in plan_of(lambda: heat(view, 16))
