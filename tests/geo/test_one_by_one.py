"""The cases that are kept one by one, against those that there are."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.cases.deadlines import PANAMA
from backend.cases.heat import FINEST, fold, fold_batch
from backend.cases.models import Case
from backend.cases.workflow import OPEN, RESOLVED
from geo.cells import LEVELS, Box, View, cell_at, view_of
from geo.filters import Filters
from geo.heatmap import FEW_CELLS, by_place, heat, months
from geo.one_by_one import Cases, Row, cases_of, corregimiento_of, keys_in
from geo.periods import Quarters
from provinces.models import Corregimiento
from tests.factories import make_case, make_category
from tests.geo.many import AROUND, TOGETHER, multiply, multiply_over_years, plan_of

pytestmark = pytest.mark.usefixtures("squares")

FROM = datetime(2026, 1, 5, 6, tzinfo=PANAMA)
TO = datetime(2026, 3, 20, 18, tzinfo=PANAMA)
# Of an entity, from one quarter of a day to another: nothing is left to count by hand.
ASKED = Filters(entity="OBRAS", since=FROM, until=TO)


@pytest.fixture
def cases():
    """Of four months, some of them folded, and some that have changed since."""
    multiply(
        make_case(filed_at=FROM),
        600,
        status="(ARRAY['received','closed','rejected'])[1 + n % 3]",
        category_id=f"(ARRAY['PRU-01','{make_category('PRU-02').pk}'])[1 + n % 2]",
        entity_id="CASE WHEN n % 5 = 0 THEN NULL ELSE entity_id END",
        district_id="(ARRAY['9001','9002'])[1 + n % 2]",
        corregimiento_id="CASE WHEN n % 7 > 0 THEN (ARRAY['900101','900201'])[1 + n % 2] END",
        filed_at="filed_at + (n - 50) * interval '4 hours'",
        updated_at="filed_at + interval '1 year'",
        public_location=TOGETHER,
    )
    fold_batch(450)
    old = [case.pk for case in Case.objects.order_by("pk")[:90]]
    Case.objects.filter(pk__in=old[:30]).delete()
    Case.objects.filter(pk__in=old).update(status="resolved")


def those(filters: Filters) -> list[Case]:
    """In Python, whatever the box."""
    statuses = {"open": OPEN, "resolved": RESOLVED}.get(filters.state)
    assert filters.since
    assert filters.until
    return [
        case
        for case in Case.objects.all()
        if (not filters.entity or case.entity_id == filters.entity)
        and (not filters.categories or case.category_id in filters.categories)
        and (case.corregimiento_id or case.district_id).startswith(filters.place)
        and filters.since <= case.filed_at < filters.until
        and (statuses is None or case.status in statuses)
    ]


asked = st.builds(
    Filters,
    state=st.sampled_from(["open", "resolved", "all"]),
    box=st.just(AROUND),
    entity=st.sampled_from(["", "OBRAS", "NADIE"]),
    categories=st.sampled_from([("PRU-01",), ("PRU-02", "PRU-01")]),
    place=st.sampled_from(["", "90", "9001", "900101", "900201"]),
    since=st.sampled_from([FROM, FROM.replace(day=20), FROM.replace(day=1, hour=0)]),
    until=st.sampled_from([TO, TO.replace(day=9, hour=3), TO.replace(month=1)]),
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(filters=asked, zoom=st.sampled_from(LEVELS))
def test_a_part_of_a_month_has_the_cases_that_were_filed_in_it(cases, filters, zoom):
    level = view_of(AROUND, zoom).level
    expected = Counter(
        cell_at(case.public_location.x, case.public_location.y, level)
        for case in those(filters)
        if case.public_location
    )
    told = {
        cell_at(lon, lat, level): weight for lon, lat, weight in heat(filters, zoom)[0]
    }
    assert told == expected


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(filters=asked, box=st.sampled_from([None, AROUND, AROUND._replace(east=-79.9)]))
def test_they_are_counted_by_month_and_by_place_too(cases, filters, box):
    filters = replace(filters, state="all", box=box)
    expected = [case for case in those(filters) if is_in_a_cell_of(box, case)]
    by_month = Counter(
        c.filed_at.astimezone(PANAMA).strftime("%Y-%m") for c in expected
    )
    assert {month.month: sum(month[1:]) for month in months(filters)} == by_month
    for level, digits in (("district", 4), ("corregimiento", 6)):
        codes = [(c.corregimiento_id or c.district_id)[:digits] for c in expected]
        found = {place.code: sum(place[1:]) for place in by_place(filters, level)}
        assert found == Counter(code for code in codes if len(code) == digits)


def is_in_a_cell_of(box: Box | None, case: Case) -> bool:
    """Cells of the size that a box has where months and places are counted."""
    assert case.public_location
    if box is None:
        return True
    view = view_of(box, LEVELS.stop, FEW_CELLS)
    x, y = cell_at(case.public_location.x, case.public_location.y, view.level)
    return view.left <= x <= view.right and view.top <= y <= view.bottom


def test_no_case_is_looked_at_where_quarters_begin_and_end(cases):
    fold()
    with CaptureQueriesContext(connection) as questions:
        found = heat(ASKED, 12)
    assert found.total == len(those(ASKED)) > 100
    (question,) = (query["sql"] for query in questions)
    assert "cases_heatdays" in question
    assert "cases_case" not in question


def test_they_are_found_by_their_days(cases):
    multiply_over_years(make_case(filed_at=FROM))
    fold()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE cases_heatdays")
    plan = plan_of(lambda: heat(replace(ASKED, box=AROUND), 12))
    assert "cases_heatdays_pkey" in plan
    assert "Seq Scan on cases_heatdays" not in plan


def test_a_place_that_there_is_not_has_no_case(squares):
    there = Corregimiento.objects.create(code="900111", district_id="9001", name="Uno")
    make_case(filed_at=FROM)
    Case.objects.update(corregimiento=there)
    fold()
    a_week = replace(ASKED, until=FROM.replace(day=12))
    assert heat(replace(a_week, place="900111"), 12).total == 1
    # The sign's number is that of 1 and a bit more, which the 1 before it has too.
    for place in ("90011±", "900112"):
        nowhere = replace(a_week, place=place)
        assert (heat(nowhere, 12).total, months(nowhere)) == (0, [])


def test_folded_or_not_they_say_the_same(cases):
    before = heat(ASKED, 13)
    fold()
    assert heat(ASKED, 13) == before
    assert before.total > 0


@given(
    quarter=st.integers(0, 123),
    x=st.integers(0, (1 << FINEST + 4) - 1),
    y=st.integers(0, (1 << FINEST + 4) - 1),
    state=st.sampled_from([0, 1, 2]),
    place=st.sampled_from(["9001", "900101", "NT01", "NT01ZZ", "0101A1", "010199"]),
)
def test_a_number_says_what_it_was_made_of(quarter, x, y, state, place):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT number, int8send(number)"
            " FROM cases_heat_number(%s, %s, %s, %s, %s) AS number",
            [quarter, x, y, state, place],
        )
        ((number, sent),) = cursor.fetchall()
    assert place[:4] + corregimiento_of(number) == place
    # Twice, in the second and the third of three rows.
    days = 4 + quarter // 32
    rows = [Row(days, place[:4], several) for several in (b"", sent, sent)]

    def found(quarters: Quarters, place: str = "") -> Cases:
        return cases_of(quarters, rows, Filters(place=place))

    its_own = Quarters(1, quarter, quarter + 1)
    cases = found(its_own)
    assert cases.numbers.tolist() == [number] * 2
    assert cases.row_of_each().tolist() == [1, 2]
    second = cases.that_are(np.array([False, True]))
    assert (second.numbers.tolist(), second.row_of_each().tolist()) == ([number], [2])
    here = View(FINEST, x, y, x, y)
    assert keys_in(here, cases.numbers).tolist() == [keys_in_sql(x, y)] * 2
    for nowhere in (View(FINEST, x + 1, y, x + 9, y), View(FINEST, x, 0, x, y - 1)):
        assert len(keys_in(nowhere, cases.numbers)) == 0
    for name, bits in (("open", 1), ("resolved", 2), ("all", state)):
        assert len(cases.in_state(name)) == 2 * (state == bits)
    for other in ("900101", "NT01ZZ", "0101A1"):
        assert len(found(its_own, other).numbers) == 2 * (place[4:] == other[4:])
    for never in ((1, 0, quarter), (1, quarter + 1, 124), (2, 0, 124)):
        assert len(found(Quarters(*never)).numbers) == 0
    assert number >= 0


def keys_in_sql(x: int, y: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT cases_heat_key(%s, %s, %s)", [FINEST, x, y])
        ((key,),) = cursor.fetchall()
    return int(key)
