"""The public map as folium writes it, with every file of it served from here.

folium makes whole pages with inline scripts, which the Content-Security-Policy refuses.
So only the script that it generates is used, served as a file of its own: the element
that holds the map is in our template, and the data comes later, by view.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import folium
from branca.element import Element, Figure
from folium.elements import JSCSSMixin
from folium.plugins import HeatMap

AnElement = TypeVar("AnElement", bound=Element)

# South-west and north-east of the mainland and the islands, in degrees (WGS 84).
PANAMA = [[7.15, -83.05], [9.68, -77.15]]
# As far as one may drag the map: no way of getting lost in the Pacific.
AROUND_PANAMA = [[1.0, -92.0], [15.5, -68.0]]

# The files of folium's own list that are used, and where each is here.
VENDORED = {
    "leaflet": "vendor/leaflet-1.9.4/leaflet.js",
    "leaflet_css": "vendor/leaflet-1.9.4/leaflet.css",
    "leaflet-heat.js": "vendor/leaflet.heat-0.2.0/leaflet-heat.js",
    "markerclusterjs": "vendor/leaflet.markercluster-1.5.3/leaflet.markercluster.js",
    "markerclustercss": "vendor/leaflet.markercluster-1.5.3/MarkerCluster.css",
}

# From few to many. Warm against cool stays apart for the colour-blind; within each,
# lightness moves steadily away from the land's, so that it can be read in grey too.
Ramp = dict[float, str]
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)


def ramp(*colours: str) -> Ramp:
    return dict(zip(STEPS, colours, strict=True))


RAMPS: dict[str, dict[str, Ramp]] = {
    "light": {
        "open": ramp("#ffc94d", "#fb9a33", "#e9503a", "#b8145a", "#5f0b3f"),
        "resolved": ramp("#8fdccd", "#4dbdb8", "#238fb4", "#1b5fa6", "#10307d"),
        "both": ramp("#d6c2e6", "#b08fd4", "#8a5cc0", "#62359e", "#35176b"),
    },
    "dark": {
        "open": ramp("#7a1a5c", "#c2304f", "#ee6a3c", "#fdae4a", "#fff0a8"),
        "resolved": ramp("#1f5f96", "#2488b4", "#3db1bd", "#7fd6c6", "#dcfbee"),
        "both": ramp("#4b3590", "#7450bb", "#9f79d9", "#c8a9ef", "#f3e8ff"),
    },
}


class FoliumMap(NamedTuple):
    """What a page needs of a folium map: `element` is the id of the map's own `div`."""

    element: str
    layers: dict[str, str]
    script: str
    digest: str
    js: list[str]
    css: list[str]


@lru_cache(maxsize=1)
def public_map() -> FoliumMap:
    """The map of `/`: panes, an empty heat layer for each state, the view of Panama."""
    page_map = base_map("public", zoom_control=False)
    for name, z_index in (("land", 200), ("borders", 450), ("labels", 460)):
        named(folium.map.CustomPane(name, z_index), name).add_to(page_map)
    layers = {
        "resolved": heat_layer("resolved"),
        "open": heat_layer("open"),
    }
    for layer in layers.values():
        layer.add_to(page_map)
    elements: list[JSCSSMixin] = [page_map, *layers.values()]
    script = rendered(page_map, elements)
    return FoliumMap(
        element=page_map.get_name(),
        layers={state: layer.get_name() for state, layer in layers.items()},
        script=script,
        digest=hashlib.sha256(script.encode()).hexdigest()[:16],
        js=unique(path for element in elements for _, path in element.default_js),
        css=unique(path for element in elements for _, path in element.default_css),
    )


def base_map(name: str, **options: Any) -> folium.Map:
    """The view of Panama and of no more, without a tile of anybody's."""
    (south, west), (north, east) = AROUND_PANAMA
    page_map = folium.Map(
        location=[sum(side) / 2 for side in zip(*PANAMA, strict=True)],
        zoom_start=7,
        tiles=None,
        max_bounds=True,
        min_lat=south,
        min_lon=west,
        max_lat=north,
        max_lon=east,
        # Without tiles, a zoom between two whole ones fits the country better.
        zoom_snap=0.25,
        max_bounds_viscosity=1,
        **options,
    )
    return named(page_map, name)


def heat_layer(state: str) -> HeatMap:
    # `max_zoom` at the least: the weight of a point is the same at every zoom.
    layer: HeatMap = HeatMap(  # type: ignore[no-untyped-call]
        [], gradient=RAMPS["light"][state], max_zoom=1
    )
    return named(layer, state)


def named(element: AnElement, name: str) -> AnElement:
    """The same element with a fixed name, where folium would draw one at random."""
    element._id = name
    return element


def rendered(page_map: folium.Map, elements: list[JSCSSMixin]) -> str:
    """The script that folium generates, its files re-pointed to ours."""
    for element in elements:
        element.default_js = vendored(element.default_js)
        element.default_css = vendored(element.default_css)
    figure = page_map.get_root()
    assert isinstance(figure, Figure)  # noqa: S101 - folium puts every map in one
    figure.render()
    return str(figure.script.render())


def vendored(links: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """jQuery, Bootstrap and the icon fonts are left out: nothing here uses them."""
    return [(name, VENDORED[name]) for name, _ in links if name in VENDORED]


def unique(paths: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(paths))
