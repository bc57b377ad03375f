"""The cells of the heat, against counting from scratch."""

from collections import Counter
from dataclasses import replace
from datetime import datetime
from itertools import pairwise

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.cases.handling import Transition, change_status
from backend.cases.heat import fold
from backend.cases.heat_anew import rebuild
from backend.cases.models import Case, Category, HeatCell, HeatTile
from backend.cases.workflow import OPEN, RESOLVED, Status
from geo import heatmap
from geo.cells import LEVELS, Box, cell_at, metres
from geo.filters import Filters
from geo.heatmap import by_place, heat, months, version
from tests.factories import EAST, make_case, make_category, make_group
from tests.geo.many import AROUND, TOGETHER, multiply, plan_of

pytestmark = pytest.mark.usefixtures("squares")

ZOOMS = range(4, 19)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.fixture
def cases():
    """Cases of every status all over the territory, some without a public point."""
    one = make_case()
    multiply(
        one,
        400,
        status="(ARRAY['received','assigned','resolved','closed','rejected'])[1 + n % 5]",
        public_location=f"CASE WHEN n % 4 > 0 THEN {TOGETHER} END",
    )
    return list(Case.objects.all())


def level_of(zoom: int) -> int:
    return min(zoom, LEVELS[-1])


def counted(cases: list[Case], zoom: int) -> Counter[tuple[int, int]]:
    points = [case.public_location for case in cases if case.public_location]
    return Counter(cell_at(point.x, point.y, level_of(zoom)) for point in points)


def test_a_cell_holds_the_public_cases_in_it(cases):
    found = heat(Filters(box=AROUND), zoom=12)
    expected = counted(cases, 12)
    assert {cell_at(lon, lat, 12): n for lon, lat, n in found.cells} == expected
    assert found.total == expected.total() == 301
    # A cell's point is its middle: as far from the next cell's as the next from it.
    columns = sorted({lon for lon, *_ in found.cells})
    width = 360 / 16 / 2**12
    assert min(b - a for a, b in pairwise(columns)) == pytest.approx(width, rel=0.02)
    lon, lat, _ = found.cells[0]
    for across, up in ((-0.49, 0), (0.49, 0), (0, -0.48), (0, 0.48)):
        beside = cell_at(lon + across * width, lat + up * width, 12)
        assert beside == cell_at(lon, lat, 12)


@pytest.mark.parametrize("zoom", ZOOMS)
def test_the_sum_is_the_same_at_every_zoom(cases, zoom):
    found = heat(Filters(box=AROUND), zoom)
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
    view = Filters(box=AROUND)
    cells = heat(view, 14).cells
    weights = [weight for *_, weight in cells]
    assert weights == sorted(weights, reverse=True)
    assert cells == heat(view, 14).cells


def test_the_total_counts_also_the_cells_that_are_cut_off(cases, monkeypatch):
    whole = heat(Filters(box=AROUND), 14)
    monkeypatch.setattr(heatmap, "MOST_CELLS", 3)
    cut = heat(Filters(box=AROUND), 14)
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
def test_a_box_counts_all_of_the_cells_that_it_touches(cases, across, up, zoom):
    box = Box(across[0], up[0], across[1], up[1])
    left, top = cell_at(box.west, box.north, level_of(zoom))
    right, bottom = cell_at(box.east, box.south, level_of(zoom))
    touched = Counter(
        {
            (x, y): count
            for (x, y), count in counted(cases, zoom).items()
            if left <= x <= right and top <= y <= bottom
        }
    )
    found = heat(Filters(box=box), zoom)
    assert {
        cell_at(lon, lat, level_of(zoom)): weight for lon, lat, weight in found.cells
    } == touched
    assert found.total == touched.total()


def test_with_nothing_to_count_there_are_no_cells():
    found = heat(Filters(), 8)
    assert (found.cells, found.total) == ([], 0)
    assert found.cell > 0


def test_a_cell_halves_with_every_zoom_down_to_the_finest(cases):
    sizes = [heat(Filters(box=AROUND), zoom).cell for zoom in ZOOMS]
    assert sizes[0] == pytest.approx(154_830, abs=10)
    assert all(
        wide == pytest.approx(2 * narrow, abs=0.2) or wide == narrow == sizes[-1]
        for wide, narrow in pairwise(sizes)
    )
    # 16 pixels of zoom 14, in Panama.
    assert sizes[-1] == sizes[14 - 4] == pytest.approx(151.2, abs=0.1)


def test_a_view_of_too_many_cells_is_told_in_coarser_ones(cases):
    whole = heat(Filters(), 18)
    assert whole.cell == metres(9)
    assert whole.total == 301


def test_a_box_that_is_nowhere_near_has_no_cells(cases):
    assert heat(Filters(box=Box(10, 50, 11, 51)), 10).cells == []
    assert heat(Filters(box=Box(-180, -90, 180, 90)), 10).total == 301
    assert heat(Filters(box=Box(-79.95, -90, -79.9, 90)), 14).total > 0


