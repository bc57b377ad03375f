"""The analyst's map as folium draws it: heat, places, months, cases, and their switch."""

from __future__ import annotations

from math import ceil
from typing import Any, NamedTuple

import folium
from django.utils.translation import gettext as _
from folium.elements import JSCSSMixin
from folium.plugins import FastMarkerCluster, HeatMap
from folium.utilities import JsCode

from map_views.analyst_data import Findings, Slide
from map_views.folium_map import (
    RAMPS,
    base_map,
    named,
    rendered,
    unique,
)

# Months one after the other, with the resolved and the open together.
RAMP_OF_MONTHS = {**RAMPS["light"], "all": RAMPS["light"]["both"]}
# So many cells have more than what is painted in the full colour.
ABOVE_FULL = 0.01
LAND = {"comarca": "#eef0df", "abroad": "#dfe5e7"}
NARROW = JsCode("window.innerWidth < 760")


class Drawn(NamedTuple):
    """What the file needs of folium: its script, and the libraries that it calls."""

    element: str
    script: str
    js: list[str]
    css: list[str]
    heats: list[dict[str, Any]]
    clusters: str
    months: dict[str, Any] | None


def draw(found: Findings) -> Drawn:
    page_map = analyst_base_map()
    for name, z_index, takes_clicks in (
        ("land", 200, False),
        ("places", 300, True),
        ("borders", 450, False),
    ):
        pane = folium.map.CustomPane(name, z_index, pointer_events=takes_clicks)
        named(pane, name).add_to(page_map)
    if found.land:
        land(found).add_to(page_map)
    for i, division in enumerate(found.divisions):
        named(coloured(division, shown=i == 0), division.level).add_to(page_map)
    plain = folium.FeatureGroup(
        name=_("Sin colorear"), overlay=False, show=not found.divisions
    )
    named(plain, "plain").add_to(page_map)
    heats = {state: heat_of(found, state) for state in found.heats}
    for layer in heats.values():
        layer.add_to(page_map)
    moving = moving_heat(found) if len(found.slides) > 1 else None
    if moving:
        moving.add_to(page_map)
    markers = clusters(found)
    markers.add_to(page_map)
    if found.lines:
        borders(found).add_to(page_map)
    control = folium.LayerControl(collapsed=NARROW)  # type: ignore[arg-type]
    named(control, "layers").add_to(page_map)
    elements: list[JSCSSMixin] = [page_map, *heats.values(), markers]
    elements += [moving] if moving else []
    return Drawn(
        element=page_map.get_name(),
        script=rendered(page_map, elements),
        js=unique(path for one in elements for _name, path in one.default_js),
        css=unique(path for one in elements for _name, path in one.default_css),
        heats=[
            {"layer": layer.get_name(), "cell": found.heats[state].cell}
            for state, layer in heats.items()
        ],
        clusters=markers.get_name(),
        months=months_config(found, moving),
    )


def analyst_base_map() -> folium.Map:
    page_map: folium.Map = base_map("analyst", prefer_canvas=True)
    # Folium gives these to tiles alone, of which there are none.
    page_map.options |= {"min_zoom": 6, "max_zoom": 17}
    return page_map


def land(found: Findings) -> folium.GeoJson:
    layer = folium.GeoJson(
        collection(found.land),
        control=False,
        style_function=lambda feature: {
            "stroke": False,
            "fillOpacity": 1,
            "fillColor": LAND.get(feature["properties"]["kind"], "#fbfaf6"),
        },
        smooth_factor=0.7,
        pane="land",
        interactive=False,
    )
    return named(layer, "land")


def coloured(division: Any, *, shown: bool) -> folium.GeoJson:
    return folium.GeoJson(
        collection(division.features),
        name=division.title,
        overlay=False,
        show=shown,
        style_function=lambda feature: {
            "color": "#6d7889",
            "weight": 0.6,
            "fillOpacity": 1,
            "fillColor": feature["properties"]["colour"],
        },
        smooth_factor=0.7,
        pane="places",
        on_each_feature=JsCode("analyst.place"),
    )


def borders(found: Findings) -> folium.GeoJson:
    layer = folium.GeoJson(
        collection(found.lines),
        name=_("Límites de provincias y comarcas"),
        style_function=lambda _feature: {
            "color": "#4b5873",
            "weight": 1.1,
            "fill": False,
        },
        smooth_factor=0.7,
        pane="borders",
        interactive=False,
    )
    return named(layer, "borders")


def heat_of(found: Findings, state: str) -> HeatMap:
    names = {
        "open": _("Calor: casos abiertos"),
        "resolved": _("Calor: casos resueltos"),
    }
    layer: HeatMap = HeatMap(  # type: ignore[no-untyped-call]
        [[lat, lon, weight] for lon, lat, weight in found.heats[state].cells],
        name=names[state],
        gradient=RAMPS["light"][state],
        max_zoom=1,
        show=state == next(iter(found.heats)),
    )
    return named(layer, state)


def moving_heat(found: Findings) -> HeatMap:
    """An empty layer: analyst.js shows a month of it at a time."""
    layer: HeatMap = HeatMap(  # type: ignore[no-untyped-call]
        [],
        name=_("Calor mes a mes, por fecha del reporte"),
        gradient=RAMP_OF_MONTHS[found.filters.state],
        max_zoom=1,
        min_opacity=0.15,
        show=False,
    )
    return named(layer, "months")


def months_config(found: Findings, layer: HeatMap | None) -> dict[str, Any] | None:
    if layer is None:
        return None
    return {
        "layer": layer.get_name(),
        "cell": found.slide_cell,
        "max": full_of(found.slides),
        "months": [
            {
                "label": slide.label,
                "total": f"{slide.total:,}",
                "cells": [[lat, lon, weight] for lon, lat, weight in slide.cells],
            }
            for slide in found.slides
        ],
    }


def full_of(slides: list[Slide]) -> int:
    """The cases of a cell that has the full colour, the same in every month."""
    weights = sorted(weight for slide in slides for _lon, _lat, weight in slide.cells)
    return max(2, weights[ceil(len(weights) * (1 - ABOVE_FULL)) - 1]) if weights else 2


def clusters(found: Findings) -> FastMarkerCluster:
    layer: FastMarkerCluster = FastMarkerCluster(  # type: ignore[no-untyped-call]
        found.cases,
        callback="analyst.marker",
        icon_create_function="analyst.cluster",
        name=_("Casos, uno por uno"),
        show=False,
        show_coverage_on_hover=False,
        max_cluster_radius=46,
    )
    return named(layer, "cases")


def collection(features: list[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": features}
