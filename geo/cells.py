"""The grid of the heat: which cells a view touches, and where on the globe each is."""

from __future__ import annotations

from math import asinh, atan, ceil, cos, degrees, floor, log10, pi, radians, sinh, tan
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

# As in the database: see `cases_heat_key`.
LEVELS = range(4, 15)
# A cell is this share of a 256-pixel tile: 16 pixels a side on the screen.
CELLS_PER_TILE = 16
# Of a view on a large screen; a larger one is told in coarser cells.
MOST_IN_VIEW = 16_384
EQUATOR_METRES = 40_075_016.686
LATITUDE_OF_PANAMA = 8.5
# Web Mercator ends there, in degrees.
NORTHERNMOST = 85.05


class Box(NamedTuple):
    """West, south, east, north in degrees (WGS 84)."""

    west: float
    south: float
    east: float
    north: float


# All that the outlines of Panama hold; a question without a box is about it.
COUNTRY = Box(-83.1, 7.0, -77.0, 9.8)


class View(NamedTuple):
    """A level's cells from `left` to `right` and from `top` to `bottom`, all included.

    Counted from the west and from the north of the world.
    """

    level: int
    left: int
    top: int
    right: int
    bottom: int

    @classmethod
    def of_box(cls, box: Box, level: int) -> Self:
        """The cells that a box touches."""
        left, top = cell_at(box.west, box.north, level)
        right, bottom = cell_at(box.east, box.south, level)
        return cls(level, left, top, right, bottom)

    @classmethod
    def of_tile(cls, zoom: int, x: int, y: int) -> Self:
        """The cells of a tile, finer ones than its zoom's where those are not kept."""
        level = min(max(zoom, LEVELS.start), LEVELS.stop - 1)
        left, top = x * CELLS_PER_TILE, y * CELLS_PER_TILE
        right, bottom = left + CELLS_PER_TILE - 1, top + CELLS_PER_TILE - 1
        coarser, finer = max(zoom - level, 0), max(level - zoom, 0)
        return cls(
            level,
            left >> coarser << finer,
            top >> coarser << finer,
            ((right >> coarser) + 1 << finer) - 1,
            ((bottom >> coarser) + 1 << finer) - 1,
        )

    @property
    def size(self) -> int:
        return (self.right - self.left + 1) * (self.bottom - self.top + 1)

    def holds(self, x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.bool_]:
        """Which of the cells with these columns and rows are in the view."""
        across = (x >= self.left) & (x <= self.right)
        return across & (y >= self.top) & (y <= self.bottom)

    def key_ranges(self) -> list[tuple[int, int]]:
        """First and last key of each row of tiles that hold these cells."""
        rows = range(self.top // CELLS_PER_TILE, self.bottom // CELLS_PER_TILE + 1)
        first, last = self.left // CELLS_PER_TILE, self.right // CELLS_PER_TILE
        # All around the world, one row follows upon the other.
        if first == 0 and last + 1 == 1 << self.level:
            return [(rows.start << self.level << 8, (rows.stop << self.level << 8) - 1)]
        starts = [row << self.level for row in rows]
        return [((start + first) << 8, (start + last << 8) + 255) for start in starts]

    def edges(self) -> tuple[int, list[float]]:
        """The southernmost row that is Panama's too, and the latitudes between such rows.

        From the south on, with both outer ones: of n rows n + 1.
        """
        country = self.of_box(COUNTRY, self.level)
        top, bottom = max(self.top, country.top), min(self.bottom, country.bottom)
        rows = np.arange(bottom + 1, top - 1, -1, dtype=np.float64)
        return bottom, latitudes(rows, self.level).tolist()

    def box(self) -> Box:
        """The cells' outer edges."""
        west, north = corner(self.left, self.top, self.level)
        east, south = corner(self.right + 1, self.bottom + 1, self.level)
        return Box(west, south, east, north)


def view_of(box: Box | None, zoom: int, most: int = MOST_IN_VIEW) -> View:
    """The cells of a zoom that a box touches, coarser ones where they are too many.

    Without a box, the world's; with one that is nowhere near Panama, none.
    """
    level = min(max(zoom, LEVELS.start), LEVELS.stop - 1)
    seen = common(box, COUNTRY) if box else COUNTRY
    if seen is None:
        return View(level, 0, 0, -1, -1)
    while View.of_box(seen, level).size > most and level > LEVELS.start:
        level -= 1
    last = cells_a_side(level) - 1
    return View.of_box(seen, level) if box else View(level, 0, 0, last, last)


def common(box: Box, other: Box) -> Box | None:
    """Where both are, if there is such a place."""
    west, south = max(box.west, other.west), max(box.south, other.south)
    east, north = min(box.east, other.east), min(box.north, other.north)
    return Box(west, south, east, north) if west <= east and south <= north else None


def of_keys(
    keys: NDArray[np.int64], level: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The columns and the rows of the cells with these keys."""
    rows, columns = np.divmod(keys >> 8, 1 << level)
    return columns * 16 + (keys & 15), rows * 16 + (keys >> 4 & 15)


def keys_of(
    x: NDArray[np.int64], y: NDArray[np.int64], level: int
) -> NDArray[np.int64]:
    """The keys of the cells with these columns and rows: see `cases_heat_key`."""
    tiles = ((y >> 4) << level) + (x >> 4)
    keys: NDArray[np.int64] = (tiles << 8) + ((y & 15) << 4) + (x & 15)
    return keys


def cells_a_side(level: int) -> int:
    return CELLS_PER_TILE << level


def cell_at(longitude: float, latitude: float, level: int) -> tuple[int, int]:
    """The cell that holds a point, counted from the west and from the north."""
    side = cells_a_side(level)
    latitude = min(max(latitude, -NORTHERNMOST), NORTHERNMOST)
    x = floor((longitude + 180) / 360 * side)
    y = floor((0.5 - asinh(tan(radians(latitude))) / (2 * pi)) * side)
    return min(max(x, 0), side - 1), min(max(y, 0), side - 1)


def corner(x: float, y: float, level: int) -> tuple[float, float]:
    """Longitude and latitude of a cell's north-western corner."""
    side = cells_a_side(level)
    return x / side * 360 - 180, degrees(atan(sinh((0.5 - y / side) * 2 * pi)))


def middles(keys: NDArray[np.int64], level: int) -> tuple[list[float], list[float]]:
    """The longitudes and latitudes of the cells' middles, as exact as their size deserves."""
    x, y = of_keys(keys, level)
    digits = decimals(level)
    lons = ((x + 0.5) / cells_a_side(level) * 360 - 180).round(digits)
    lats = latitudes(y + 0.5, level).round(digits)
    return lons.tolist(), lats.tolist()


def latitudes(y: NDArray[np.floating[Any]], level: int) -> NDArray[np.float64]:
    """How far north so many cells from the north of the world are."""
    return np.degrees(np.arctan(np.sinh((0.5 - y / cells_a_side(level)) * 2 * pi)))


def decimals(level: int) -> int:
    """How many digits tell a hundredth of a cell."""
    return ceil(-log10(360 / cells_a_side(level) / 100))


def metres(level: int) -> float:
    """A cell's side in Panama."""
    side = EQUATOR_METRES / cells_a_side(level)
    return round(side * cos(radians(LATITUDE_OF_PANAMA)), 1)
