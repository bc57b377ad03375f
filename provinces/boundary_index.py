"""Which outline covers a point, or is nearest to it: for one point, or for many at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from functools import cached_property
from itertools import pairwise
from math import cos, inf, radians, sin, sqrt
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Point
from shapely.geometry.base import BaseGeometry

# WGS 84: semi-major axis in metres, and the first eccentricity squared.
SEMI_MAJOR_AXIS = 6_378_137.0
ECCENTRICITY_SQUARED = 0.006_694_379_990_14
FARTHEST_METRES = 2_000_000.0
# How far the nearest is looked for first, and how many times farther the next time.
FIRST_METRES = 1_000.0
FARTHER = 8
# Borders are measured in pieces of so many segments: only those near a point count.
SEGMENTS = 8
ORIGIN = Point(0, 0)
CLOSEST = attrgetter("metres", "code")

Box = tuple[float, float, float, float]
Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]


class Near(NamedTuple):
    code: str
    metres: float


class Outline(NamedTuple):
    code: str
    shape: BaseGeometry
    west: float
    south: float
    east: float
    north: float


class BoundaryIndex:
    """Outlines by code (WGS 84, degrees, longitude first), held in memory.

    An outline's number is the place of its code in `codes`. They are in order: of
    several candidates the first is always the same.
    """

    def __init__(self, outlines: Mapping[str, BaseGeometry]) -> None:
        self.codes = sorted(outlines)
        self.outlines = [
            Outline(code, outlines[code], *outlines[code].bounds) for code in self.codes
        ]
        shapely.prepare([outline.shape for outline in self.outlines])
        # Between two meridians where boxes begin or end, all points have the same few
        # candidates: looked through in less time than a tree takes to be asked.
        self._sides = sorted({x for box in self.outlines for x in (box.west, box.east)})
        self._strips = [
            [box for box in self.outlines if box.west < right and box.east >= left]
            for left, right in pairwise([-inf, *self._sides, inf])
        ]

    def covering(self, point: Point) -> list[str]:
        """The codes of all outlines that cover the point, border included, in order.

        Several only on a shared border or where outlines overlap.
        """
        lon, lat = point.x, point.y
        return [
            code
            for code, shape, west, south, east, north in self._strip(lon)
            if west <= lon <= east and south <= lat <= north and shape.intersects(point)
        ]

    def first_covering(self, lons: Floats, lats: Floats) -> Numbers:
        """For each point the number of what `covering` finds first; -1 for nothing."""
        first = np.full(len(lons), -1, dtype=np.intp)
        # From the last to the first, so that the first is what stays.
        for number, points in reversed(self._covered(lons, lats)):
            first[points] = number
        return first

    def all_covering(self, lons: Floats, lats: Floats) -> dict[int, list[str]]:
        """What `covering` finds for each point, by its place, where it finds something."""
        found: dict[int, list[str]] = {}
        for number, points in self._covered(lons, lats):
            for point in points.tolist():
                found.setdefault(point, []).append(self.codes[number])
        return found

    def _covered(self, lons: Floats, lats: Floats) -> list[tuple[int, Numbers]]:
        """Each outline's number, in order, with the places of the points it covers."""
        order = np.argsort(lons)
        x, y = lons[order], lats[order]
        covered = []
        for number, box in enumerate(self.outlines):
            first = np.searchsorted(x, box.west, "left")
            end = np.searchsorted(x, box.east, "right")
            between = (box.south <= y[first:end]) & (y[first:end] <= box.north)
            in_box = first + np.flatnonzero(between)
            inside = shapely.intersects_xy(box.shape, x[in_box], y[in_box])
            covered.append((number, order[in_box[inside]]))
        return covered

    def nearest(
        self,
        point: Point,
        within: float = FARTHEST_METRES,
        besides: str = "",
    ) -> Near | None:
        """The closest outline not farther than `within` metres, leaving one code out.

        Of two at the same distance, the lower code.
        """
        reach = min(within, FIRST_METRES)
        while True:
            near = self._nearest_within(point, reach, besides)
            if near or reach >= within:
                return near
            reach = min(within, reach * FARTHER)

    def _nearest_within(self, point: Point, reach: float, besides: str) -> Near | None:
        lon, lat = point.x, point.y
        scale = metres_per_degree(lat)
        degrees = degrees_of(reach, scale)
        around = (lon - degrees, lat - degrees, lon + degrees, lat + degrees)
        if besides and not self._has_others(point, degrees, around, besides):
            return None
        borders, owners = self._borders
        pieces = borders.query(shapely.box(*around))
        distances = distances_in_metres(borders.geometries[pieces], (lon, lat), scale)
        near = [
            Near(self.codes[number], metres)
            for number, metres in zip(
                owners[pieces].tolist(), distances.tolist(), strict=True
            )
            if metres <= reach
        ]
        near += [Near(code, 0.0) for code in self.covering(point)]
        others = [each for each in near if each.code != besides]
        return min(others, key=CLOSEST, default=None)

    def _has_others(
        self, point: Point, degrees: float, around: Box, besides: str
    ) -> bool:
        """Whether another outline is near: for most points none is, and this is soon said."""
        left, bottom, right, top = around
        strip = self._strip(left)
        if strip is not self._strip(right):
            strip = self.outlines
        for code, shape, west, south, east, north in strip:
            if (
                west <= right
                and left <= east
                and south <= top
                and bottom <= north
                and code != besides
                and shape.dwithin(point, degrees)
            ):
                return True
        return False

    def nearest_to_each(
        self, lons: Floats, lats: Floats, within: Floats
    ) -> tuple[Numbers, Floats]:
        """For points that nothing covers: the number of what `nearest` finds, and metres.

        -1 where it finds nothing.
        """
        nearest = np.full(len(lons), -1, dtype=np.intp)
        distance = np.full(len(lons), inf)
        left = np.arange(len(lons))
        reach = FIRST_METRES
        while left.size:
            reaches = np.minimum(within[left], reach)
            points, numbers, metres = self._measured(lons[left], lats[left], reaches)
            # From the farthest to the nearest, so that the nearest is what stays.
            order = np.lexsort((numbers, metres))[::-1]
            found = left[points[order]]
            nearest[found], distance[found] = numbers[order], metres[order]
            left = left[(nearest[left] < 0) & (reaches < within[left])]
            reach *= FARTHER
        return nearest, distance

    def _measured(
        self, lons: Floats, lats: Floats, reach: Floats
    ) -> tuple[Numbers, Numbers, Floats]:
        """Points, the number of an outline within reach of each, and how many metres off.

        The same two more than once, if the border comes near more than once.
        """
        borders, owners = self._borders
        here = np.column_stack([lons, lats])
        scales = [metres_per_degree(lat) for lat in lats.tolist()]
        degrees = list(map(degrees_of, reach.tolist(), scales))
        points, pieces = borders.query(shapely.points(here), "dwithin", degrees)
        lines = borders.geometries[pieces]
        whose = np.repeat(points, shapely.get_num_coordinates(lines))
        metres = distances_in_metres(lines, here[whose], np.array(scales)[whose])
        near = metres <= reach[points]
        return points[near], owners[pieces[near]], metres[near]

    @cached_property
    def _borders(self) -> tuple[shapely.STRtree, Numbers]:
        """All borders in short pieces, and the number of the outline of each."""
        lines: list[BaseGeometry] = []
        owners: list[int] = []
        for number, outline in enumerate(self.outlines):
            for ring in shapely.get_parts(shapely.boundary(outline.shape)):
                pieces = pieces_of(ring)
                lines += pieces
                owners += [number] * len(pieces)
        return shapely.STRtree(lines), np.array(owners, dtype=np.intp)

    def _strip(self, lon: float) -> list[Outline]:
        """All whose box this meridian may cross."""
        return self._strips[bisect_right(self._sides, lon)]


