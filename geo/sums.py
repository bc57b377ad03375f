"""The cases of a view's cells, summed in numpy.

A dense view has three thousand cells, and as many rows would take PostgreSQL, psycopg and
Python longer than all the rest. So they come as two arrays, unsorted and not summed; of all
times, what the map asks most, a tile of cells at once, as they are kept; and so do the cases
of a part of a month that are kept one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa
from sqlalchemy import func
from sqlalchemy.types import TypeEngine

from geo import sql
from geo.any_view import ANY_VIEW, MOST_KEPT, numbers_of, wherever
from geo.cells import View, of_keys
from geo.columns import Columns, select_of, shifted
from geo.counts import EIGHT, from_deltas, in_state, summed_and_not
from geo.facets import by_category, facets, some_facets
from geo.filters import Filters
from geo.one_by_one import Numbers, found_parts, keys_of_cases
from geo.periods import ALL_TIMES
from geo.tables import heat_tile

# What `array_send` says before the first number: dimensions, whether nulls, the type, how
# many, and from which index on. Before each number it says how many bytes that has.
HEADER = 5 * 4
BYTES = sa.LargeBinary()
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
    found = sql.rows_in_binary(statement(wherever(filters)), **numbers_of(view))
    return summed(parts_of(found, filters, view), view)


def are_told_by_tile(filters: Filters) -> bool:
    """Whether nothing is asked that tiles do not tell apart: times, or two things at once."""
    whose = (filters.place, filters.entity, by_category(filters))
    times = filters.since or filters.until or filters.changed_since
    return not times and sum(map(bool, whose)) <= 1


# ── Asked ────────────────────────────────────────────────────────────────────────────


@lru_cache(MOST_KEPT)
def by_tile(filters: Filters) -> sql.Compiled:
    """Of all times; what was not yet folded in as `by_cell` tells it. See `Told`.

    One statement, which sees both at one instant.
    """
    place = filters.place
    wanted = some_facets([f"p/{place}"]) if place else facets(filters)
    ranges = ANY_VIEW.key_ranges()
    counts = in_state(heat_tile, filters.state)
    # A loop, as `found_cells` tells it.
    tiles = (
        sa.select(*told(sent(heat_tile.c.cells), sent(counts), tile=heat_tile.c.tile))
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
    """Whatever is asked; all of it seen at one instant. See `Told`."""
    selects, parts = summed_and_not(filters, ANY_VIEW, by_month=False)
    counted = in_arrays(sa.union_all(*selects).subquery("counted"), filters.state)
    if not parts:
        return sql.compiled(counted)
    found = found_parts(filters, ANY_VIEW, parts)
    one_by_one = told(sent(found.c.cases), sign=found.c.sign)
    return sql.compiled(sa.union_all(counted, select_of(one_by_one)))


def in_arrays(found: sa.Subquery, state: str) -> sa.Select[Any]:
    counts = in_state(found, state)
    arrays = (func.array_agg(column) for column in (found.c.key, counts))
    return select_of(told(*map(sent, arrays))).having(func.count() > 0)


def told(
    cells: Any, weights: Any = None, *, tile: Any = None, sign: Any = None
) -> Columns:
    """The columns of a row of `Told`."""
    kinds: list[TypeEngine[Any]] = [BYTES, BYTES, sa.BigInteger(), sa.Integer()]
    values = (cells, weights, tile, sign)
    return [
        sa.cast(sa.null(), kind) if value is None else value
        for value, kind in zip(values, kinds, strict=True)
    ]


def sent(numbers: Any) -> sa.Function[bytes]:
    """An array as PostgreSQL sends it in binary, to be read at once."""
    return func.array_send(numbers, type_=BYTES)


# ── Read ─────────────────────────────────────────────────────────────────────────────


class Told(NamedTuple):
    """A row that was found: cells, and for each of them some cases, or fewer than none.

    The cells are keys; with `tile`, those of a tile, counted from its first. Or, with `sign`,
    they are the numbers of cases that are to be added or to be taken away.
    """

    cells: bytes
    weights: bytes
    tile: int | None
    sign: int | None


def parts_of(
    found: Iterable[tuple[Any, ...]], filters: Filters, view: View
) -> Iterator[Sums]:
    """What the rows say, in keys and their cases."""
    cases: dict[int, list[Numbers]] = {1: [], -1: []}
    for row in map(Told._make, found):
        if row.sign is not None:
            cases[row.sign].append(numbers_in(row.cells, 8))
        else:
            first, size = (0, 8) if row.tile is None else (row.tile << 8, 2)
            yield Sums(first + numbers_in(row.cells, size), numbers_in(row.weights, 4))
    for sign, numbers in cases.items():
        if numbers:
            keys = keys_of_cases(np.concatenate(numbers), filters, view)
            keys, counts = np.unique(keys, return_counts=True)
            yield Sums(keys, sign * counts)


def numbers_in(array: bytes, size: int) -> Numbers:
    """The whole numbers of so many bytes each, of an array without nulls that was `sent`."""
    numbers = np.frombuffer(array, SENT[size], offset=HEADER)["number"]
    return numbers.astype(np.int64)


def summed(parts: Iterable[Sums], view: View) -> Sums:
    """Of all parts, in which a cell may come many times, and of the view's cells alone."""
    nothing = np.empty(0, np.int64)
    arrays = zip((nothing, nothing), *parts, strict=True)
    keys, weights = (np.concatenate(several) for several in arrays)
    # A place for each cell of each tile, which is quicker than sorting.
    tiles = np.unique(keys >> 8)
    places = (np.searchsorted(tiles, keys >> 8) << 8) + (keys & 255)
    sums = np.bincount(places, weights, len(tiles) << 8).astype(np.int64)
    filled = np.flatnonzero(sums > 0)
    keys = (tiles[filled >> 8] << 8) + (filled & 255)
    seen = view.holds(*of_keys(keys, view.level))
    return Sums(keys[seen], sums[filled][seen])
