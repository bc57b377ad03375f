"""All cases of a part of a month, tile by tile, against a count of them one by one."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.cases.deadlines import PANAMA
from backend.cases.heat import fold
from geo.by_tile import TileRow, counts_in_tiles, is_of_all
from geo.filters import Filters
from geo.heatmap import heat
from geo.periods import Quarters
from tests.factories import make_case, make_territory
from tests.geo.many import AROUND, multiply_over_years, plan_of

STATES = ("open", "resolved", "all")
MONTH = 600


def number(quarter: int, state: int, cell: int) -> bytes:
    """As `HeatTileDays` says it."""
    return (quarter % 32 << 10 | state << 8 | cell).to_bytes(2, "big")


def told(part: Quarters, rows: list[TileRow]) -> dict[int, list[int]]:
    sums: dict[int, list[int]] = {}
    for keys, weights in counts_in_tiles(part, rows, STATES):
        for key, several in zip(keys.tolist(), weights.T.tolist(), strict=True):
            before = sums.get(key, [0, 0, 0])
            sums[key] = [a + b for a, b in zip(before, several, strict=True)]
    return sums


def test_each_case_counts_in_its_cell_and_its_state():
    first = [number(0, 1, 7), number(3, 0, 7), number(31, 2, 255)]
    rows = [
        TileRow(MONTH * 4, 5, b"".join(first)),
        TileRow(MONTH * 4 + 1, 6, number(32, 1, 0)),
    ]
    part = Quarters(MONTH, 0, 40)
    assert told(part, rows) == {
        5 * 256 + 7: [1, 0, 2],
        5 * 256 + 255: [0, 1, 1],
        6 * 256: [1, 0, 1],
    }
    assert told(part._replace(first=3, sign=-1), rows) == {
        5 * 256 + 7: [0, 0, -1],
        5 * 256 + 255: [0, -1, -1],
        6 * 256: [-1, 0, -1],
    }
    assert told(Quarters(MONTH + 1, 0, 40), rows) == {}


cases = st.tuples(st.integers(0, 123), st.sampled_from([0, 1, 2]), st.integers(0, 255))


@given(
    tiles=st.dictionaries(st.integers(0, 9), st.lists(cases, max_size=20), max_size=4),
    first=st.integers(0, 123),
    long=st.integers(1, 124),
)
def test_whichever_quarters_are_asked_for_none_is_missed_or_told_twice(
    tiles, first, long
):
    end = min(first + long, 124)
    rows, expected = [], Counter[int]()
    for tile, several in tiles.items():
        for eight in range(4):
            of_days = [case for case in sorted(several) if case[0] // 32 == eight]
            kept = b"".join(number(*case) for case in of_days)
            if kept:
                rows.append(TileRow(MONTH * 4 + eight, tile, kept))
        expected.update(tile * 256 + cell for q, _, cell in several if first <= q < end)
    found = told(Quarters(MONTH, first, end), rows)
    assert {key: counts[2] for key, counts in found.items()} == expected


@pytest.mark.parametrize(
    "more", [{"place": "90"}, {"entity": "OBRAS"}, {"categories": ("PRU-01",)}]
)
def test_they_are_all_cases_and_of_no_place(more):
    assert is_of_all(Filters(state="open", box=AROUND))
    assert not is_of_all(replace(Filters(), **more))


def test_they_are_found_by_their_tiles(db):
    make_territory()
    multiply_over_years(make_case(filed_at=datetime(2020, 1, 1, tzinfo=PANAMA)))
    fold()
    times = (datetime(2020, 1, 5, tzinfo=PANAMA), datetime(2020, 2, 9, tzinfo=PANAMA))
    asked = Filters(box=AROUND, since=times[0], until=times[1])
    assert heat(asked, 14).total == 70
    plan = plan_of(lambda: heat(asked, 14))
    assert "cases_heattiledays_pkey" in plan
    for table in ("cases_heattiledays", "cases_case"):
        assert f"Seq Scan on {table}" not in plan
