"""Which province, district and corregimiento a point belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from threading import Lock

import numpy as np
import shapely
from django.conf import settings
from django.contrib.gis.geos import Point
from numpy.typing import NDArray

from provinces.boundary_index import BoundaryIndex, Floats, Near, Numbers
from provinces.editions import Edition, edition_in_force
from provinces.models import (
    Boundary,
    Corregimiento,
    District,
    Level,
    Province,
)

# How far a point may lie inside a neighbouring country and still be Panama's: the
# shipped outlines of the land borders are no better than this, in metres.
BORDER_TOLERANCE_METRES = 300.0
one_at_a_time = Lock()


class OutsidePanama(Exception):
    """The point is in no district, nor near enough to one."""


class NotThisSide(Exception):
    """The district is neither the point's own nor the one across the border."""


class NoBoundaries(Exception):
    """No generation of boundaries is active: run `load_boundaries`."""


@dataclass(frozen=True, slots=True)
class Named:
    """A place as people name it: its code and its name."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Neighbour:
    """The district across a border that the phone's accuracy does not exclude."""

    code: str
    name: str
    metres: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where a point is. `snapped` is how many metres outside the outline it lies."""

    province: Named
    district: Named
    corregimiento: Named | None
    zones: tuple[str, ...] = ()
    snapped: float | None = None
    near_border: Neighbour | None = None


def place_at(
    point: Point, accuracy: float = 0, side: str = "", edition: Edition | None = None
) -> Place:
    """The place that covers a point (WGS 84, degrees), or the nearest within tolerance.

    `accuracy` is the phone's, in metres: a district nearer than that is `near_border`.
    On a shared border the district with the lower code is always the one. `side` is the
    district that whoever stands there chose of these two: then the place is on that
    side, `snapped` says how far outside of it the point lies, and the other one is
    `near_border`.
    `edition` is the one in force, for who knows it already.
    Raises OutsidePanama beyond `SNAP_METRES`, and inside a neighbouring country;
    NotThisSide for any other district.
    """
    return territory(edition).place_at(point.x, point.y, accuracy, side)


def places_of(lons: Sequence[float], lats: Sequence[float]) -> list[Place | None]:
    """`place_at` of many points at once, or None outside Panama.

    Some hundred thousand a second: for all cases, when the boundaries have changed.
    """
    return territory().places_of(lons, lats)


def territory(edition: Edition | None = None) -> Territory:
    """The active generation, in memory: a switch is seen by the next call."""
    active = (edition or edition_in_force()).boundaries
    if active is None:
        raise NoBoundaries
    # Those who ask while it is made wait for it: each making its own, a worker would have
    # as many at once as it has threads.
    with one_at_a_time:
        return territory_of(active)


@lru_cache(maxsize=2)
def territory_of(generation: int) -> Territory:
    return Territory(generation)


class Territory:
    """One generation's outlines and names."""

    def __init__(self, generation: int) -> None:
        outlines: dict[str, dict[str, shapely.Geometry]] = {
            level: {} for level in Level.values
        }
        rows = Boundary.objects.filter(generation=generation).exclude(
            level=Level.PROVINCE
        )
        for level, code, outline in rows.values_list("level", "code", "outline"):
            outlines[level][code] = shapely.from_wkb(bytes(outline.wkb))
        self.districts = BoundaryIndex(outlines[Level.DISTRICT])
        parts = by_district(outlines[Level.CORREGIMIENTO])
        self.corregimientos = {
            district: BoundaryIndex(parts.get(district, {}))
            for district in self.districts.codes
        }
        self.zones = BoundaryIndex(outlines[Level.ZONE])
        self.abroad = BoundaryIndex(outlines[Level.ABROAD])
        self.names = names_of_places()
        # What is said of nearly all points: in a corregimiento, or in a district's gap.
        self.places = {
            (district, part): Place(
                province=self.names[district[:2]],
                district=self.names[district],
                corregimiento=self.names[part] if part else None,
            )
            for district, index in self.corregimientos.items()
            for part in [*index.codes, None]
        }

    def place_at(
        self, lon: float, lat: float, accuracy: float = 0, side: str = ""
    ) -> Place:
        point = shapely.points([lon, lat])
        covering = self.districts.covering(point)
        if covering:
            district, snapped = covering[0], None
        else:
            near = self._nearest_district(point, accuracy)
            district, snapped = near.code, round(near.metres, 1)
        across = self._across_the_border(district, point, accuracy)
        if side and side != district:
            if across is None or side != across.code:
                raise NotThisSide(side)
            district, snapped = across.code, across.metres or None
            across = self._across_the_border(district, point, accuracy)
        place = self.places[district, self._corregimiento(district, point)]
        zones = tuple(self.zones.covering(point)) if self.zones.codes else ()
        if zones or across or snapped is not None:
            return replace(place, zones=zones, snapped=snapped, near_border=across)
        return place

    def places_of(
        self, lons: Sequence[float], lats: Sequence[float]
    ) -> list[Place | None]:
        x, y = np.array(lons, dtype=float), np.array(lats, dtype=float)
        places = np.full(len(x), None, dtype=object)
        district = self.districts.first_covering(x, y)
        outside = np.flatnonzero(district < 0)
        near, metres = self._nearest_districts(x[outside], y[outside])
        district[outside] = near
        for number, code in enumerate(self.districts.codes):
            here = np.flatnonzero(district == number)
            places[here] = self._places_in(code, x[here], y[here])
        for n, far in zip(outside.tolist(), metres.tolist(), strict=True):
            if places[n]:
                places[n] = replace(places[n], snapped=round(far, 1))
        for n, codes in self.zones.all_covering(x, y).items():
            if places[n]:
                places[n] = replace(places[n], zones=tuple(codes))
        return list(places)

    def _nearest_districts(self, lons: Floats, lats: Floats) -> tuple[Numbers, Floats]:
        within = np.where(
            self.abroad.first_covering(lons, lats) < 0,
            float(settings.SNAP_METRES),
            BORDER_TOLERANCE_METRES,
        )
        return self.districts.nearest_to_each(lons, lats, within)

    def _places_in(
        self, district: str, lons: Floats, lats: Floats
    ) -> NDArray[np.object_]:
        """Of points of one district, as if none lay outside of it."""
        index = self.corregimientos[district]
        part = index.first_covering(lons, lats)
        gap = np.flatnonzero(part < 0)
        within = np.full(len(gap), float(settings.SNAP_METRES))
        part[gap], _metres = index.nearest_to_each(lons[gap], lats[gap], within)
        # The last one is for -1: none of them.
        parts = [self.places[district, each] for each in [*index.codes, None]]
        return np.array(parts, dtype=object)[part]

    def nearest_border(self, lon: float, lat: float, district: str) -> Neighbour | None:
        """The closest other district, however far."""
        point = shapely.points([lon, lat])
        return self._neighbour(self.districts.nearest(point, besides=district))

    def _nearest_district(self, point: shapely.Point, accuracy: float) -> Near:
        tolerance = float(settings.SNAP_METRES)
        if self.abroad.covering(point):
            tolerance = max(BORDER_TOLERANCE_METRES, min(accuracy, tolerance))
        near = self.districts.nearest(point, within=tolerance)
        if near is None:
            raise OutsidePanama
        return near

    def _corregimiento(self, district: str, point: shapely.Point) -> str | None:
        index = self.corregimientos[district]
        covering = index.covering(point)
        if covering:
            return covering[0]
        # The corregimientos' outlines are coarser than the district's: its gaps are
        # given to the nearest of the same district.
        near = index.nearest(point, within=float(settings.SNAP_METRES))
        return near.code if near else None

    def _across_the_border(
        self, district: str, point: shapely.Point, accuracy: float
    ) -> Neighbour | None:
        if accuracy <= 0:
            return None
        return self._neighbour(self.districts.nearest(point, accuracy, district))

    def _neighbour(self, near: Near | None) -> Neighbour | None:
        if near is None:
            return None
        return Neighbour(near.code, self.names[near.code].name, round(near.metres, 1))


def by_district(
    outlines: dict[str, shapely.Geometry],
) -> dict[str, dict[str, shapely.Geometry]]:
    parents = district_codes()
    grouped: dict[str, dict[str, shapely.Geometry]] = {}
    for code, outline in outlines.items():
        grouped.setdefault(parents[code], {})[code] = outline
    return grouped


def district_codes() -> dict[str, str]:
    """The district of each corregimiento."""
    return dict(Corregimiento.objects.values_list("code", "district_id"))


def names_of_places() -> dict[str, Named]:
    rows: Iterable[tuple[str, str]] = [
        *Province.objects.values_list("code", "name"),
        *District.objects.values_list("code", "name"),
        *Corregimiento.objects.values_list("code", "name"),
    ]
    return {code: Named(code, name) for code, name in rows}
