"""The map under the heat: the country's own outlines, as GeoJSON.

Three grains, fetched as one comes closer: the provinces and comarcas at once, then the
districts of a province, then the corregimientos of a district. The address names the
generation of boundaries, so that an answer never changes and is kept for good.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import orjson
import shapely
from django.contrib.gis.db.models import FloatField, Func, MultiPolygonField
from django.db.models.functions import Cast
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import etag, require_safe
from shapely.geometry.base import BaseGeometry

from provinces.models import (
    Boundary,
    Corregimiento,
    District,
    Generation,
    Level,
    Province,
)

# In degrees: half a pixel at zoom 8, and at zoom 11.
COUNTRY_TOLERANCE = 0.003
DISTRICT_TOLERANCE = 0.0003
# A label's place need not be truer than this, in degrees.
LABEL_TOLERANCE = 0.01
FOR_GOOD = "public, max-age=31536000, immutable"


class Outline(NamedTuple):
    """A shape to draw: WGS 84, degrees, longitude first."""

    code: str
    name: str
    kind: str
    shape: BaseGeometry


def generation_tag(
    request: HttpRequest, generation: int, parent: str = ""
) -> str | None:
    return f'"{generation}-{parent}"'


@require_safe
@gzip_page
@etag(generation_tag)
def provinces(request: HttpRequest, generation: int) -> HttpResponse:
    """Provinces and comarcas, and the land across the borders, in one small file."""
    return answer(country(generation), decimals=4)


@require_safe
@gzip_page
@etag(generation_tag)
def districts(request: HttpRequest, generation: int, parent: str) -> HttpResponse:
    """The districts of a province, and last the border of the province itself."""
    inside = [
        outline for outline in all_districts(generation) if outline.code[:2] == parent
    ]
    return answer(inside + border_of(parent, inside), decimals=5)


@require_safe
@gzip_page
@etag(generation_tag)
def districts_of_the_country(request: HttpRequest, generation: int) -> HttpResponse:
    """All districts at once, as coarse as the provinces: to be coloured, far away."""
    return answer(coarse_districts(generation), decimals=4)


@require_safe
@gzip_page
@etag(generation_tag)
def corregimientos(request: HttpRequest, generation: int, parent: str) -> HttpResponse:
    """The corregimientos of a district, as they were loaded."""
    names = {
        place.code: (place.name, place.kind)
        for place in Corregimiento.objects.filter(district=parent)
    }
    return answer(outlines(generation, Level.CORREGIMIENTO, names), decimals=5)


@lru_cache(maxsize=2)
def country(generation: int) -> list[Outline]:
    names = {place.code: (place.name, place.kind) for place in Province.objects.all()}
    abroad = outlines(generation, Level.ABROAD, {})
    inside = outlines(generation, Level.PROVINCE, names)
    return abroad + simplified(inside, COUNTRY_TOLERANCE)


@lru_cache(maxsize=2)
def all_districts(generation: int) -> list[Outline]:
    return simplified(districts_as_loaded(generation), DISTRICT_TOLERANCE)


@lru_cache(maxsize=2)
def coarse_districts(generation: int) -> list[Outline]:
    return simplified(districts_as_loaded(generation), COUNTRY_TOLERANCE)


def districts_as_loaded(generation: int) -> list[Outline]:
    names = {place.code: (place.name, "district") for place in District.objects.all()}
    return outlines(generation, Level.DISTRICT, names)


def outlines(
    generation: int, level: Level, names: dict[str, tuple[str, str]]
) -> list[Outline]:
    """What a generation has at a level; with names, only the places named."""
    rows = Boundary.objects.filter(generation=generation, level=level)
    if level != Level.ABROAD:
        rows = rows.filter(code__in=names)
    return [
        Outline(
            row.code,
            *names.get(row.code, ("", "abroad")),
            shapely.from_wkb(bytes(row.outline.wkb)),
        )
        for row in rows.order_by("code")
    ]


def simplified(found: list[Outline], tolerance: float) -> list[Outline]:
    """With fewer points; what two neighbours share stays shared, without slivers."""
    if not found:
        return []
    shapes = shapely.coverage_simplify([outline.shape for outline in found], tolerance)
    return [
        outline._replace(shape=shape)
        for outline, shape in zip(found, shapes, strict=True)
    ]


def border_of(province: str, inside: list[Outline]) -> list[Outline]:
    whole = shapely.union_all([outline.shape for outline in inside])
    return [Outline(province, "", "border", shapely.boundary(whole))] if inside else []


def answer(found: list[Outline], decimals: int) -> HttpResponse:
    if not found:
        raise Http404
    return HttpResponse(
        b"".join(collection(found, decimals)),
        content_type="application/geo+json",
        headers={"Cache-Control": FOR_GOOD},
    )


def collection(found: Iterable[Outline], decimals: int) -> Iterator[bytes]:
    yield b'{"type":"FeatureCollection","features":[\n'
    separator = b""
    for outline in found:
        yield separator + orjson.dumps(feature(outline, decimals))
        separator = b",\n"
    yield b"\n]}\n"


def feature(outline: Outline, decimals: int) -> dict[str, Any]:
    shape = shapely.transform(outline.shape, lambda xy: np.round(xy, decimals))
    properties: dict[str, Any] = {"code": outline.code, "kind": outline.kind}
    if outline.name:
        properties |= {"name": outline.name, "label": label_place(outline.shape)}
    return {
        "type": "Feature",
        "bbox": [round(side, decimals) for side in shapely.bounds(shape).tolist()],
        "properties": properties,
        "geometry": orjson.Fragment(shapely.to_geojson(shape)),
    }


def label_place(shape: BaseGeometry) -> list[float]:
    """The middle of the widest part of the largest piece, as longitude, latitude."""
    pieces = shapely.get_parts(shape)
    largest = pieces[np.argmax(shapely.area(pieces))]
    radius = shapely.maximum_inscribed_circle(largest, tolerance=LABEL_TOLERANCE)
    middle = shapely.get_point(radius, 0)
    return [round(middle.x, 4), round(middle.y, 4)]


def basemap_addresses() -> dict[str, str] | None:
    """Where the outlines are; `*` stands for the code of the place around."""
    generation = Generation.objects.in_force()
    if generation is None:
        return None
    return {
        "provinces": reverse("basemap-provinces", args=[generation]),
        "all_districts": reverse("basemap-all-districts", args=[generation]),
        "districts": around("basemap-districts", generation),
        "corregimientos": around("basemap-corregimientos", generation),
    }


def around(name: str, generation: int) -> str:
    return reverse(name, args=[generation, "0"]).replace("/0.geojson", "/*.geojson")


@lru_cache(maxsize=6)
def areas_of(generation: int, level: str) -> dict[str, float]:
    """Square kilometres by code, on the ellipsoid, of the outlines as they were loaded."""
    square_metres = Func(
        Cast("outline", MultiPolygonField(geography=True)),
        function="ST_Area",
        output_field=FloatField(),
    )
    found = Boundary.objects.filter(generation=generation, level=level)
    return {code: area / 1e6 for code, area in found.values_list("code", square_metres)}
