"""All cases of a part of a month, tile by tile (see `HeatTileDays`).

For a view of all cases, which are more than an entity's: it reads those of its own tiles
alone, two bytes of each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from backend.cases.heat_days import IN_A_TILE
from geo.any_view import AnyView
from geo.columns import EIGHT, Columns, shifted
from geo.facets import by_category
from geo.filters import Filters
from geo.one_by_one import STATES, Numbers, days_of
from geo.periods import QUARTERS, Quarters
from geo.tables import heat_tile_days

# How many bits come after the quarter that a number says; they are the state and the cell.
QUARTER = 10
CELLS, KINDS_OF_STATE = 256, 4


class TileRow(NamedTuple):
    """A row that was found."""

    days: int
    tile: int
    cases: bytes


def is_of_all(filters: Filters) -> bool:
    """Whether all cases count, whosever they are and wherever."""
    return not (by_category(filters) or filters.entity or filters.place)


def rows_in_tiles(view: AnyView, parts: list[Quarters]) -> sa.Subquery:
    """`TileRow`, for all cases of these parts in the view: and others."""
    wanted, days = days_of(parts), heat_tile_days
    alike = days.c.days == wanted.c.of_days
    told: Columns = [days.c.days, days.c.tile, days.c.cases]
    return found_in_tiles(view, days, wanted, alike, told).subquery("parts")


def found_in_tiles(
    view: AnyView,
    table: sa.Table,
    wanted: sa.FromClause,
    alike: sa.ColumnElement[bool],
    told: Columns,
) -> sa.Select[Any]:
    """What is told of the rows of a view's tiles that are like one of those wanted."""
    ranges = view.key_ranges()
    # A loop, as `found_cells` tells it.
    rows = (
        sa.select(*told)
        .where(
            table.c.level == view.level,
            alike,
            table.c.tile >= shifted(ranges.c.first, EIGHT),
            table.c.tile <= shifted(ranges.c.last, EIGHT),
        )
        .offset(0)
        .lateral("some")
    )
    source = wanted.join(ranges, sa.true()).join(rows, sa.true())
    return sa.select(*rows.c).select_from(source)


def counts_in_tiles(
    part: Quarters, rows: Sequence[TileRow], states: Sequence[str]
) -> Iterator[tuple[Numbers, Numbers]]:
    """Keys of cells, and in a row for each state how many cases they have."""
    for days in part.days():
        of_days = [row for row in rows if row.days == days]
        if not of_days:
            continue
        joined = b"".join(row.cases for row in of_days)
        cases = np.frombuffer(joined, IN_A_TILE).astype(np.int16)
        sizes = [len(row.cases) // IN_A_TILE.itemsize for row in of_days]
        places = np.repeat(np.arange(len(sizes), dtype=np.int32) << QUARTER, sizes)
        places += cases & (1 << QUARTER) - 1
        first, end = part.of_days(days)
        if (first, end) != (0, QUARTERS):
            quarters = cases >> QUARTER
            places = places[(quarters >= first) & (quarters < end)]
        by_state = np.bincount(places, minlength=len(sizes) << QUARTER)
        by_state = by_state.reshape(len(sizes), KINDS_OF_STATE, CELLS)
        tiles = np.array([row.tile for row in of_days], np.int64)
        keys = (tiles[:, None] << 8) + np.arange(CELLS)
        totals = by_state.sum(axis=1)
        filled = totals > 0
        weights = [
            by_state[:, STATES[state]] if state in STATES else totals
            for state in states
        ]
        yield keys[filled], part.sign * np.array([each[filled] for each in weights])
