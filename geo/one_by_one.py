"""The cases of a part of a month, one by one (see `HeatDays`).

Whole months are counted beforehand. Of parts there would be too many to count: their cases
come as bytes, some rows of a district's eight days, and numpy counts them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from backend.cases.heat import FINEST
from backend.cases.heat_days import NUMBER, SIDE, X, Y
from geo.any_view import AnyView, Where
from geo.cells import View, keys_of
from geo.columns import Columns, of_place, shifted, smallint
from geo.facets import facets, of_entity
from geo.filters import Filters
from geo.periods import Quarters
from geo.tables import heat_days

Numbers = NDArray[np.int64]
Cells = NDArray[np.int32]
# How many bits come after what a number says, and which those are.
QUARTER = 52
STATE, STATES = 14, {"open": 1, "resolved": 2}
CORREGIMIENTO = (1 << STATE) - 1
# Digits of a district's code.
DISTRICT = 4


class Row(NamedTuple):
    """A row that was found."""

    days: int
    district: str
    cases: bytes


# ── Found ────────────────────────────────────────────────────────────────────────────


def rows_of(filters: Filters, where: Where, parts: list[Quarters]) -> sa.Subquery:
    """`Row`, for all that may have cases of these parts, or in the view: and others."""
    wanted, kinds = days_of(parts), facets(filters)
    district = heat_days.c.district
    conditions = [
        heat_days.c.days == wanted.c.of_days,
        heat_days.c.facet == kinds.c.facet,
        *of_entity(heat_days, filters),
    ]
    if filters.place:
        conditions.append(of_place(district, filters.place[:DISTRICT]))
    if not isinstance(where, int):
        conditions += may_be_inside(where)
    # A loop, as `found_cells` tells it.
    found = sa.select(heat_days.c.days, district, heat_days.c.cases).where(*conditions)
    rows = found.offset(0).lateral("some")
    source = wanted.join(kinds, sa.true()).join(rows, sa.true())
    return sa.select(*rows.c).select_from(source).subquery("parts")


def days_of(parts: list[Quarters]) -> sa.Values:
    """Which eight days have some of these quarters: `of_days`."""
    # Named like no parameter of a view.
    column = sa.column("of_days", sa.SmallInteger())
    days = [(smallint(some),) for part in parts for some in part.days()]
    return sa.values(column, name="wanted").data(days)


def may_be_inside(view: AnyView) -> Columns:
    """Whether the rectangle of a row's cells has any in common with the view."""
    west, north, east, south = (
        shifted(heat_days.c[side], view.coarser)
        for side in ("west", "north", "east", "south")
    )
    return [
        east >= view.left,
        west <= view.right,
        south >= view.top,
        north <= view.bottom,
    ]


# ── Read ─────────────────────────────────────────────────────────────────────────────


class Cases(NamedTuple):
    """Cases of a part of a month, each a number: those of all the rows' that are asked for."""

    part: Quarters
    rows: Sequence[Row]
    asked: NDArray[np.bool_]
    numbers: Numbers

    def row_of_each(self) -> Numbers:
        ends = np.cumsum([len(row.cases) // NUMBER.itemsize for row in self.rows])
        of_each: Numbers = np.searchsorted(
            ends, np.flatnonzero(self.asked), side="right"
        )
        return of_each

    def in_state(self, state: str) -> Numbers:
        """The numbers of those in a state, or of all."""
        if state not in STATES:
            return self.numbers
        in_it: Numbers = self.numbers[(self.numbers >> STATE & 3) == STATES[state]]
        return in_it

    def that_are(self, chosen: NDArray[np.bool_]) -> Cases:
        """Some of them, told one by one."""
        asked = self.asked.copy()
        asked[asked] = chosen
        return self._replace(asked=asked, numbers=self.numbers[chosen])


def cases_of(part: Quarters, rows: Sequence[Row], filters: Filters) -> Cases:
    """Those that are asked for, of any state, wherever; `rows_of` has looked at all else."""
    days = part.days()
    rows = [row for row in rows if row.days in days]
    numbers = np.frombuffer(b"".join(row.cases for row in rows), NUMBER)
    numbers = numbers.astype(np.int64)
    first, end = (quarter << QUARTER for quarter in (part.first, part.end))
    asked = (numbers >= first) & (numbers < end)
    cases = Cases(part, rows, asked, numbers[asked])
    if len(filters.place) > DISTRICT:
        bits = corregimiento_bits(filters.place)
        return cases.that_are(cases.numbers & CORREGIMIENTO == bits)
    return cases


def cells_of(numbers: Numbers, level: int) -> tuple[Cells, Cells]:
    """The column and the row of each case's cell."""
    coarser = FINEST - level
    # Half as many bytes from here on.
    x, y = ((numbers >> bits + coarser).astype(np.int32) for bits in (X, Y))
    return x & SIDE >> coarser, y & SIDE >> coarser


def keys_in(view: View, numbers: Numbers) -> Numbers:
    """The key of each case's cell, of those in the view."""
    x, y = cells_of(numbers, view.level)
    seen = view.holds(x, y)
    column, row = (side[seen].astype(np.int64) for side in (x, y))
    return keys_of(column, row, view.level)


def corregimiento_of(number: int) -> str:
    """The end of its code, or nothing."""
    bits = number & CORREGIMIENTO
    return chr(bits >> 7) + chr(bits & 127) if bits else ""


def corregimiento_bits(code: str) -> int:
    """Of a code of six characters, as `cases_heat_number` has its end.

    Those of places are ASCII; of another that somebody asks for there is no case.
    """
    if not code.isascii():
        return -1
    return ord(code[4]) << 7 | ord(code[5])
