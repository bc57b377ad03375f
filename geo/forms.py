"""Statements made once for all views of one form, wherever each is.

Making a statement takes SQLAlchemy longer than answering it takes PostgreSQL. So it is
made for a `Form`, in whose place the numbers of each view come as parameters.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple, Self

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from backend.cases.heat import DAY_GRIDS, FINEST
from geo import sql
from geo.cells import Box, View
from geo.filters import Filters

# How many statements of each kind are kept: some 10 kB each.
MOST_KEPT = 128
NOWHERE = [(0, -1)]


class Form(NamedTuple):
    """To a statement what a view is, but that none of its numbers is known yet.

    `has_days`: whether days are counted at the view's own level, or at a finer one;
    `name` is what its parameters' names begin with.
    """

    has_days: bool
    name: str = ""

    @classmethod
    def of(cls, view: View) -> Self:
        return cls(view.level in DAY_GRIDS)

    def with_days(self) -> Form:
        """The form of the view of the same cells at the next level that has days."""
        return Form(True, "day_")

    @property
    def level(self) -> Any:
        return self.number("level", sa.Integer())

    @property
    def coarser(self) -> Any:
        """By how many levels than the finest."""
        return self.number("coarser", sa.Integer())

    @property
    def finer_days(self) -> Any:
        """By how many levels the view is finer whose cells have days."""
        return self.number("finer_days", sa.Integer())

    @property
    def last_tile(self) -> Any:
        """Of a row of tiles, counted from 0: in binary all ones."""
        return self.number("last_tile", sa.BigInteger())

    @property
    def left(self) -> Any:
        return self.number("left", sa.Integer())

    @property
    def top(self) -> Any:
        return self.number("top", sa.Integer())

    @property
    def right(self) -> Any:
        return self.number("right", sa.Integer())

    @property
    def bottom(self) -> Any:
        return self.number("bottom", sa.Integer())

    def key_ranges(self) -> Any:
        """A table of `first` and `last`."""
        keys = sa.ARRAY(sa.BigInteger())
        ranges = sa.func.unnest(self.number("firsts", keys), self.number("lasts", keys))
        return ranges.table_valued("first", "last").render_derived(name="ranges")

    def box(self) -> Box:
        sides: list[Any] = [self.number(side, sa.Float()) for side in Box._fields]
        return Box(*sides)

    def number(self, name: str, kind: TypeEngine[Any]) -> sa.BindParameter[Any]:
        """The parameter of this name: see `numbers_of`."""
        return sql.given(f"{self.name}{name}", kind)


def wherever(filters: Filters) -> Filters:
    """The same for all views: the box is the view's."""
    return replace(filters, box=None)


def numbers_of(view: View) -> dict[str, Any]:
    """The parameters of a statement that was made for the view's form."""
    finer = view.at_level(next(level for level in DAY_GRIDS if level >= view.level))
    by_days = {f"day_{name}": value for name, value in numbers_alone(finer).items()}
    return numbers_alone(view) | by_days | {"finer_days": finer.level - view.level}


def numbers_alone(view: View) -> dict[str, Any]:
    ranges = view.key_ranges() or NOWHERE
    return {
        **{name: getattr(view, name) for name in ("left", "top", "right", "bottom")},
        "level": view.level,
        "coarser": FINEST - view.level,
        "last_tile": (1 << view.level) - 1,
        "firsts": [first for first, _ in ranges],
        "lasts": [last for _, last in ranges],
        **view.box()._asdict(),
    }
