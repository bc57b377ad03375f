"""Columns and conditions that the parts of a count have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import func

from geo.any_view import AnyView, Where

Columns = list[sa.ColumnElement[Any]]
# Bits of a cell's row in its tile, and of a cell.
FOUR, EIGHT = (sa.literal_column(str(bits), sa.Integer()) for bits in (4, 8))
# What is counted: cases done or not, and all of them.
COUNTS = ("open", "resolved", "cases")


def counts_of(counts: Iterable[Any]) -> list[sa.ColumnElement[int]]:
    """`COUNTS`, each of one type in all parts of a union."""
    return [
        sa.cast(count, sa.Integer()).label(name)
        for name, count in zip(COUNTS, counts, strict=True)
    ]


def placed(where: Where, x: Any, y: Any) -> tuple[Any, Columns]:
    """A point's key, from its cell of the finest level, and whether it is in the view."""
    if isinstance(where, int):
        return sa.literal_column("0::bigint"), []
    x, y = shifted(x, where.coarser), shifted(y, where.coarser)
    return func.cases_heat_key(where.level, x, y), inside(where, x, y)


def inside(view: AnyView, x: Any, y: Any) -> Columns:
    return [x.between(view.left, view.right), y.between(view.top, view.bottom)]


def of_place(column: Any, code: str) -> sa.ColumnElement[bool]:
    """Codes begin with that of the place around: 080814 is in 0808 and in 08."""
    return func.left(column, len(code)) == code


def short(place: Any, where: Where) -> sa.ColumnElement[str]:
    """The code of the place, of as many digits as are counted by."""
    if isinstance(where, int):
        code: sa.ColumnElement[str] = func.left(place, where)
        return code
    return text(place)


def text(column: Any) -> sa.ColumnElement[str]:
    """Of one kind in all parts of a union, or PostgreSQL would not see into them."""
    return sa.cast(column, sa.Text())


def shifted(number: Any, bits: Any) -> Any:
    """Half as much for each bit; PostgreSQL takes no other than an `integer` for them."""
    return number.op(">>")(bits)


def smallint(number: int) -> sa.ColumnElement[int]:
    return sa.cast(sa.literal(number), sa.SmallInteger())


def select_of(columns: Columns) -> sa.Select[Any]:
    statement: sa.Select[Any] = sa.select(*columns)
    return statement
