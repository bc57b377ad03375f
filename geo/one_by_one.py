"""The cases of an entity, a category or a group in a part of a month (see `HeatMonth`).

Each is a number. Whole months are counted beforehand for them, parts of months are not: that
would be, by estimate, three rows more to keep for each case.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy import func

from backend.cases.heat import FINEST
from geo.any_view import KEYS, AnyView, Where
from geo.cells import View, keys_of
from geo.columns import (
    Columns,
    counts_of,
    of_place,
    placed,
    shifted,
    short,
    smallint,
    text,
)
from geo.facets import facets, of_entity
from geo.filters import Filters
from geo.periods import Quarters
from geo.tables import heat_month

Numbers = NDArray[np.int64]
# How many bits come after what a number says, and which those are.
QUARTER = 52
X, Y, SIDE = 34, 16, (1 << FINEST + 4) - 1
STATE, STATES = 14, {"open": 1, "resolved": 2}
CORREGIMIENTO = (1 << STATE) - 1
# Digits of a district's code.
DISTRICT = 4
# Of `Quarters`; named like no parameter of a view.
OF_PARTS = ("of_month", "after_number", "last_number", "sign")


def found_parts(filters: Filters, where: Where, parts: list[Quarters]) -> sa.Subquery:
    """`of_month`, `sign`, `district` and `cases`: the numbers of some quarters, in rows.

    In a row some of them may be outside the view.
    """
    wanted, kinds = some_parts(parts), facets(filters)
    district = heat_month.c.district
    conditions = [
        heat_month.c.month == wanted.c.of_month,
        heat_month.c.facet == kinds.c.facet,
        *of_entity(heat_month, filters),
    ]
    if filters.place:
        conditions.append(of_place(district, filters.place[:DISTRICT]))
    if not isinstance(where, int):
        conditions += may_be_inside(where)
    # A loop, as `found_cells` tells it. With nothing added an array is read whole once, and
    # not wherever it is named.
    cases = sa.cast(heat_month.c.cases + sa.cast([], KEYS), KEYS).label("cases")
    rows = sa.select(district, cases).where(*conditions).offset(0).lateral("months")
    found = (
        sa.select(
            wanted.c.of_month,
            wanted.c.sign,
            rows.c.district,
            rows.c.cases,
            (func.width_bucket(wanted.c.after_number, rows.c.cases) + 1).label("first"),
            func.width_bucket(wanted.c.last_number, rows.c.cases).label("last"),
        )
        .select_from(wanted.join(kinds, sa.true()).join(rows, sa.true()))
        .offset(0)
        .subquery("found")
    )
    return (
        sa.select(
            found.c.of_month,
            found.c.sign,
            found.c.district,
            found.c.cases[found.c.first : found.c.last].label("cases"),
        )
        .where(found.c.last >= found.c.first)
        .subquery("parts")
    )


def may_be_inside(view: AnyView) -> Columns:
    """Whether the rectangle of a row's cells has any in common with the view."""
    west, north, east, south = (
        shifted(heat_month.c[side], view.coarser)
        for side in ("west", "north", "east", "south")
    )
    return [
        east >= view.left,
        west <= view.right,
        south >= view.top,
        north <= view.bottom,
    ]


def some_parts(parts: list[Quarters]) -> sa.Values:
    kinds = (sa.SmallInteger(), sa.BigInteger(), sa.BigInteger(), sa.Integer())
    columns = [
        sa.column(name, kind) for name, kind in zip(OF_PARTS, kinds, strict=True)
    ]
    rows = [
        (
            smallint(part.month),
            sa.cast((part.first << QUARTER) - 1, sa.BigInteger()),
            sa.cast((part.end << QUARTER) - 1, sa.BigInteger()),
            part.sign,
        )
        for part in parts
    ]
    return sa.values(*columns, name="wanted").data(rows)


# ── Counted by PostgreSQL ────────────────────────────────────────────────────────────


def from_parts(
    filters: Filters, where: Where, parts: list[Quarters], *, by_month: bool
) -> sa.Select[Any]:
    """A row for each case."""
    rows = found_parts(filters, where, parts)
    number = func.unnest(rows.c.cases).column_valued("number")
    key, conditions = placed(where, told_by(number, X), told_by(number, Y))
    if len(filters.place) > DISTRICT:
        conditions.append(
            number.op("&")(CORREGIMIENTO) == corregimiento_bits(filters.place)
        )
    by: Columns = (
        [rows.c.of_month.label("month")]
        if by_month
        else [key.label("key"), place_of(rows.c.district, number, where).label("place")]
    )
    state = shifted(number, STATE).op("&")(3)
    counts = counts_of(
        rows.c.sign * sa.cast(is_so, sa.Integer())
        for is_so in (*(state == bits for bits in STATES.values()), sa.true())
    )
    return sa.select(*by, *counts).select_from(rows).where(*conditions)


def told_by(number: Any, bits_after: int) -> sa.ColumnElement[int]:
    """The column or the row of its cell."""
    return sa.cast(shifted(number, bits_after).op("&")(SIDE), sa.Integer())


def place_of(district: Any, number: Any, where: Where) -> sa.ColumnElement[str]:
    if isinstance(where, int) and where <= DISTRICT:
        return short(district, where)
    return short(text(district) + func.cases_heat_corregimiento(number), where)


# ── Counted by numpy ─────────────────────────────────────────────────────────────────


def keys_of_cases(numbers: Numbers, filters: Filters, view: View) -> Numbers:
    """The key of each case's cell, of those in the view and in the state asked for.

    `found_parts` has looked at all else that the filters ask, but for a corregimiento.
    """
    if filters.state in STATES:
        numbers = numbers[(numbers >> STATE & 3) == STATES[filters.state]]
    if len(filters.place) > DISTRICT:
        its_own = numbers & CORREGIMIENTO == corregimiento_bits(filters.place)
        numbers = numbers[its_own]
    coarser = FINEST - view.level
    x, y = ((numbers >> after & SIDE) >> coarser for after in (X, Y))
    seen = view.holds(x, y)
    return keys_of(x[seen], y[seen], view.level)


def corregimiento_bits(code: str) -> int:
    """Of a code of six characters, as `cases_heat_number` has its end.

    Those of places are ASCII; of another that somebody asks for there is no case.
    """
    if not code.isascii():
        return -1
    return ord(code[4]) << 7 | ord(code[5])