def pieces_of(ring: BaseGeometry) -> list[BaseGeometry]:
    at = shapely.get_coordinates(ring)
    return [
        shapely.linestrings(at[first : first + SEGMENTS + 1])
        for first in range(0, len(at) - 1, SEGMENTS)
    ]


def degrees_of(metres: float, scale: tuple[float, float]) -> float:
    """In any direction, and a little more: rounding loses none that is exactly as far."""
    return metres / min(scale) * 1.001


def metres_per_degree(lat: float) -> tuple[float, float]:
    """How long a degree of longitude and one of latitude are at a latitude, in metres.

    From the ellipsoid's radii of curvature in the prime vertical and the meridian.
    """
    bend = 1 - ECCENTRICITY_SQUARED * sin(radians(lat)) ** 2
    prime_vertical = SEMI_MAJOR_AXIS / sqrt(bend)
    meridian = SEMI_MAJOR_AXIS * (1 - ECCENTRICITY_SQUARED) / bend**1.5
    return radians(1) * prime_vertical * cos(radians(lat)), radians(1) * meridian


def distances_in_metres(lines: NDArray[np.object_], here: Any, scale: Any) -> Floats:
    """Of each line from a point, on a plane that touches the Earth at the point.

    `here` and `scale` are of one point, in degrees and in metres per degree, or else of
    one for each of the lines' coordinates. Within 0.2 % of the geodesic for the tens of
    kilometres that matter here.
    """
    on_plane = (shapely.get_coordinates(lines) - here) * scale
    distances: Floats = shapely.distance(
        shapely.set_coordinates(lines.copy(), on_plane), ORIGIN
    )
    # To the millimetre: the last bits differ with where a ring starts, and ties must not.
    return np.round(distances, 3)
