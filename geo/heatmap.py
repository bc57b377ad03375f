"""How many public cases there are in each cell of the map."""

from __future__ import annotations

from math import cos, radians
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import func

from geo import sql
from geo.filters import Filters, on_the_map
from geo.tables import case

# A cell is this share of a 256-pixel tile: 16 pixels a side on the screen.
CELLS_PER_TILE = 16
# The public grid is 0.0009° wide: finer cells would only draw its pattern.
FINEST_DEGREES = 0.0009
METRES_PER_DEGREE = 111_320
LATITUDE_OF_PANAMA = 8.5
MOST_CELLS = 5_000


class Heat(NamedTuple):
    """Cells as (longitude, latitude, cases) of their centres; `cell` in metres."""

    cells: list[tuple[float, float, int]]
    cell: float
    total: int


def heat(filters: Filters, zoom: int) -> Heat:
    """The cases that the filters leave, by cell of the zoom's size, densest first."""
    size = cell_size(zoom)
    column = func.floor(func.ST_X(case.c.public_location) / size)
    row = func.floor(func.ST_Y(case.c.public_location) / size)
    count = func.count()
    statement = (
        sa.select(column, row, count, func.sum(count).over())
        .where(*on_the_map(filters))
        .group_by(column, row)
        .order_by(count.desc(), column, row)
        .limit(MOST_CELLS)
    )
    found = sql.rows(statement)
    cells = [
        (round((x + 0.5) * size, 6), round((y + 0.5) * size, 6), weight)
        for x, y, weight, _ in found
    ]
    return Heat(cells, metres_of(size), int(found[0][3]) if found else 0)


def cell_size(zoom: int) -> float:
    """A cell's side in degrees, halved with every zoom."""
    return max(360.0 / (1 << zoom) / CELLS_PER_TILE, FINEST_DEGREES)


def metres_of(degrees: float) -> float:
    return round(degrees * METRES_PER_DEGREE * cos(radians(LATITUDE_OF_PANAMA)), 1)
