"""The heat, after whatever happened to the cases, against counting them one by one."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.gis.geos import Point
from django.db import transaction
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from backend.cases.deadlines import PANAMA
from backend.cases.heat import fold, fold_batch
from backend.cases.heat_anew import rebuild
from backend.cases.models import Case, Category
from backend.cases.workflow import OPEN, RESOLVED, Status
from geo.cells import LEVELS, Box, View, cell_at, metres
from geo.filters import Filters
from geo.heatmap import DIGITS, by_place, heat, months
from tests.factories import make_category, make_entity, make_group, make_territory
from tests.geo.many import AROUND

LONGITUDES = [-79.99, -79.9512, -79.95, -79.81]
LATITUDES = [8.51, 8.5501, 8.59]
CATEGORIES = ["PRU-01", "PRU-02", "OTR-01"]
ENTITIES = ["OBRAS", "AGUAS", None]
PLACES = [("9001", "900101"), ("9001", None), ("9002", "900201")]
MOMENTS = [
    datetime(2025, 12, 31, 23, 59, 59, tzinfo=PANAMA),
    datetime(2026, 1, 1, tzinfo=PANAMA),
    datetime(2026, 1, 17, 3, tzinfo=PANAMA),
    datetime(2026, 1, 17, 6, tzinfo=PANAMA),
    datetime(2026, 1, 17, 12, tzinfo=PANAMA),
    datetime(2026, 1, 20, tzinfo=PANAMA),
    datetime(2026, 1, 20, 20, tzinfo=PANAMA),
    datetime(2026, 3, 31, 23, tzinfo=PANAMA),
    datetime(2026, 4, 1, tzinfo=PANAMA),
]
numbers = count(1)

fields = st.fixed_dictionaries(
    {
        "longitude": st.sampled_from(LONGITUDES),
        "latitude": st.sampled_from(LATITUDES),
        "category": st.sampled_from(CATEGORIES),
        "entity": st.sampled_from(ENTITIES),
        "place": st.sampled_from(PLACES),
        "filed_at": st.sampled_from(MOMENTS),
        "status": st.sampled_from(list(Status)),
        "is_public": st.sampled_from([True, True, True, False]),
    }
)
# Which of the cases there are: many numbers fall on each.
which = st.integers(0, 20)
steps = st.one_of(
    st.tuples(st.just("file"), st.lists(fields, min_size=1, max_size=6)),
    st.tuples(st.just("change"), which, fields),
    st.tuples(st.just("change all"), fields, st.sampled_from(["status", "entity_id"])),
    st.tuples(st.just("describe"), which),
    st.tuples(st.just("delete"), which),
    st.tuples(st.just("undo"), which, fields),
    st.tuples(st.just("fold some"), st.integers(1, 4)),
    st.tuples(st.just("fold")),
    st.tuples(st.just("rebuild")),
    st.tuples(st.just("regroup"), st.sampled_from(["PRU", "OTR"])),
)
filters = st.builds(
    Filters,
    state=st.sampled_from(["open", "resolved", "all"]),
    box=st.sampled_from([None, AROUND, Box(-79.96, 8.54, -79.94, 8.6)]),
    categories=st.sampled_from([(), ("PRU-01",), ("OTR-01", "PRU-02")]),
    groups=st.sampled_from([(), ("PRU",), ("OTR", "PRU")]),
    entity=st.sampled_from(["", "OBRAS", "AGUAS"]),
    place=st.sampled_from(["", "90", "9001", "900101", "900201"]),
    since=st.sampled_from([None, *MOMENTS]),
    until=st.sampled_from([None, *MOMENTS]),
)


@pytest.fixture
def scene(db):
    make_territory()
    make_entity("AGUAS")
    other = make_group("OTR")
    make_category("PRU-01")
    make_category("PRU-02")
    make_category("OTR-01", group=other)


def row(said: dict[str, Any]) -> dict[str, Any]:
    point = Point(said["longitude"], said["latitude"], srid=4326)
    district, corregimiento = said["place"]
    return {
        "location": point,
        "public_location": point if said["is_public"] else None,
        "is_public": said["is_public"],
        "category_id": said["category"],
        "entity_id": said["entity"],
        "province_id": "90",
        "district_id": district,
        "corregimiento_id": corregimiento,
        "filed_at": said["filed_at"],
        "updated_at": said["filed_at"] + timedelta(hours=1),
        "due_at": said["filed_at"],
        "status": said["status"],
    }


def new(said: dict[str, Any]) -> Case:
    return Case(
        number=f"P{next(numbers)}",
        report_id=uuid4(),
        act="complaint",
        **row(said),
    )


def take(step: tuple[Any, ...]) -> None:
    """One thing that happens, in one transaction."""
    match step:
        case ("file", several):
            Case.objects.bulk_create([new(said) for said in several])
        case ("change all", said, name):
            Case.objects.update(**{name: row(said)[name]})
        case ("fold some", most):
            fold_batch(most)
        case ("fold",):
            fold()
        case ("rebuild",):
            rebuild()
        case ("regroup", group):
            Category.objects.filter(code="PRU-02").update(group=group)
        case (what, index, *said):
            take_with_one(what, index, *said)


def take_with_one(what: str, index: int, said: dict[str, Any] | None = None) -> None:
    """What happens to one of the cases that there are, if there are any."""
    cases = Case.objects.order_by("pk")
    if not cases:
        return
    one = Case.objects.filter(pk=cases[index % len(cases)].pk)
    match what:
        case "change":
            one.update(**row(said or {}))
        case "describe":
            one.update(description="Otra")
        case "delete":
            one.delete()
        case "undo":
            with suppress(Undone), transaction.atomic():
                one.delete()
                new(said or {}).save()
                raise Undone


class Undone(Exception):
    pass


def counted_by_hand(asked: Filters, view: View | None) -> list[Case]:
    """The public cases that the filters leave, in Python; `view` instead of their box."""
    found = Case.objects.select_related("category").filter(
        is_public=True, public_location__isnull=False
    )
    return [
        case
        for case in found
        if (not asked.categories or case.category_id in asked.categories)
        and (not asked.groups or case.category.group_id in asked.groups)
        and (not asked.entity or case.entity_id == asked.entity)
        and (case.corregimiento_id or case.district_id).startswith(asked.place)
        and (not asked.since or case.filed_at >= asked.since)
        and (not asked.until or case.filed_at < asked.until)
        and (view is None or is_in(case, view))
    ]


def is_in(case: Case, view: View) -> bool:
    assert case.public_location
    x, y = cell_at(case.public_location.x, case.public_location.y, view.level)
    return view.left <= x <= view.right and view.top <= y <= view.bottom


def check_heat(asked: Filters, zoom: int) -> None:
    found = heat(asked, zoom)
    level = level_of(found.cell)
    view = View.of_box(asked.box, level) if asked.box else None
    states = {"open": OPEN, "resolved": RESOLVED, "all": set(Status)}[asked.state]
    expected = Counter(
        cell_at(case.public_location.x, case.public_location.y, level)
        for case in counted_by_hand(asked, view)
        if case.status in states and case.public_location
    )
    told = {cell_at(lon, lat, level): weight for lon, lat, weight in found.cells}
    assert told == expected
    assert found.total == expected.total()


def level_of(side: float) -> int:
    return min(LEVELS, key=lambda level: abs(metres(level) - side))


def states_of(cases: list[Case]) -> tuple[int, int, int]:
    is_open = sum(case.status in OPEN for case in cases)
    is_resolved = sum(case.status in RESOLVED for case in cases)
    return is_open, is_resolved, len(cases) - is_open - is_resolved


def check_months(asked: Filters) -> None:
    by_month: dict[str, list[Case]] = {}
    for case in counted_by_hand(asked, None):
        month = case.filed_at.astimezone(PANAMA).strftime("%Y-%m")
        by_month.setdefault(month, []).append(case)
    told = [(month, *states_of(cases)) for month, cases in sorted(by_month.items())]
    assert months(asked) == told


def check_places(asked: Filters, level: str) -> None:
    by_code: dict[str, list[Case]] = {}
    for case in counted_by_hand(asked, None):
        code = (case.corregimiento_id or case.district_id)[: DIGITS[level]]
        if len(code) == DIGITS[level]:
            by_code.setdefault(code, []).append(case)
    told = [(code, *states_of(cases)) for code, cases in sorted(by_code.items())]
    assert by_place(asked, level) == told


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    happened=st.lists(steps, min_size=1, max_size=12),
    asked=st.lists(filters, min_size=3, max_size=3),
    zoom=st.integers(4, 18),
    level=st.sampled_from(list(DIGITS)),
)
def test_whatever_happens_the_heat_is_what_counting_says(
    scene, happened, asked, zoom, level
):
    with suppress(Undone), transaction.atomic():
        for step in happened:
            take(step)
            event(str(step[0]))
        for one in [Filters(), *asked]:
            check_heat(one, zoom)
            whole = Filters(**{**vars(one), "box": None})
            check_months(whole)
            check_places(whole, level)
        # And the months and places of a box are those of its cells.
        boxed = Filters(**{**vars(asked[0]), "box": AROUND})
        fine = [sum(month[1:]) for month in months(boxed)]
        assert sum(fine) == sum(sum(p[1:]) for p in by_place(boxed, "province"))
        raise Undone
