"""What was counted of the public cases, as one table: folded, not yet folded, and by hand.

Whole months, and whole quarters of days where nothing but the place is asked, come from
the cells of the heat; an entity's or a category's quarters from the numbers that are kept of
each month. To both belong deltas that wait. The hours that are asked for beside them, or
that they have too many, are counted from the cases. One statement sees all of it at one
instant, and so counts each case once.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import func

from geo.any_view import AnyView, Where
from geo.by_hand import from_cases
from geo.columns import (
    COUNTS,
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
from geo.facets import FACET, facets, is_of_all, of_entity
from geo.filters import Filters, members_of
from geo.one_by_one import from_parts
from geo.periods import Period, Quarters, period_of
from geo.tables import heat_cell, heat_delta

NO_GRID = {0: 0, 2: 1, 4: 2, 6: 3}
FOUR, EIGHT = (sa.literal_column(str(bits), sa.Integer()) for bits in (4, 8))
# Of `Quarters`; named like no parameter of a view.
OF_QUARTERS = ("of_month", "from_quarter", "to_quarter")
# What is told of a cell.
CELL = ("key", "place", "months", "open", "resolved", "cases")
Number = int | sa.ColumnElement[int]


class Stretch(NamedTuple):
    """Months, or quarters of a row's month, from the first to before the end; None: no limit."""

    first: Number | None
    end: Number | None


def counted(filters: Filters, where: Where) -> sa.Subquery:
    """`key`, `place` and `COUNTS`: to be summed by either of the first.

    The filters' state and box decide nothing here.
    """
    return table_of_all(filters, where, by_month=False)


def counted_by_month(filters: Filters, where: Where) -> sa.Subquery:
    """`month` and `COUNTS`: to be summed by month."""
    return table_of_all(filters, where, by_month=True)


def by_state(found: sa.Subquery) -> dict[str, sa.ColumnElement[int]]:
    """The cases that were counted, summed: done or not, or neither."""
    is_open, is_resolved, cases = (func.sum(found.c[name]) for name in COUNTS)
    return {
        "open": is_open,
        "resolved": is_resolved,
        "other": cases - is_open - is_resolved,
    }


def in_state(found: sa.FromClause, state: str) -> sa.ColumnElement[int]:
    """The column of the cases in a state, of those that were counted."""
    return found.c["cases" if state == "all" else state]


def table_of_all(filters: Filters, where: Where, *, by_month: bool) -> sa.Subquery:
    selects, parts = summed_and_not(filters, where, by_month=by_month)
    if parts:
        selects.append(from_parts(filters, where, parts, by_month=by_month))
    return sa.union_all(*selects).subquery("counted")


def summed_and_not(
    filters: Filters, where: Where, *, by_month: bool
) -> tuple[list[sa.Select[Any]], list[Quarters]]:
    """What is to be summed, and of which parts of months there are but single cases.

    By quarters is counted beforehand only what is of all cases.
    """
    if filters.changed_since:  # of which nothing is counted beforehand
        return [from_cases(filters, where, None, by_month=by_month)], []
    selects: list[sa.Select[Any]] = []
    months = period = period_of(filters.since, filters.until)
    parts: list[Quarters] = []
    quarters, hours = period.by_quarters()
    if quarters and is_of_all(filters):
        selects.append(from_quarters(filters, where, quarters, by_month=by_month))
    elif quarters:
        months, parts = period.with_fewest(quarters)
    if months.has_months:
        from_folded = from_months if by_month else from_cells
        selects.append(from_folded(filters, where, months))
    if period.has_months or quarters:
        selects.append(from_deltas(filters, where, period, quarters, by_month=by_month))
    if hours or not selects:
        selects.append(from_cases(filters, where, hours, by_month=by_month))
    return selects, parts


# ── Folded ───────────────────────────────────────────────────────────────────────────


def from_cells(filters: Filters, where: Where, period: Period) -> sa.Select[Any]:
    stretch = Stretch(period.first, period.end)
    cells = found_cells(filters, where, facets(filters), stretch)
    columns: Columns = [cells.c.key, text(cells.c.place).label("place")]
    return select_of(columns + counts_between(cells, stretch))


