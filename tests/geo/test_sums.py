"""The cells of all times by tile, against the same cells one by one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.cases.deadlines import PANAMA
from backend.cases.heat import fold, fold_batch
from backend.cases.models import Case
from geo import sql
from geo.any_view import numbers_of, wherever
from geo.cells import Box, view_of
from geo.filters import STATES, Filters
from geo.sums import (
    Sums,
    added,
    are_told_by_tile,
    numbers_in,
    sums_in,
    sums_of,
    told_by_cell,
)
from tests.factories import make_case, make_category
from tests.geo.many import AROUND, TOGETHER, multiply

pytestmark = pytest.mark.usefixtures("squares")

NEW_YEAR = datetime(2026, 1, 1, tzinfo=PANAMA)


@pytest.fixture
def cases():
    """Some of them folded, some not, and some of those that were have changed since."""
    one = make_case()
    multiply(
        one,
        400,
        status="(ARRAY['received','closed','rejected'])[1 + n % 3]",
        category_id=f"(ARRAY['PRU-01','{make_category('PRU-02').pk}'])[1 + n % 2]",
        entity_id="CASE WHEN n % 5 = 0 THEN NULL ELSE entity_id END",
        district_id="(ARRAY['9001','9002'])[1 + n % 2]",
        corregimiento_id="CASE WHEN n % 7 > 0 THEN (ARRAY['900101','900201'])[1 + n % 2] END",
        public_location=TOGETHER,
    )
    fold_batch(300)
    old = Case.objects.order_by("pk")[:60]
    Case.objects.filter(pk__in=[case.pk for case in old[:30]]).delete()
    Case.objects.filter(pk__in=[case.pk for case in old]).update(status="resolved")


def told(sums: Sums) -> dict[int, list[int]]:
    keys, weights = sums.keys.tolist(), sums.weights.T.tolist()
    assert keys == sorted(set(keys))
    return dict(zip(keys, weights, strict=True))


asked = (
    st.builds(
        Filters,
        state=st.sampled_from(list(STATES)),
        box=st.none()
        | st.tuples(st.floats(-80.1, -79.9), st.floats(8.4, 8.55)).map(
            lambda at: Box(at[0], at[1], at[0] + 0.15, at[1] + 0.1)
        ),
        categories=st.sampled_from([(), ("PRU-01",), ("PRU-02", "PRU-01"), ("NADA",)]),
        groups=st.sampled_from([(), ("PRU",), ("NADA",)]),
    )
    | st.builds(
        Filters,
        state=st.sampled_from(list(STATES)),
        entity=st.sampled_from(["OBRAS", "NADIE"]),
    )
    | st.builds(
        Filters,
        state=st.sampled_from(list(STATES)),
        box=st.sampled_from([None, AROUND]),
        place=st.sampled_from(["90", "9001", "9002", "900101", "900201", "91"]),
    )
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(filters=asked, zoom=st.integers(4, 18))
def test_tiles_say_what_their_cells_say(cases, filters, zoom):
    assert are_told_by_tile(filters)
    view = view_of(filters.box, zoom)
    states = (filters.state, *STATES)
    statement, parts = told_by_cell(wherever(filters), states)
    cells = sql.rows_in_binary(statement, **numbers_of(view))
    one_by_one = added(sums_of(cells, filters, view, states, parts), view, states)
    assert told(sums_in(filters, view, *states)) == told(one_by_one)


def test_folded_or_not_they_say_the_same(cases):
    filters = Filters(box=AROUND, state="resolved")
    view = view_of(AROUND, 13)
    before = told(sums_in(filters, view, "resolved", "all"))
    fold()
    assert told(sums_in(filters, view, "resolved", "all")) == before != {}


def test_a_cell_from_which_the_last_case_has_gone_is_none():
    case = make_case()
    fold()
    view = view_of(AROUND, 13)
    assert list(told(sums_in(Filters(box=AROUND), view, "all")).values()) == [[1]]
    case.delete()
    assert told(sums_in(Filters(box=AROUND), view, "all")) == {}


def test_with_nothing_to_count_there_are_none():
    keys, weights = sums_in(Filters(box=AROUND), view_of(AROUND, 13), *STATES)
    assert (keys.tolist(), weights.tolist()) == ([], [[], [], []])
    assert keys.dtype == weights.dtype == np.int64


@pytest.mark.parametrize(
    "more",
    [
        {"since": NEW_YEAR},
        {"until": NEW_YEAR},
        {"changed_since": NEW_YEAR},
        {"place": "90", "categories": ("PRU-01",)},
        {"place": "90", "entity": "OBRAS"},
        {"entity": "OBRAS", "categories": ("PRU-01",)},
        {"entity": "OBRAS", "groups": ("PRU",)},
    ],
    ids=lambda more: "+".join(more),
)
def test_what_tiles_do_not_tell_apart_is_not_asked_of_them(more):
    assert not are_told_by_tile(replace(Filters(box=AROUND), **more))


@pytest.mark.parametrize(
    ("kind", "size"), [("smallint", 2), ("integer", 4), ("bigint", 8)]
)
def test_an_array_is_read_as_postgresql_sends_it(kind, size):
    edge = 2 ** (8 * size - 1)
    numbers = [0, 1, -1, 311, edge - 1, -edge]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT array_send(%s::{kind}[])", [numbers])
        ((array,),) = cursor.fetchall()
    assert numbers_in(array, size).tolist() == numbers
