"""Which province, district and corregimiento a point belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import shapely
from django.conf import settings
from django.contrib.gis.geos import Point

from provinces.boundary_index import BoundaryIndex, Near
from provinces.models import (
    Boundary,
    Corregimiento,
    District,
    Generation,
    Level,
    Province,
)

# How far a point may lie inside a neighbouring country and still be Panama's: the
# shipped outlines of the land borders are no better than this, in metres.
BORDER_TOLERANCE_METRES = 300.0


class OutsidePanama(Exception):
    """The point is in no district, nor near enough to one."""


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


def place_at(point: Point, accuracy: float = 0) -> Place:
    """The place that covers a point (WGS 84, degrees), or the nearest within tolerance.

    `accuracy` is the phone's, in metres: a district nearer than that is `near_border`.
    On a shared border the district with the lower code is always the one.
    Raises OutsidePanama beyond `SNAP_METRES`, and inside a neighbouring country.
    """
    return territory().place_at(point.x, point.y, accuracy)


def territory() -> Territory:
    """The active generation, in memory: a switch is seen by the next call."""
    active = Generation.objects.active().values_list("pk", flat=True).first()
    if active is None:
        raise NoBoundaries
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
        self.corregimientos = {
            district: BoundaryIndex(parts)
            for district, parts in by_district(outlines[Level.CORREGIMIENTO]).items()
        }
        self.zones = BoundaryIndex(outlines[Level.ZONE])
        self.abroad = BoundaryIndex(outlines[Level.ABROAD])
        self.names = names_of_places()

    def place_at(self, lon: float, lat: float, accuracy: float = 0) -> Place:
        point = shapely.points([lon, lat])
        covering = self.districts.covering(point)
        if covering:
            district, snapped = covering[0], None
        else:
            near = self._nearest_district(point, accuracy)
            district, snapped = near.code, round(near.metres, 1)
        return Place(
            province=self.names[district[:2]],
            district=self.names[district],
            corregimiento=self._corregimiento(district, point),
            zones=tuple(self.zones.covering(point)),
            snapped=snapped,
            near_border=self._across_the_border(district, point, accuracy),
        )

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

    def _corregimiento(self, district: str, point: shapely.Point) -> Named | None:
        index = self.corregimientos.get(district)
        if index is None:
            return None
        covering = index.covering(point)
        if covering:
            return self.names[covering[0]]
        # The corregimientos' outlines are coarser than the district's: its gaps are
        # given to the nearest of the same district.
        near = index.nearest(point, within=float(settings.SNAP_METRES))
        return self.names[near.code] if near else None

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
    parents = dict(Corregimiento.objects.values_list("code", "district_id"))
    grouped: dict[str, dict[str, shapely.Geometry]] = {}
    for code, outline in outlines.items():
        grouped.setdefault(parents[code], {})[code] = outline
    return grouped


def names_of_places() -> dict[str, Named]:
    rows: Iterable[tuple[str, str]] = [
        *Province.objects.values_list("code", "name"),
        *District.objects.values_list("code", "name"),
        *Corregimiento.objects.values_list("code", "name"),
    ]
    return {code: Named(code, name) for code, name in rows}
