"""How many public cases there are: in each cell of the map, each month, each place."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa
from sqlalchemy import func

from geo import sql
from geo.any_view import ANY_VIEW, Where
from geo.cells import LEVELS, View, metres, middles, view_of
from geo.filters import Filters
from geo.periods import name_of
from geo.sums import sums_in
from geo.tables import heat_delta, heat_state
from geo.totals import totals_by_month, totals_by_place

MOST_CELLS = 5_000
# Of the cells whose months, or whose places, are looked at one by one.
FEW_CELLS = 1_024
# How many digits a place's code has, by the level of the territory.
DIGITS = {"province": 2, "district": 4, "corregimiento": 6}


class Heat(NamedTuple):
    """Cells as (longitude, latitude, cases) of their centres; `cell` in metres."""

    cells: list[tuple[float, float, int]]
    cell: float
    total: int


class Month(NamedTuple):
    """A month in Panama, as 2026-01, and its cases: done or not, or neither."""

    month: str
    open: int
    resolved: int
    other: int


class PlaceCount(NamedTuple):
    """A place's code and its cases: done or not, or neither."""

    code: str
    open: int
    resolved: int
    other: int


def version() -> str:
    """Another one whenever anything has changed of what the map shows.

    Exact: the changes since the heat was last rebuilt, folded in or not.
    """
    ((epoch, folded, waiting),) = sql.rows(state())
    return f"{epoch}-{folded + waiting}"


@cache
def state() -> sql.Compiled:
    """The epoch, the changes folded in and those that wait; nothing is zero."""
    waiting = sa.select(func.count()).select_from(heat_delta).subquery()
    return sql.compiled(
        sa.select(
            func.coalesce(heat_state.c.epoch, 0),
            func.coalesce(heat_state.c.folded, 0),
            waiting.c[0],
        ).select_from(waiting.outerjoin(heat_state, sa.true()))
    )


def heat(filters: Filters, zoom: int) -> Heat:
    """The cases that the filters leave, by cell of the zoom's size, densest first.

    A box counts all of the cells that it touches. Where it touches too many for a view,
    they are coarser, as `cell` tells; `total` is the sum also of those cut off.
    """
    view = view_of(filters.box, zoom)
    keys, (weights,) = sums_in(filters, view, filters.state)
    # And by key, if alike.
    densest = np.argsort(-weights, kind="stable")[:MOST_CELLS]
    told = (*middles(keys[densest], view.level), weights[densest].tolist())
    cells = list(zip(*told, strict=True))
    return Heat(cells, metres(view.level), int(weights.sum()))


def months(filters: Filters) -> list[Month]:
    """Each month that has cases of those that the filters leave; of any state.

    A box counts all of the cells that it touches, of some 30 a side.
    """
    found = totals_by_month(filters, *where_for(filters, len(filters.place)))
    return [Month(name_of(month), *told) for month, told in found]


def by_place(filters: Filters, level: str) -> list[PlaceCount]:
    """Each place of a level that has cases of those that the filters leave.

    A box counts all of the cells that it touches, of some 30 a side.
    """
    digits = DIGITS[level]
    where, view = where_for(filters, max(digits, len(filters.place)))
    found = totals_by_place(filters, where, view, digits)
    return [PlaceCount(code, *told) for code, told in found]


def where_for(filters: Filters, digits: int) -> tuple[Where, View | None]:
    """Cells in a box; without one, the places with so many digits."""
    if filters.box is None:
        return digits, None
    return ANY_VIEW, view_of(filters.box, LEVELS.stop, FEW_CELLS)
