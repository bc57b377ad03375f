"""The cases by month, or by place: what PostgreSQL sums, and those of parts of months."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import numpy as np
import sqlalchemy as sa
from sqlalchemy import func
from sqlalchemy.types import TypeEngine

from geo import sql
from geo.any_view import MOST_KEPT, Where, numbers_of, wherever
from geo.cells import View
from geo.columns import COUNTS, Columns, select_of
from geo.counts import Asked, counted, split_for
from geo.filters import Filters
from geo.one_by_one import (
    CORREGIMIENTO,
    DISTRICT,
    STATE,
    STATES,
    Cases,
    Numbers,
    Row,
    cases_of,
    cells_of,
    corregimiento_of,
    rows_of,
)

Key = TypeVar("Key", int, str)
# What is summed by, its `COUNTS`, and `Row`.
KINDS: tuple[TypeEngine[Any], ...] = (
    sa.Text(),
    *[sa.BigInteger()] * 3,
    sa.SmallInteger(),
    sa.Text(),
    sa.LargeBinary(),
)


class Total(NamedTuple):
    """Cases: done or not, or neither."""

    open: int
    resolved: int
    other: int


Totals = list[tuple[Key, Total]]


def totals_by_month(filters: Filters, where: Where, view: View | None) -> Totals[int]:
    """Of the months that have any, in their order."""
    found, parts = told(filters, where, view, None)
    totals = {int(month): counts for month, counts in found.items()}
    for cases in parts:
        for _, counts in in_kinds(cases, np.zeros_like(cases.numbers)):
            add(totals, cases.part.month, counts)
    return those_with_any(totals)


def totals_by_place(
    filters: Filters, where: Where, view: View | None, digits: int
) -> Totals[str]:
    """Of the places that have any, by codes of so many digits, in their order."""
    totals, parts = told(filters, where, view, digits)
    for cases in parts:
        kinds = cases.row_of_each() << STATE
        if digits > DISTRICT:
            kinds |= cases.numbers & CORREGIMIENTO
        for kind, counts in in_kinds(cases, kinds):
            code = cases.rows[kind >> STATE].district + corregimiento_of(kind)
            add(totals, code[:digits], counts)
    # Where there is no corregimiento, the district's code stands.
    of_level = {code: some for code, some in totals.items() if len(code) == digits}
    return those_with_any(of_level)


# ── Asked ────────────────────────────────────────────────────────────────────────────


@lru_cache(MOST_KEPT)
def asked_for(filters: Filters, where: Where, digits: int | None) -> Asked:
    """By places of so many digits; without them, by month. All seen at one instant."""
    times = split_for(filters)
    found = counted(filters, where, times, by_month=digits is None)
    by = found.c.month if digits is None else func.left(found.c.place, digits)
    sums = [func.sum(found.c[name]) for name in COUNTS]
    summed = select_of(columns(by, *sums, *[sa.null()] * 3)).group_by(by)
    if not times.parts:
        return Asked(sql.compiled(summed), [])
    rows = rows_of(filters, where, times.parts)
    of_parts = select_of(columns(*[sa.null()] * 4, *rows.c)).select_from(rows)
    return Asked(sql.compiled(sa.union_all(summed, of_parts)), times.parts)


def columns(*values: Any) -> Columns:
    return [sa.cast(value, kind) for value, kind in zip(values, KINDS, strict=True)]


# ── Read ─────────────────────────────────────────────────────────────────────────────


def told(
    filters: Filters, where: Where, view: View | None, digits: int | None
) -> tuple[dict[str, Numbers], list[Cases]]:
    """`COUNTS` by what they are summed by, and the cases that are to be added to them."""
    statement, parts = asked_for(wherever(filters), where, digits)
    numbers = numbers_of(view) if view else {}
    sums: dict[str, Numbers] = {}
    rows: list[Row] = []
    for by, *counts, days, district, cases in sql.rows_in_binary(statement, **numbers):
        if days is None:
            sums[by] = np.array(counts, np.int64)
        else:
            rows.append(Row(days, district, cases))
    several = [cases_of(part, rows, filters) for part in parts]
    if view:
        several = [
            cases.that_are(view.holds(*cells_of(cases.numbers, view.level)))
            for cases in several
        ]
    return sums, several


def in_kinds(cases: Cases, kinds: Numbers) -> Iterator[tuple[int, Numbers]]:
    """`COUNTS` of the cases of each kind, as they are to be added."""
    different, which = np.unique(kinds, return_inverse=True)
    states = cases.numbers >> STATE & 3
    is_so = [*(states == bits for bits in STATES.values()), np.ones_like(states)]
    counts = np.array([np.bincount(which, some, len(different)) for some in is_so])
    counts = cases.part.sign * counts.astype(np.int64)
    return zip(different.tolist(), counts.T, strict=True)


def add(totals: dict[Key, Numbers], key: Key, counts: Numbers) -> None:
    totals[key] = totals[key] + counts if key in totals else counts


def those_with_any(totals: Mapping[Key, Numbers]) -> Totals[Key]:
    told = ((key, counts.tolist()) for key, counts in sorted(totals.items()))
    return [
        (key, Total(is_open, is_resolved, cases - is_open - is_resolved))
        for key, (is_open, is_resolved, cases) in told
        if cases > 0
    ]
