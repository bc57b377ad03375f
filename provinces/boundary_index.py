"""Which outline covers a point, or is nearest to it."""

from __future__ import annotations

from collections.abc import Mapping
from math import cos, radians, sin, sqrt
from typing import NamedTuple

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

# WGS 84: semi-major axis in metres, and the first eccentricity squared.
SEMI_MAJOR_AXIS = 6_378_137.0
ECCENTRICITY_SQUARED = 0.006_694_379_990_14
FARTHEST_METRES = 2_000_000.0


class Near(NamedTuple):
    code: str
    metres: float


class BoundaryIndex:
    """Outlines by code (WGS 84, degrees, longitude first), held in memory."""

    def __init__(self, outlines: Mapping[str, BaseGeometry]) -> None:
        # By code, so that of several candidates the first is always the same.
        self.codes = sorted(outlines)
        self.outlines = np.array([outlines[code] for code in self.codes], dtype=object)
        shapely.prepare(self.outlines)
        self.tree = shapely.STRtree(self.outlines)

    def covering(self, lon: float, lat: float) -> list[str]:
        """The codes of all outlines that cover the point, border included, in order.

        Several only on a shared border or where outlines overlap.
        """
        found = self.tree.query(shapely.points(lon, lat))
        if not len(found):
            return []
        inside = shapely.intersects_xy(self.outlines[found], lon, lat)
        return [self.codes[i] for i in sorted(found[inside])]

    def nearest(
        self,
        lon: float,
        lat: float,
        within: float = FARTHEST_METRES,
        besides: frozenset[str] = frozenset(),
    ) -> Near | None:
        """The closest outline not farther than `within` metres, leaving some codes out.

        Of two at the same distance, the lower code.
        """
        reach = min(within, 1_000.0)
        while True:
            near = self._nearest_within(lon, lat, reach, besides)
            if near or reach >= within:
                return near
            reach = min(within, reach * 8)

    def _nearest_within(
        self, lon: float, lat: float, reach: float, besides: frozenset[str]
    ) -> Near | None:
        scale = metres_per_degree(lat)
        width, height = (reach / scale * 1.01).tolist()
        window = shapely.box(lon - width, lat - height, lon + width, lat + height)
        best: Near | None = None
        for i in sorted(self.tree.query(window)):
            code = self.codes[i]
            if code in besides or not shapely.intersects(self.outlines[i], window):
                continue
            metres = distance_in_metres(self.outlines[i], lon, lat, scale)
            if metres <= reach and (best is None or metres < best.metres):
                best = Near(code, metres)
        return best


def metres_per_degree(lat: float) -> np.ndarray:
    """How long a degree of longitude and one of latitude are at a latitude, in metres.

    From the ellipsoid's radii of curvature in the prime vertical and the meridian.
    """
    bend = 1 - ECCENTRICITY_SQUARED * sin(radians(lat)) ** 2
    prime_vertical = SEMI_MAJOR_AXIS / sqrt(bend)
    meridian = SEMI_MAJOR_AXIS * (1 - ECCENTRICITY_SQUARED) / bend**1.5
    return np.array(
        [radians(1) * prime_vertical * cos(radians(lat)), radians(1) * meridian]
    )


def distance_in_metres(
    outline: BaseGeometry, lon: float, lat: float, scale: np.ndarray
) -> float:
    """Distance on a plane that touches the Earth at the point: 0 when covered.

    Within 0.2 % of the geodesic for the tens of kilometres that matter here.
    """
    on_plane = shapely.transform(outline, lambda xy: (xy - (lon, lat)) * scale)
    return float(shapely.distance(on_plane, shapely.points(0, 0)))
