"""A QGIS project with the collections as layers, which reads them where it came from."""

from __future__ import annotations

import zipfile
from io import BytesIO
from typing import NamedTuple
from xml.etree import ElementTree as ET

from django.utils.translation import gettext as _

from map_views.ogc.collections import COLLECTIONS

NAME = "311-movil.qgz"
MEDIA = "application/x-qgis-project"
VERSION = "3.22.0-Białowieża"
# The same project is the same file, byte for byte.
LONG_AGO = (1980, 1, 1, 0, 0, 0)
# West, south, east, north of the view that opens: all Panama, in degrees.
VIEW = ("-83.1", "7.1", "-77.1", "9.8")
WGS84 = {
    "proj4": "+proj=longlat +datum=WGS84 +no_defs",
    "srsid": "3452",
    "srid": "4326",
    "authid": "EPSG:4326",
    "description": "WGS 84",
    "projectionacronym": "longlat",
    "ellipsoidacronym": "EPSG:7030",
    "geographicflag": "true",
}


class Style(NamedTuple):
    """A symbol: its kind, the class that draws it, and how."""

    kind: str
    drawn_by: str
    how: dict[str, str]


def dot(colour: str) -> Style:
    return Style(
        "marker",
        "SimpleMarker",
        {
            "color": colour,
            "name": "circle",
            "outline_color": "255,255,255,255",
            "outline_width": "0.3",
            "size": "2.4",
            "size_unit": "MM",
        },
    )


def outline(width: str, pattern: str) -> Style:
    return Style(
        "fill",
        "SimpleFill",
        {
            "style": "no",
            "outline_color": "20,32,58,255",
            "outline_style": pattern,
            "outline_width": width,
            "outline_width_unit": "MM",
        },
    )


# The map's own two colours, told apart by whoever cannot tell red from green.
OPEN, RESOLVED = dot("233,80,58,255"), dot("35,143,180,255")
OTHER = dot("130,138,153,255")
# From the top down, as they are drawn.
LAYERS = {
    "cases": "Point",
    "provinces": "Polygon",
    "districts": "Polygon",
    "corregimientos": "Polygon",
}
OUTLINES = {
    "provinces": outline("0.6", "solid"),
    "districts": outline("0.3", "solid"),
    "corregimientos": outline("0.15", "dot"),
}
# Shown when the project opens; the others are a click away.
SHOWN = {"cases", "provinces", "districts"}


def project_file(root: str) -> bytes:
    """A .qgz: the project, zipped. `root` is the address of the landing page."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        entry = zipfile.ZipInfo("311-movil.qgs", LONG_AGO)
        entry.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(entry, project(root))
    return file.getvalue()


def project(root: str) -> bytes:
    qgis = ET.Element("qgis", projectname="311 móvil", version=VERSION)
    child(qgis, "title", "311 móvil")
    reference_system(child(qgis, "projectCrs"))
    # Without it QGIS does not look at the one above.
    settings = child(child(qgis, "properties"), "SpatialRefSys")
    child(settings, "ProjectionsEnabled", "1", type="int")
    tree = child(qgis, "layer-tree-group")
    for name in LAYERS:
        ET.SubElement(
            tree,
            "layer-tree-layer",
            id=layer_id(name),
            name=str(COLLECTIONS[name].title),
            source=source(root, name),
            providerKey="OAPIF",
            checked="Qt::Checked" if name in SHOWN else "Qt::Unchecked",
            expanded="1" if name == "cases" else "0",
        )
    canvas = child(qgis, "mapcanvas", annotationsVisible="1", name="theMapCanvas")
    child(canvas, "units", "degrees")
    extent(child(canvas, "extent"))
    reference_system(child(canvas, "destinationsrs"))
    order = child(qgis, "layerorder")
    layers = child(qgis, "projectlayers")
    for name in LAYERS:
        ET.SubElement(order, "layer", id=layer_id(name))
        add_layer(layers, root, name)
    heading = b"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
    written: bytes = ET.tostring(qgis, encoding="utf-8")
    return heading + written


def layer_id(name: str) -> str:
    """QGIS throws away one of ten letters or fewer, and what refers to it with it."""
    return f"movil311_{name}"


def source(root: str, name: str) -> str:
    """What the provider is told: the page by page reading of what is in view."""
    return (
        "pagingEnabled='true' pageSize='1000' restrictToRequestBBOX='1' "
        f"srsname='OGC:CRS84' typename='{name}' url='{root}'"
    )


def add_layer(layers: ET.Element, root: str, name: str) -> None:
    collection = COLLECTIONS[name]
    layer = child(layers, "maplayer", type="vector", geometry=LAYERS[name])
    child(layer, "id", layer_id(name))
    child(layer, "datasource", source(root, name))
    child(layer, "layername", str(collection.title))
    child(layer, "abstract", str(collection.description))
    reference_system(child(layer, "srs"))
    child(layer, "provider", "OAPIF", encoding="UTF-8")
    if name == "cases":
        add_states(layer)
    else:
        renderer = child(layer, "renderer-v2", type="singleSymbol", symbollevels="0")
        add_symbol(child(renderer, "symbols"), "0", OUTLINES[name])
    child(layer, "blendMode", "0")
    child(layer, "featureBlendMode", "0")
    child(layer, "layerOpacity", "1")


def add_states(layer: ET.Element) -> None:
    """Open, resolved, and what is neither: in that order of the legend."""
    is_resolved = "\"status\" IN ('resolved','closed')"
    rules = [
        ('"open"', _("Abiertos"), OPEN),
        (is_resolved, _("Resueltos"), RESOLVED),
        ("ELSE", _("Otros"), OTHER),
    ]
    renderer = child(layer, "renderer-v2", type="RuleRenderer", symbollevels="0")
    parent = child(renderer, "rules", key="states")
    symbols = child(renderer, "symbols")
    for n, (filter_, label, style) in enumerate(rules):
        ET.SubElement(
            parent, "rule", key=f"state{n}", filter=filter_, label=label, symbol=str(n)
        )
        add_symbol(symbols, str(n), style)


def add_symbol(symbols: ET.Element, name: str, style: Style) -> None:
    symbol = child(
        symbols, "symbol", name=name, type=style.kind, alpha="1", clip_to_extent="1"
    )
    layer = ET.SubElement(
        symbol,
        "layer",
        {"class": style.drawn_by, "enabled": "1", "locked": "0", "pass": "0"},
    )
    options = child(layer, "Option", type="Map")
    for key, value in style.how.items():
        child(options, "Option", type="QString", name=key, value=value)
        # Read by QGIS before 3.20.
        child(layer, "prop", k=key, v=value)


def reference_system(parent: ET.Element) -> None:
    system = child(parent, "spatialrefsys")
    for name, value in WGS84.items():
        child(system, name, value)


def extent(parent: ET.Element) -> None:
    for name, value in zip(("xmin", "ymin", "xmax", "ymax"), VIEW, strict=True):
        child(parent, name, value)


def child(
    parent: ET.Element, tag: str, text: str = "", **attributes: str
) -> ET.Element:
    made = ET.SubElement(parent, tag, attributes)
    made.text = text or None
    return made
