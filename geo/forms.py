"""Statements made once for all views of one form, wherever each is.

Making a statement takes SQLAlchemy longer than answering it takes PostgreSQL. So it is
made for a `Form`, in whose place the numbers of each view come as parameters.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple, Self

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from backend.cases.heat import DAY_GRIDS
from geo import sql
from geo.cells import Box, View
from geo.filters import Filters

# How many statements of each kind are kept: some 10 kB each.
MOST_KEPT = 128
NOWHERE = [(0, -1)]


class Form(NamedTuple):
    """To a statement what a view is, but that its numbers are not known yet.

    `ranges` are those of its keys, `day_ranges` those of the finer view that has days;
    `name` is what its parameters' names begin with.
    """

    level: int
    ranges: int
    day_ranges: int
    name: str = ""

    @classmethod
    def of(cls, view: View) -> Self:
        return cls(view.level, len(ranges_of(view)), len(ranges_of(view_by_days(view))))

    def with_days(self) -> Form:
        """The form of the view of the same cells at the next level that has days."""
        return Form(
            level_with_days(self.level), self.day_ranges, self.day_ranges, "day_"
        )

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

    def key_ranges(self) -> list[tuple[Any, Any]]:
        key = sa.BigInteger()
        return [
            (self.number(f"first_{n}", key), self.number(f"last_{n}", key))
            for n in range(self.ranges)
        ]

    def box(self) -> Box:
        sides: list[Any] = [self.number(side, sa.Float()) for side in Box._fields]
        return Box(*sides)

    def number(self, name: str, kind: TypeEngine[Any]) -> sa.BindParameter[Any]:
        """The parameter of this name: see `numbers_of`."""
        return sql.given(f"{self.name}{name}", kind)


def wherever(filters: Filters) -> Filters:
    """The same for all views: the box is the view's."""
    return replace(filters, box=None)


def numbers_of(view: View) -> dict[str, float]:
    """The parameters of a statement that was made for the view's form."""
    finer = numbers_alone(view_by_days(view))
    return numbers_alone(view) | {f"day_{name}": value for name, value in finer.items()}


def numbers_alone(view: View) -> dict[str, float]:
    return {
        **{name: getattr(view, name) for name in ("left", "top", "right", "bottom")},
        **{f"first_{n}": first for n, (first, _) in enumerate(ranges_of(view))},
        **{f"last_{n}": last for n, (_, last) in enumerate(ranges_of(view))},
        **view.box()._asdict(),
    }


def view_by_days(view: View) -> View:
    return view.at_level(level_with_days(view.level))


def level_with_days(level: int) -> int:
    """The next level at which days are counted: this one, or a finer one."""
    return next(finer for finer in DAY_GRIDS if finer >= level)


def ranges_of(view: View) -> list[tuple[int, int]]:
    return view.key_ranges() or NOWHERE
