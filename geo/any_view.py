"""Statements made once for all views, wherever each is.

Making a statement takes SQLAlchemy longer than answering it takes PostgreSQL. So it is
made for `ANY_VIEW`, in whose place the numbers of each view come as parameters.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from backend.cases.heat import FINEST
from geo import sql
from geo.cells import Box, View, cells_a_side
from geo.filters import Filters

# How many statements of each kind are kept: some 10 kB each.
MOST_KEPT = 128
NOWHERE = [(0, -1)]
KEYS = sa.ARRAY(sa.BigInteger())
DEGREES: sa.ARRAY[float] = sa.ARRAY(sa.Double())


class AnyView:
    """To a statement what a view is, but that none of its numbers is known yet."""

    level = sql.given("level", sa.Integer())
    # By how many levels than the finest.
    coarser = sql.given("coarser", sa.Integer())
    # Of a row of tiles, counted from 0: in binary all ones.
    last_tile = sql.given("last_tile", sa.BigInteger())
    left = sql.given("left", sa.Integer())
    top = sql.given("top", sa.Integer())
    right = sql.given("right", sa.Integer())
    bottom = sql.given("bottom", sa.Integer())
    # Cells around the world.
    side = sql.given("side", sa.Double())
    # See `View.edges`.
    southernmost = sql.given("southernmost", sa.Integer())
    edges = sql.given("edges", DEGREES)

    def key_ranges(self) -> Any:
        """A table of `first` and `last`."""
        ranges = sa.func.unnest(sql.given("firsts", KEYS), sql.given("lasts", KEYS))
        return ranges.table_valued("first", "last").render_derived(name="ranges")

    def box(self) -> Box:
        sides: list[Any] = [sql.given(side, sa.Float()) for side in Box._fields]
        return Box(*sides)


ANY_VIEW = AnyView()
# Where to count: cells of a grid, or a level without one, of places with so many digits.
Where = AnyView | int


def wherever(filters: Filters) -> Filters:
    """The same for all views: the box is the view's."""
    return replace(filters, box=None)


def numbers_of(view: View) -> dict[str, Any]:
    """The parameters of a statement that was made for any view."""
    ranges = view.key_ranges() or NOWHERE
    southernmost, edges = view.edges()
    return {
        **{name: getattr(view, name) for name in ("left", "top", "right", "bottom")},
        "level": view.level,
        "coarser": FINEST - view.level,
        "last_tile": (1 << view.level) - 1,
        "firsts": [first for first, _ in ranges],
        "lasts": [last for _, last in ranges],
        "side": float(cells_a_side(view.level)),
        "southernmost": southernmost,
        "edges": edges,
        **view.box()._asdict(),
    }
