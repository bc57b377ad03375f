"""Cases counted one by one: of the hours that are asked for beside whole months and days."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import func

from backend.cases.workflow import OPEN, RESOLVED
from geo.any_view import AnyView, Where
from geo.columns import Columns, inside, short
from geo.filters import Filters, envelope, on_the_map
from geo.periods import Hours
from geo.tables import case

FEW = timedelta(days=1)


def from_cases(
    filters: Filters, where: Where, hours: list[Hours] | None, *, by_month: bool
) -> sa.Select[Any]:
    """One row for each case of these hours; without them, of all times."""
    cases = found_cases(filters, where, hours)
    by: Columns
    if by_month:
        by = [func.cases_heat_month(cases.c.filed_at).label("month")]
    else:
        by = [key_of(cases, where).label("key"), cases.c.place]
    is_open, is_resolved = cases.c.is_open, cases.c.is_resolved
    counts = [
        (sa.cast(is_so, sa.Integer()) * cases.c.sign).label(name)
        for name, is_so in {"open": is_open, "resolved": is_resolved}.items()
    ]
    counts.append(cases.c.sign.label("cases"))
    conditions = [] if isinstance(where, int) else inside(where, cases.c.x, cases.c.y)
    return sa.select(*by, *counts).where(*conditions)


def found_cases(
    filters: Filters, where: Where, hours: list[Hours] | None
) -> sa.Subquery:
    """The cases, each with its cell of the view, if there is one.

    Kept apart from what is made of the cell, or PostgreSQL would work it out anew
    wherever it is named.
    """
    asked = replace(filters, state="all", box=None)
    cases: sa.FromClause = case
    conditions: Columns = []
    if hours is not None:
        asked = replace(asked, since=None, until=None)
        if are_few(hours):
            cases = filed_cases(hours)
        else:
            conditions.append(filed_in(hours, case))
    conditions += on_the_map(asked, cases)
    point = cases.c.public_location
    place = func.coalesce(cases.c.corregimiento_id, cases.c.district_id)
    told: Columns = [
        short(place, where).label("place"),
        cases.c.filed_at,
        cases.c.status.in_(sorted(OPEN)).label("is_open"),
        cases.c.status.in_(sorted(RESOLVED)).label("is_resolved"),
    ]
    if not isinstance(where, int):
        x, y = cell_of(point, where)
        told += [x.label("x"), y.label("y")]
        if cases is case:
            conditions.append(point.op("&&")(envelope(where.box())))
    taken_away = [some for some in hours or [] if some.sign < 0]
    told.append(sa.case((filed_in(taken_away, cases), -1), else_=1).label("sign"))
    return sa.select(*told).where(*conditions).offset(0).subquery("cases")


def filed_cases(hours: list[Hours]) -> sa.Subquery:
    """The cases of a few hours, found by their times, whatever else is asked of them.

    PostgreSQL would look through an entity's as well, or through a box's, which are a hundred
    times as many; and through all that there are, before it has counted them.
    """
    filed = sa.select(case).where(filed_in(hours, case))
    return filed.offset(0).subquery("filed")


def cell_of(point: Any, view: AnyView) -> tuple[Any, Any]:
    """Column and row of a point's cell at the view's level, as the heat numbers them.

    The row without trigonometry, by the latitudes between rows: some ten comparisons. What
    lies beyond those of Panama counts as in the next row.
    """
    x = func.floor((func.ST_X(point) + 180) / 360 * view.side)
    rows_up = func.width_bucket(func.ST_Y(point), view.edges)
    return sa.cast(x, sa.Integer()), view.southernmost + 1 - rows_up


def key_of(cases: sa.Subquery, where: Where) -> sa.ColumnElement[int]:
    if isinstance(where, int):
        return sa.literal_column("0::bigint")
    key: sa.ColumnElement[int] = func.cases_heat_key(where.level, cases.c.x, cases.c.y)
    return key


def are_few(hours: Iterable[Hours] | None) -> bool:
    return hours is not None and all(some.until - some.since <= FEW for some in hours)


def filed_in(hours: list[Hours], cases: sa.FromClause) -> sa.ColumnElement[bool]:
    filed_at = cases.c.filed_at
    within_one = [
        sa.and_(filed_at >= some.since, filed_at < some.until) for some in hours
    ]
    return sa.or_(sa.false(), *within_one)
