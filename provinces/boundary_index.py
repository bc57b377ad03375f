"""Which outline covers a point, or is nearest to it."""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, radians, sin, sqrt
from typing import NamedTuple

import shapely
from shapely import Point
from shapely.geometry.base import BaseGeometry

# WGS 84: semi-major axis in metres, and the first eccentricity squared.
SEMI_MAJOR_AXIS = 6_378_137.0
ECCENTRICITY_SQUARED = 0.006_694_379_990_14
FARTHEST_METRES = 2_000_000.0
ORIGIN = Point(0, 0)


class Near(NamedTuple):
    code: str
    metres: float


class BoundaryIndex:
    """Outlines by code (WGS 84, degrees, longitude first), held in memory.

    Made for a country's districts: a hundred boxes are looked through one by one in
    less time than a tree takes to be asked.
    """

    def __init__(self, outlines: Mapping[str, BaseGeometry]) -> None:
        # By code, so that of several candidates the first is always the same.
        self.outlines = [
            (*outline.bounds, code, outline)
            for code, outline in sorted(outlines.items())
        ]
        shapely.prepare([outline for *_box, outline in self.outlines])

    def covering(self, point: Point) -> list[str]:
        """The codes of all outlines that cover the point, border included, in order.

        Several only on a shared border or where outlines overlap.
        """
        lon, lat = point.x, point.y
        return [
            code
            for west, south, east, north, code, outline in self.outlines
            if west <= lon <= east
            and south <= lat <= north
            and outline.intersects(point)
        ]

    def nearest(
        self,
        point: Point,
        within: float = FARTHEST_METRES,
        besides: str = "",
    ) -> Near | None:
        """The closest outline not farther than `within` metres, leaving one code out.

        Of two at the same distance, the lower code.
        """
        reach = min(within, 1_000.0)
        while True:
            near = self._nearest_within(point, reach, besides)
            if near or reach >= within:
                return near
            reach = min(within, reach * 8)

    def _nearest_within(self, point: Point, reach: float, besides: str) -> Near | None:
        scale = metres_per_degree(point.y)
        # A little more, so that rounding loses none that is exactly as far.
        degrees = reach / min(scale) * 1.001
        west_of, east_of = point.x - degrees, point.x + degrees
        south_of, north_of = point.y - degrees, point.y + degrees
        best: Near | None = None
        for west, south, east, north, code, outline in self.outlines:
            if (
                west <= east_of
                and east >= west_of
                and south <= north_of
                and north >= south_of
                and code != besides
                and outline.dwithin(point, degrees)
            ):
                metres = distance_in_metres(outline, point, scale)
                if metres <= reach and (best is None or metres < best.metres):
                    best = Near(code, metres)
        return best


def metres_per_degree(lat: float) -> tuple[float, float]:
    """How long a degree of longitude and one of latitude are at a latitude, in metres.

    From the ellipsoid's radii of curvature in the prime vertical and the meridian.
    """
    bend = 1 - ECCENTRICITY_SQUARED * sin(radians(lat)) ** 2
    prime_vertical = SEMI_MAJOR_AXIS / sqrt(bend)
    meridian = SEMI_MAJOR_AXIS * (1 - ECCENTRICITY_SQUARED) / bend**1.5
    return radians(1) * prime_vertical * cos(radians(lat)), radians(1) * meridian


def distance_in_metres(
    outline: BaseGeometry, point: Point, scale: tuple[float, float]
) -> float:
    """Distance on a plane that touches the Earth at the point: 0 when covered.

    Within 0.2 % of the geodesic for the tens of kilometres that matter here.
    """
    here = (point.x, point.y)
    on_plane = shapely.transform(outline, lambda degrees: (degrees - here) * scale)
    # To the millimetre: the last bits differ with where a ring starts, and ties must not.
    return round(float(on_plane.distance(ORIGIN)), 3)