# ── Months and places ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("folded", [True, False])
def test_of_the_days_at_the_ends_only_the_hours_asked_for_count(folded):
    for hours in ("17T03:00", "17T06:00", "18T12:00", "20T19:59", "20T20:00"):
        make_case(filed_at=at(f"2026-01-{hours}-05:00"))
    if folded:
        fold()
    asked = Filters(
        since=at("2026-01-17T06:00-05:00"), until=at("2026-01-20T20:00-05:00")
    )
    assert heat(asked, 12).total == 3
    assert months(asked) == [("2026-01", 3, 0, 0)]
    assert [place.open for place in by_place(asked, "district")] == [3]


def test_each_month_tells_what_is_open_resolved_or_neither():
    make_case(filed_at=at("2026-01-31T23:30-05:00"))
    make_case(filed_at=at("2026-01-02T10:00-05:00"), status=Status.RESOLVED)
    make_case(filed_at=at("2026-03-01T00:30-05:00"), status=Status.REJECTED)
    expected = [("2026-01", 1, 1, 0), ("2026-03", 0, 0, 1)]
    assert months(Filters()) == expected
    assert months(Filters(box=AROUND)) == expected
    fold()
    assert months(Filters()) == expected
    assert months(Filters(box=AROUND)) == expected
    assert months(Filters(place="9002")) == []
    assert months(Filters(place="900101", entity="OBRAS")) == expected
    # A part of a month is counted by hand.
    late = Filters(
        since=at("2026-01-03T00:00-05:00"), until=at("2026-03-01T00:30-05:00")
    )
    assert months(late) == [("2026-01", 1, 0, 0)]


def test_each_place_tells_what_is_open_resolved_or_neither():
    make_case()
    make_case(status=Status.RESOLVED)
    make_case(at=EAST)
    bare = make_case(at=EAST)
    Case.objects.filter(pk=bare.pk).update(corregimiento=None)
    for _ in range(2):
        assert by_place(Filters(), "province") == [("90", 3, 1, 0)]
        districts = [("9001", 1, 1, 0), ("9002", 2, 0, 0)]
        assert by_place(Filters(), "district") == districts
        assert by_place(Filters(place="90", groups=("PRU",)), "district") == districts
        assert by_place(Filters(box=AROUND), "district") == districts
        assert by_place(Filters(place="9002"), "province") == [("90", 2, 0, 0)]
        # The one in no corregimiento is in none of them.
        corregimientos = [("900101", 1, 1, 0), ("900201", 1, 0, 0)]
        assert by_place(Filters(), "corregimiento") == corregimientos
        fold()


# ── The version ──────────────────────────────────────────────────────────────────────


def test_the_version_is_another_when_the_map_is_and_only_then():
    seen = [version()]
    case = make_case()
    seen.append(version())
    change_status(case, Transition(Status.ASSIGNED), None)
    seen.append(version())
    Case.objects.filter(pk=case.pk).update(corregimiento=None)
    seen.append(version())
    Category.objects.update(group=make_category("PRU-02").group)
    seen.append(version())
    assert len(set(seen)) == len(seen)
    Case.objects.update(place_hint="Frente al parque", version=7)
    assert version() == seen[-1]
    fold()
    assert version() == seen[-1]
    rebuild()
    assert version() not in seen


def test_what_was_emptied_before_anything_was_folded_is_another_version():
    seen = [version()]
    make_case()
    seen.append(version())
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; TRUNCATE cases_case CASCADE")
    seen.append(version())
    make_case()
    seen.append(version())
    assert len(set(seen)) == len(seen)


def test_the_view_is_found_by_the_key():
    multiply(make_case(), 5000)
    fold()
    view = Filters(box=Box(-79.905, 8.545, -79.9, 8.55))
    assert "cases_heattile_pkey" in plan_of(lambda: heat(view, 16))
    of_two_things = replace(view, place="90", entity="OBRAS")
    assert "cases_heatcell_pkey" in plan_of(lambda: heat(of_two_things, 16))


def test_a_group_is_one_row_a_cell_until_a_category_leaves_it():
    other = make_group("OTR")
    for code in ("PRU-01", "PRU-02"):
        make_case(category=make_category(code))
    make_case(category=make_category("OTR-01", group=other))
    fold()
    group = Filters(groups=("PRU",))
    since = replace(group, since=at("2020-01-01T00:00-05:00"))
    # An entity's are told by its categories,
    assert heat(replace(since, entity="OBRAS"), 12).total == 2
    assert heat(replace(since, entity="NADIE"), 12).total == 0
    # and what is told of the group does not need what is told of those.
    HeatTile.objects.filter(facet__startswith="c/").delete()
    HeatCell.objects.filter(facet__startswith="c/").delete()
    assert (heat(group, 12).total, heat(since, 12).total) == (2, 2)
    both = replace(group, groups=("PRU", "OTR"))
    assert (heat(both, 12).total, months(both)[0].open) == (3, 3)
    # Then it does: of both groups, and of no other.
    Category.objects.filter(code="PRU-02").update(group=other)
    assert (heat(group, 12).total, heat(both, 12).total) == (0, 0)
    rebuild()
    assert (heat(group, 12).total, heat(both, 12).total) == (1, 3)