def from_quarters(
    filters: Filters, where: Where, quarters: list[Quarters], *, by_month: bool
) -> sa.Select[Any]:
    wanted = some_quarters(quarters)
    stretch = Stretch(wanted.c.from_quarter, wanted.c.to_quarter)
    cells = found_cells(filters, where, wanted, stretch)
    by: Columns = (
        [cells.c.of_month.label("month")]
        if by_month
        else [cells.c.key, text(cells.c.place).label("place")]
    )
    return select_of(by + counts_between(cells, stretch))


def some_quarters(quarters: list[Quarters]) -> sa.Values:
    """The rows of these months by quarters, each with which of those are asked for."""
    numbers = [sa.column(name, sa.SmallInteger()) for name in OF_QUARTERS]
    rows = [
        (f"q/{month}", *map(smallint, (month, first, end)))
        for month, first, end, _ in quarters
    ]
    return sa.values(FACET, *numbers, name="facets").data(rows)


def counts_between(
    cells: sa.FromClause, stretch: Stretch
) -> list[sa.ColumnElement[int]]:
    """`COUNTS` of a stretch; where it begins and ends in the arrays, `cells` tells."""
    return counts_of(
        func.coalesce(column[cells.c.until], 0)
        - (func.coalesce(column[cells.c.before], 0) if stretch.first is not None else 0)
        for column in (cells.c[name] for name in COUNTS)
    )


def from_months(filters: Filters, where: Where, period: Period) -> sa.Select[Any]:
    cells = found_cells(filters, where, facets(filters))
    i = func.generate_subscripts(cells.c.months, 1).column_valued("i")
    month = cells.c.months[i]
    counts = counts_of(
        column[i] - func.coalesce(column[i - 1], 0)
        for column in (cells.c[name] for name in COUNTS)
    )
    return sa.select(month.label("month"), *counts).where(*within(month, period))


def found_cells(
    filters: Filters,
    where: Where,
    wanted: sa.Subquery | sa.Values,
    stretch: Stretch | None = None,
) -> sa.Subquery:
    """The rows of the cells, found range by range in the order they are kept in.

    Of a stretch, `until` is where in a row's arrays its last count is, and `before` where the
    last one before it is; 0 is nowhere. Told as a loop, for the planner guesses that a
    range holds a share of the table.
    """
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
    if stretch:
        told.append(place_of_last(stretch.end).label("until"))
        if stretch.first is not None:
            told.append(place_of_last(stretch.first).label("before"))
    rows = sa.select(*told).where(*conditions).offset(0).lateral("found")
    asked = (column for column in wanted.c if column.name != FACET.name)
    return (
        sa.select(*asked, *rows.c)
        .select_from(source.join(rows, sa.true()))
        .subquery("cells")
    )


def place_of_last(end: Number | None) -> sa.ColumnElement[int]:
    """Where in a row's arrays the last month, or quarter, before this one is."""
    months = heat_cell.c.months
    if end is None:
        return func.cardinality(months)
    return func.width_bucket(sa.cast(end - 1, sa.SmallInteger()), months)


def columns_of_key(key: Any, view: AnyView) -> tuple[Any, Any]:
    """A cell's column and row, from its key at the view's level."""
    tile, cell = shifted(key, EIGHT), key.op("&")(255)
    x = tile.op("&")(view.last_tile) * 16 + cell.op("&")(15)
    y = shifted(tile, view.level) * 16 + shifted(cell, FOUR)
    return x, y


# ── Not yet folded ───────────────────────────────────────────────────────────────────


def from_deltas(
    filters: Filters,
    where: Where,
    period: Period,
    quarters: list[Quarters],
    *,
    by_month: bool,
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
    return sa.select(*by, *counts).where(*conditions, within_deltas(period, quarters))


# ── Shared ───────────────────────────────────────────────────────────────────────────


def level_of(where: Where) -> Any:
    return NO_GRID[where] if isinstance(where, int) else where.level


def within_deltas(period: Period, quarters: list[Quarters]) -> sa.ColumnElement[bool]:
    month, quarter = heat_delta.c.month, heat_delta.c.quarter
    spans = [
        sa.and_(month == some.month, quarter >= some.first, quarter < some.end)
        for some in quarters
    ]
    if period.has_months:
        spans.append(sa.and_(sa.true(), *within(month, period)))
    return sa.or_(sa.false(), *spans)


def within(month: Any, period: Period) -> Columns:
    conditions: Columns = []
    if period.first is not None:
        conditions.append(month >= smallint(period.first))
    if period.end is not None:
        conditions.append(month < smallint(period.end))
    return conditions
