"""The WHEREs that the map's questions share, against the same rules in Python."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.cases.models import Case
from backend.cases.workflow import OPEN, RESOLVED, Status
from geo import sql
from geo.filters import STATES, Box, Filters, on_the_map
from geo.tables import case
from tests.factories import (
    EAST,
    WEST,
    make_case,
    make_category,
    make_duty,
    make_entity,
    make_group,
    make_jurisdiction,
)

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def found(filters: Filters) -> set[str]:
    return {
        n for (n,) in sql.rows(sa.select(case.c.number).where(*on_the_map(filters)))
    }


@pytest.fixture
def cases(squares):
    """A few cases of every kind: category, privacy, entity, place, status, time."""
    water = make_duty("water")
    make_jurisdiction(water, make_entity("IDAAN"))
    other = make_group("OTR")
    categories = [
        make_category("PRU-01"),
        make_category("PRU-02", precision="grid", duty=water),
        make_category("OTR-01", precision="none"),
        make_category("OTR-02", precision="none", private=True, duty=water),
        make_category("OTR-03", group=other, duty=water),
    ]
    made = []
    for n in range(60):
        at = (WEST, EAST)[n % 2]
        one = make_case(
            at=(at[0] + n / 2000 - 0.015, at[1] + n % 7 / 1000),
            category=categories[n % 5],
            filed_at=DAY + timedelta(days=n % 10),
        )
        Case.objects.filter(pk=one.pk).update(
            status=list(Status)[n % len(Status)],
            updated_at=one.filed_at + timedelta(days=n % 13),
        )
        made.append(one.pk)
    return list(Case.objects.filter(pk__in=made).select_related("category"))


def is_left(one: Case, filters: Filters) -> bool:
    """What the filters mean, said without SQL."""
    point = one.public_location
    if point is None or one.category.private:
        return False
    statuses = {"open": OPEN, "resolved": RESOLVED, "all": set(Status)}
    box, place = filters.box, filters.place
    return all(
        [
            one.status in statuses[filters.state],
            box is None
            or (box.west <= point.x <= box.east and box.south <= point.y <= box.north),
            not filters.categories or one.category_id in filters.categories,
            not filters.groups or one.category.group_id in filters.groups,
            not filters.entity or one.entity_id == filters.entity,
            not place
            or place in (one.province_id, one.district_id, one.corregimiento_id),
            filters.since is None or one.filed_at >= filters.since,
            filters.until is None or one.filed_at < filters.until,
            filters.changed_since is None or one.updated_at >= filters.changed_since,
        ]
    )


def codes(*values: str):
    return st.lists(st.sampled_from([*values, "NADA"]), max_size=3).map(tuple)


def edges(low: float, high: float):
    """Two numbers in order, none where float32, PostGIS's own box, might round."""
    return st.tuples(st.floats(low, high), st.floats(low, high)).map(sorted)


boxes = st.builds(
    lambda across, up: Box(across[0], up[0], across[1], up[1]),
    edges(-80, -79.8),
    edges(8.5, 8.6),
)
moments = st.none() | st.integers(-1, 25).map(lambda n: DAY + timedelta(days=n))
questions = st.builds(
    Filters,
    state=st.sampled_from(list(STATES)),
    box=st.none() | boxes,
    categories=codes("PRU-01", "PRU-02", "OTR-01", "OTR-02", "OTR-03"),
    groups=codes("PRU", "OTR"),
    entity=st.sampled_from(["", "OBRAS", "IDAAN", "NADA"]),
    place=st.sampled_from(["", "90", "9001", "9002", "900101", "900201", "9099"]),
    since=moments,
    until=moments,
    changed_since=moments,
)


def on_an_edge(one: Case, box: Box | None) -> bool:
    point = one.public_location
    if box is None or point is None:
        return False
    across = min(abs(point.x - edge) for edge in (box.west, box.east))
    up = min(abs(point.y - edge) for edge in (box.south, box.north))
    return min(across, up) < 0.00002


def test_without_filters_all_public_cases_with_a_point_are_left(cases):
    expected = {
        one.number for one in cases if one.category_id in {"PRU-01", "PRU-02", "OTR-03"}
    }
    assert found(Filters()) == expected
    assert len(expected) == 36


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(filters=questions)
def test_filters_leave_what_they_say(cases, filters):
    sure = [one for one in cases if not on_an_edge(one, filters.box)]
    expected = {one.number for one in sure if is_left(one, filters)}
    assert found(filters) & {one.number for one in sure} == expected


@pytest.mark.parametrize(
    "filters",
    [
        Filters(state="open"),
        Filters(state="resolved"),
        Filters(categories=("PRU-01", "PRU-02")),
        Filters(groups=("OTR",)),
        Filters(entity="IDAAN"),
        Filters(place="9001"),
        Filters(box=Box(-80, 8.5, -79.9, 8.6)),
        Filters(since=DAY + timedelta(days=5)),
        Filters(until=DAY + timedelta(days=5)),
        Filters(changed_since=DAY + timedelta(days=15)),
    ],
)
def test_every_filter_leaves_some_and_takes_some(cases, filters):
    left = found(filters)
    assert left == {one.number for one in cases if is_left(one, filters)}
    assert 0 < len(left) < len(found(Filters()))


def test_a_box_is_wide_enough_for_the_whole_earth(cases):
    assert found(Filters(box=Box(-180, -90, 180, 90))) == found(Filters())
    assert found(Filters(box=Box(0, 0, 0, 0))) == set()
