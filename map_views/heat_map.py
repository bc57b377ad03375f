"""The heat under the public map, month by month, and place by place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from geo.filters import Filters
from geo.heatmap import DIGITS, Month, by_place, heat, months, version
from geo.periods import all_between
from geo.tiles import generation_in_force, version_of_places
from map_views.basemap import areas_of
from map_views.current import answered
from map_views.parameters import ZOOMS, InvalidParameters, Parameters
from provinces.models import Corregimiento, District, Populated, Province

DEFAULT_ZOOM = 8
DEFAULT_LEVEL = "district"
PLACES: dict[str, type[Province | District | Corregimiento]] = {
    "province": Province,
    "district": District,
    "corregimiento": Corregimiento,
}


@require_safe
@gzip_page
def heat_cells(request: HttpRequest) -> HttpResponse:
    """The cells of the view, as `[longitude, latitude, cases]`."""
    parameters = Parameters(request.GET)
    zoom = parameters.integer("zoom", DEFAULT_ZOOM, ZOOMS)

    def make(filters: Filters) -> dict[str, Any]:
        found = heat(filters, zoom)
        return {"cells": found.cells, "cell": found.cell, "total": found.total}

    return told(request, parameters, make)


@require_safe
@gzip_page
def heat_by_month(request: HttpRequest) -> HttpResponse:
    """The cases of each month, from the first that has some to the last."""

    def make(filters: Filters) -> dict[str, Any]:
        found = {month.month: month for month in months(filters)}
        every = all_between(min(found), max(found)) if found else []
        return {
            "months": [
                found.get(name, Month(name, 0, 0, 0))._asdict() for name in every
            ]
        }

    return told(request, Parameters(request.GET), make)


@require_safe
@gzip_page
def heat_by_place(request: HttpRequest) -> HttpResponse:
    """The cases of each place of a level, those without any too."""
    parameters = Parameters(request.GET)
    level = parameters.one_of("level", DEFAULT_LEVEL, tuple(DIGITS))

    def make(filters: Filters) -> dict[str, Any]:
        found = {place.code: place for place in by_place(filters, level)}
        areas = areas_of(generation_in_force(), level)
        every: list[Any] = list(PLACES[level].objects.order_by("code"))
        drawn = [place for place in every if place.code in areas]
        places = [
            {
                "code": place.code,
                "name": place.name,
                **counts_of(found.get(place.code)),
                "area_km2": in_hundredths(areas.get(place.code)),
                "population": place.population
                if isinstance(place, Populated)
                else None,
            }
            for place in every
        ]
        return {"level": level, "places": places, "population": census(drawn)}

    return told(request, parameters, make)


def told(
    request: HttpRequest,
    parameters: Parameters,
    make: Callable[[Filters], dict[str, Any]],
) -> HttpResponse:
    filters = parameters.filters()
    try:
        parameters.check()
    except InvalidParameters as invalid:
        return invalid.response()

    def response() -> HttpResponse:
        moment = timezone.localtime().isoformat(timespec="seconds")
        body = orjson.dumps({**make(filters), "generated_at": moment})
        return HttpResponse(body, content_type="application/json")

    return answered(request, filters, tag, response)


def tag() -> str:
    """Another one with the counts, and with the names and figures of the places."""
    return f"{version()}-{version_of_places()}"


def in_hundredths(area: float | None) -> float | None:
    return None if area is None else round(area, 2)


def counts_of(place: Any) -> dict[str, int]:
    names = ("open", "resolved", "other")
    return {name: getattr(place, name) if place else 0 for name in names}


def census(places: Iterable[Any]) -> dict[str, Any] | None:
    """Of when and of whom the figures of the population are, if each place has one.

    With some of them alone, a map of cases for their people would be mostly blank.
    """
    counted = [place for place in places if isinstance(place, Populated)]
    if not counted or not all(place.population for place in counted):
        return None
    return {
        "year": counted[0].population_year,
        "source": counted[0].population_source,
    }
