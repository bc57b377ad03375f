"""The cases of a view's cells, summed in numpy.

A dense view has three thousand cells, and as many rows would take PostgreSQL, psycopg and
Python longer than all the rest. So they come as two arrays, unsorted and not summed; and of
all times, what the map asks most, a tile of cells at once, as they are kept.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from sqlalchemy import func

from geo import sql
from geo.any_view import ANY_VIEW, MOST_KEPT, Columns, numbers_of, wherever
from geo.cells import View, of_keys
from geo.counts import (
    EIGHT,
    by_category,
    counted,
    facets,
    from_deltas,
    in_state,
    select_of,
    shifted,
    some_facets,
)
from geo.filters import Filters
from geo.periods import ALL_TIMES
from geo.tables import heat_tile

Numbers = NDArray[np.int64]
# What `array_send` says before the first number: dimensions, whether nulls, the type, how
# many, and from which index on. Before each number it says how many bytes that has.
HEADER = 5 * 4
SENT = {
    size: np.dtype([("size", ">i4"), ("number", f">i{size}")]) for size in (2, 4, 8)
}


class Sums(NamedTuple):
    """The cases of each cell that has any, by key."""

    keys: Numbers
    weights: Numbers


def sums_in(filters: Filters, view: View) -> Sums:
    """Of the cases that the filters leave; the view is instead of their box."""
    statement = by_tile if are_told_by_tile(filters) else by_cell
    found = sql.rows(statement(wherever(filters)), **numbers_of(view))
    return summed([part_of(*row) for row in found], view)


def are_told_by_tile(filters: Filters) -> bool:
    """Whether nothing is asked that tiles do not tell apart: times, or two things at once."""
    whose = (filters.place, filters.entity, by_category(filters))
    times = filters.since or filters.until or filters.changed_since
    return not times and sum(map(bool, whose)) <= 1


# ── Asked ────────────────────────────────────────────────────────────────────────────


@lru_cache(MOST_KEPT)
def by_tile(filters: Filters) -> sql.Compiled:
    """A tile's number, its cells and their cases; and what was not yet folded in, as
    `by_cell` tells it. One statement, which sees both at one instant.
    """
    place = filters.place
    wanted = some_facets([f"p/{place}"]) if place else facets(filters)
    ranges = ANY_VIEW.key_ranges()
    counts = in_state(heat_tile, filters.state)
    # A loop, as `found_cells` tells it.
    tiles = (
        sa.select(heat_tile.c.tile, sent(heat_tile.c.cells), sent(counts))
        .where(
            heat_tile.c.level == ANY_VIEW.level,
            heat_tile.c.facet == wanted.c.facet,
            heat_tile.c.tile >= shifted(ranges.c.first, EIGHT),
            heat_tile.c.tile <= shifted(ranges.c.last, EIGHT),
        )
        .offset(0)
        .lateral("tiles")
    )
    folded = sa.select(*tiles.c).select_from(
        wanted.join(ranges, sa.true()).join(tiles, sa.true())
    )
    deltas = from_deltas(filters, ANY_VIEW, ALL_TIMES, [], by_month=False)
    waiting = in_arrays(deltas.subquery("deltas"), filters.state)
    return sql.compiled(sa.union_all(folded, waiting))


@lru_cache(MOST_KEPT)
def by_cell(filters: Filters) -> sql.Compiled:
    """No number of a tile, keys, and for each of them some cases, or fewer than none."""
    return sql.compiled(in_arrays(counted(filters, ANY_VIEW), filters.state))


def in_arrays(found: sa.Subquery, state: str) -> sa.Select[Any]:
    columns: Columns = [
        sa.cast(sa.null(), sa.BigInteger()),
        sent(func.array_agg(found.c.key)),
        sent(func.array_agg(in_state(found, state))),
    ]
    return select_of(columns).having(func.count() > 0)


def sent(numbers: Any) -> sa.Function[bytes]:
    """An array as PostgreSQL sends it in binary, to be read at once."""
    return func.array_send(numbers, type_=sa.LargeBinary())


# ── Read ─────────────────────────────────────────────────────────────────────────────


def part_of(tile: int | None, cells: bytes, weights: bytes) -> Sums:
    """A row's keys and cases."""
    keys = numbers_in(cells, 8) if tile is None else (tile << 8) + numbers_in(cells, 2)
    return Sums(keys, numbers_in(weights, 4))


def numbers_in(array: bytes, size: int) -> Numbers:
    """The whole numbers of so many bytes each, of an array without nulls that was `sent`."""
    numbers = np.frombuffer(array, SENT[size], offset=HEADER)["number"]
    return numbers.astype(np.int64)


def summed(parts: list[Sums], view: View) -> Sums:
    """Of all parts, in which a cell may come many times, and of the view's cells alone."""
    if not parts:
        return Sums(np.empty(0, np.int64), np.empty(0, np.int64))
    keys, weights = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    # A place for each cell of each tile, which is quicker than sorting.
    tiles = np.unique(keys >> 8)
    places = (np.searchsorted(tiles, keys >> 8) << 8) + (keys & 255)
    sums = np.bincount(places, weights, len(tiles) << 8).astype(np.int64)
    filled = np.flatnonzero(sums > 0)
    keys = (tiles[filled >> 8] << 8) + (filled & 255)
    x, y = of_keys(keys, view.level)
    inside = (x >= view.left) & (x <= view.right) & (y >= view.top) & (y <= view.bottom)
    return Sums(keys[inside], sums[filled][inside])
