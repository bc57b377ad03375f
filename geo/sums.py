"""The cases of a view's cells, summed in numpy.

A dense view has three thousand cells, and as many rows would take PostgreSQL, psycopg and
Python longer than all the rest. So they come as arrays, unsorted and not summed; of all
times, what the map asks most, a tile of cells at once, as they are kept; and so do the cases
of a part of a month, which are kept one by one.
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
from geo.by_tile import (
    TileRow,
    counts_in_tiles,
    found_in_tiles,
    is_of_all,
    rows_in_tiles,
)
from geo.cells import View, of_keys
from geo.columns import Columns, select_of
from geo.counts import Asked, counted, from_deltas, in_state, split_for
from geo.facets import by_category, facets, some_facets
from geo.filters import Filters
from geo.one_by_one import Numbers, Row, cases_of, keys_in, rows_of
from geo.periods import Quarters, split
from geo.tables import heat_tile

# What `array_send` says before the first number: dimensions, whether nulls, the type, how
# many, and from which index on. Before each number it says how many bytes that has.
HEADER = 5 * 4
BYTES = sa.LargeBinary()
SENT = {
    size: np.dtype([("size", ">i4"), ("number", f">i{size}")]) for size in (2, 4, 8)
}
States = tuple[str, ...]


class Sums(NamedTuple):
    """Cells by key, and in a row for each state that was asked for the cases of each."""

    keys: Numbers
    weights: Numbers


def sums_in(filters: Filters, view: View, *states: str) -> Sums:
    """Of the cases that the filters leave; the view is instead of their box.

    Cells with cases in the first of the states, and in that one each has some.
    """
    ask = told_by_tile if are_told_by_tile(filters) else told_by_cell
    statement, parts = ask(wherever(filters), states)
    found = sql.rows_in_binary(statement, **numbers_of(view))
    return added(sums_of(found, filters, view, states, parts), view, states)


def are_told_by_tile(filters: Filters) -> bool:
    """Whether nothing is asked that tiles do not tell apart: times, or two things at once."""
    whose = (filters.place, filters.entity, by_category(filters))
    times = filters.since or filters.until or filters.changed_since
    return not times and sum(map(bool, whose)) <= 1


# ── Asked ────────────────────────────────────────────────────────────────────────────


@lru_cache(MOST_KEPT)
def told_by_tile(filters: Filters, states: States) -> Asked:
    """See `told`. Of all times; what was not yet folded in as `told_by_cell` has it.

    One statement, which sees both at one instant.
    """
    place = filters.place
    wanted = some_facets([f"p/{place}"]) if place else facets(filters)
    alike = heat_tile.c.facet == wanted.c.facet
    weights = [sent(in_state(heat_tile, state)) for state in states]
    columns = told(sent(heat_tile.c.cells), weights, tile=heat_tile.c.tile)
    folded = found_in_tiles(ANY_VIEW, heat_tile, wanted, alike, columns)
    deltas = from_deltas(filters, ANY_VIEW, split(None, None), by_month=False)
    waiting = in_arrays(deltas.subquery("deltas"), states)
    return Asked(sql.compiled(sa.union_all(folded, waiting)), [])


@lru_cache(MOST_KEPT)
def told_by_cell(filters: Filters, states: States) -> Asked:
    """See `told`. Whatever is asked; all of it seen at one instant."""
    times = split_for(filters)
    selects = [in_arrays(counted(filters, ANY_VIEW, times, by_month=False), states)]
    if times.parts:
        nothing = [None for _ in states]
        if is_of_all(filters):
            rows = rows_in_tiles(ANY_VIEW, times.parts)
            columns = told(rows.c.cases, nothing, tile=rows.c.tile, days=rows.c.days)
        else:
            rows = rows_of(filters, ANY_VIEW, times.parts)
            columns = told(rows.c.cases, nothing, days=rows.c.days)
        selects.append(select_of(columns).select_from(rows))
    return Asked(sql.compiled(sa.union_all(*selects)), times.parts)


def in_arrays(found: sa.Subquery, states: States) -> sa.Select[Any]:
    keys = sent(func.array_agg(found.c.key))
    weights = [sent(func.array_agg(in_state(found, state))) for state in states]
    return select_of(told(keys, weights)).having(func.count() > 0)


def told(
    cells: Any, weights: Iterable[Any], *, tile: Any = None, days: Any = None
) -> Columns:
    """The columns of a row: cells, and for each of them some cases, or fewer than none.

    The cells are keys; with `tile`, those of a tile, counted from its first. Or, with `days`,
    they are cases one by one, as they are kept: of a district, or of the tile.
    """
    values: list[tuple[Any, TypeEngine[Any]]] = [
        (cells, BYTES),
        (tile, sa.BigInteger()),
        (days, sa.SmallInteger()),
        *[(counts, BYTES) for counts in weights],
    ]
    return [
        sa.cast(sa.null(), kind) if value is None else value for value, kind in values
    ]


def sent(numbers: Any) -> sa.Function[bytes]:
    """An array as PostgreSQL sends it in binary, to be read at once."""
    return func.array_send(numbers, type_=BYTES)


# ── Read ─────────────────────────────────────────────────────────────────────────────


def sums_of(
    found: Iterable[tuple[Any, ...]],
    filters: Filters,
    view: View,
    states: States,
    parts: list[Quarters],
) -> Iterator[Sums]:
    """What the rows say, in keys and their cases."""
    rows: list[Row] = []
    in_tiles: list[TileRow] = []
    for cells, tile, days, *weights in found:
        if days is None:
            first, size = (0, 8) if tile is None else (tile << 8, 2)
            counts = np.array([numbers_in(array, 4) for array in weights])
            yield Sums(first + numbers_in(cells, size), counts)
        elif tile is None:
            rows.append(Row(days, "", cells))
        else:
            in_tiles.append(TileRow(days, tile, cells))
    for part in parts:
        for sums in counts_in_tiles(part, in_tiles, states):
            yield Sums(*sums)
        if rows:
            cases = cases_of(part, rows, filters)
            for number, state in enumerate(states):
                keys = keys_in(view, cases.in_state(state))
                keys, counts = np.unique(keys, return_counts=True)
                several = np.zeros((len(states), len(keys)), np.int64)
                several[number] = part.sign * counts
                yield Sums(keys, several)


def numbers_in(array: bytes, size: int) -> Numbers:
    """The whole numbers of so many bytes each, of an array without nulls that was `sent`."""
    numbers = np.frombuffer(array, SENT[size], offset=HEADER)["number"]
    return numbers.astype(np.int64)


def added(parts: Iterable[Sums], view: View, states: States) -> Sums:
    """Of all parts, in which a cell may come many times, and of the view's cells alone."""
    nothing = Sums(np.empty(0, np.int64), np.empty((len(states), 0), np.int64))
    keys, weights = (
        np.concatenate(several, axis=-1)
        for several in zip(nothing, *parts, strict=True)
    )
    # A place for each cell of each tile, which is quicker than sorting.
    tiles = np.unique(keys >> 8)
    places = (np.searchsorted(tiles, keys >> 8) << 8) + (keys & 255)
    sums = np.array([np.bincount(places, each, len(tiles) << 8) for each in weights])
    sums = sums.astype(np.int64)
    filled = np.flatnonzero(sums[0] > 0)
    keys = (tiles[filled >> 8] << 8) + (filled & 255)
    seen = view.holds(*of_keys(keys, view.level))
    return Sums(keys[seen], sums[:, filled[seen]])
