"""What was counted of the public cases, as one table: folded, not yet folded, and by hand.

Whole months come from the cells of the heat; to them belong deltas that wait, and to the
parts of months, which are kept one by one (`one_by_one.py`), as well. The hours that are
asked for beside quarters of days, or that those have too many, are counted from the cases.
One statement sees all of it at one instant, and so counts each case once.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import func

from geo import sql
from geo.any_view import AnyView, Where
from geo.by_hand import from_cases
from geo.columns import (
    COUNTS,
    EIGHT,
    FOUR,
    Columns,
    counts_of,
    inside,
    of_place,
    placed,
    select_of,
    shifted,
    short,
    smallint,
    text,
)
from geo.facets import facets, of_entity
from geo.filters import Filters, members_of
from geo.periods import BY_HAND, Period, Quarters, Split, split
from geo.tables import heat_cell, heat_delta

NO_GRID = {0: 0, 2: 1, 4: 2, 6: 3}
# What is told of a cell.
CELL = ("key", "place", "months", "open", "resolved", "cases")


class Asked(NamedTuple):
    """A statement for any view, and of which parts of months it finds the cases."""

    statement: sql.Compiled
    parts: list[Quarters]


def split_for(filters: Filters) -> Split:
    """How what the filters leave is counted; by hand, where nothing is beforehand."""
    if filters.changed_since:
        return BY_HAND
    return split(filters.since, filters.until)


def counted(
    filters: Filters, where: Where, times: Split, *, by_month: bool
) -> sa.Subquery:
    """`COUNTS`, and `key` and `place`, or `month`: to be summed by one of these.

    All but the parts of months. The filters' state and box decide nothing here.
    """
    selects: list[sa.Select[Any]] = []
    if times.months.has_months:
        from_folded = from_months if by_month else from_cells
        selects.append(from_folded(filters, where, times.months))
    if times.period.has_months or times.quarters:
        selects.append(from_deltas(filters, where, times, by_month=by_month))
    if times.hours or not selects:
        selects.append(from_cases(filters, where, times.hours, by_month=by_month))
    return sa.union_all(*selects).subquery("counted")


def in_state(found: sa.FromClause, state: str) -> sa.ColumnElement[int]:
    """The column of the cases in a state, of those that were counted."""
    return found.c["cases" if state == "all" else state]


# ── Folded ───────────────────────────────────────────────────────────────────────────


def from_cells(filters: Filters, where: Where, period: Period) -> sa.Select[Any]:
    cells = found_cells(filters, where, period)
    columns: Columns = [cells.c.key, text(cells.c.place).label("place")]
    begins = period.first is not None
    counts = counts_of(
        func.coalesce(column[cells.c.until], 0)
        - (func.coalesce(column[cells.c.before], 0) if begins else 0)
        for column in (cells.c[name] for name in COUNTS)
    )
    return select_of(columns + counts)


def from_months(filters: Filters, where: Where, period: Period) -> sa.Select[Any]:
    cells = found_cells(filters, where)
    i = func.generate_subscripts(cells.c.months, 1).column_valued("i")
    month = cells.c.months[i]
    counts = counts_of(
        column[i] - func.coalesce(column[i - 1], 0)
        for column in (cells.c[name] for name in COUNTS)
    )
    return sa.select(month.label("month"), *counts).where(*within(month, period))


def found_cells(
    filters: Filters, where: Where, period: Period | None = None
) -> sa.Subquery:
    """The rows of the cells, found range by range in the order they are kept in.

    Of a period, `until` is where in a row's arrays its last month is, and `before` where the
    last one before it is; 0 is nowhere. Told as a loop, for the planner guesses that a
    range holds a share of the table.
    """
    wanted = facets(filters)
    conditions = [
        heat_cell.c.level == level_of(where),
        heat_cell.c.facet == wanted.c.facet,
    ]
    source: sa.FromClause = wanted
    if not isinstance(where, int):
        ranges = where.key_ranges()
        source = source.join(ranges, sa.true())
        conditions += [heat_cell.c.key.between(ranges.c.first, ranges.c.last)]
        conditions += inside(where, *columns_of_key(heat_cell.c.key, where))
    else:
        conditions += [heat_cell.c.key == 0]
    if filters.place:
        conditions.append(of_place(heat_cell.c.place, filters.place))
    conditions += of_entity(heat_cell, filters)
    told: Columns = [heat_cell.c[name] for name in CELL]
    if period:
        told.append(place_of_last(period.end).label("until"))
        if period.first is not None:
            told.append(place_of_last(period.first).label("before"))
    rows = sa.select(*told).where(*conditions).offset(0).lateral("found")
    found = sa.select(*rows.c).select_from(source.join(rows, sa.true()))
    return found.subquery("cells")


def place_of_last(end: int | None) -> sa.ColumnElement[int]:
    """Where in a row's arrays the last month before this one is."""
    months = heat_cell.c.months
    if end is None:
        return func.cardinality(months)
    return func.width_bucket(smallint(end - 1), months)


def columns_of_key(key: Any, view: AnyView) -> tuple[Any, Any]:
    """A cell's column and row, from its key at the view's level."""
    tile, cell = shifted(key, EIGHT), key.op("&")(255)
    x = tile.op("&")(view.last_tile) * 16 + cell.op("&")(15)
    y = shifted(tile, view.level) * 16 + shifted(cell, FOUR)
    return x, y


# ── Not yet folded ───────────────────────────────────────────────────────────────────


def from_deltas(
    filters: Filters, where: Where, times: Split, *, by_month: bool
) -> sa.Select[Any]:
    delta = heat_delta
    key, conditions = placed(where, delta.c.x, delta.c.y)
    if filters.categories:
        conditions.append(delta.c.category.in_(filters.categories))
    if filters.groups:
        # Found once, and not once for each delta, of which there are never as few as
        # PostgreSQL believes.
        members = func.array(members_of(filters.groups).scalar_subquery())
        conditions.append(delta.c.category == sa.any_(members))
    if filters.entity:
        conditions.append(delta.c.entity == filters.entity)
    if filters.place:
        conditions.append(of_place(delta.c.place, filters.place))
    by = (
        [delta.c.month]
        if by_month
        else [key.label("key"), short(delta.c.place, where).label("place")]
    )
    counts = counts_of(delta.c[name] for name in COUNTS)
    return sa.select(*by, *counts).where(*conditions, within_deltas(times))


# ── Shared ───────────────────────────────────────────────────────────────────────────


def level_of(where: Where) -> Any:
    return NO_GRID[where] if isinstance(where, int) else where.level


def within_deltas(times: Split) -> sa.ColumnElement[bool]:
    month, quarter = heat_delta.c.month, heat_delta.c.quarter
    spans = [
        sa.and_(month == some.month, quarter >= some.first, quarter < some.end)
        for some in times.quarters
    ]
    if times.period.has_months:
        spans.append(sa.and_(sa.true(), *within(month, times.period)))
    return sa.or_(sa.false(), *spans)


def within(month: Any, period: Period) -> Columns:
    conditions: Columns = []
    if period.first is not None:
        conditions.append(month >= smallint(period.first))
    if period.end is not None:
        conditions.append(month < smallint(period.end))
    return conditions
