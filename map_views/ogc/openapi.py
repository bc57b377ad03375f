"""The definition of this door in OpenAPI 3.0, made from what it really accepts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from geo.features import is_yes_or_no
from map_views.ogc.answers import GEOJSON, HTML, JSON, OPENAPI
from map_views.ogc.collections import COLLECTIONS, CRS84, FRAMES, Collection
from map_views.ogc.parameters import DEFAULT_LIMIT, FORMS, MOST

Tree = dict[str, Any]
REFUSALS = {
    "400": "Invalid",
    "404": "NotFound",
    "405": "ReadOnly",
    "412": "Changed",
    "500": "Broken",
    "503": "Unavailable",
}


class Operation(NamedTuple):
    """An operation as the page about the definition shows it."""

    path: str
    summary: str
    description: str
    parameters: list[Tree]
    statuses: list[str]


def definition(root: str) -> Tree:
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "311 móvil · OGC API Features",
            "version": "1.0",
            "description": _(
                "Los casos públicos y los límites del territorio, página a página, en "
                "GeoJSON o HTML y en cuatro sistemas de referencia."
            ),
            "license": {
                "name": "CC BY 4.0",
                "url": "https://creativecommons.org/licenses/by/4.0/",
            },
        },
        "servers": [{"url": root}],
        "tags": [{"name": "Capabilities"}, {"name": "Data"}],
        "paths": {
            "/": getting(
                "landing", _("Portada"), answered(JSON, schema("LandingPage"))
            ),
            "/conformance": getting(
                "conformance",
                _("Con qué clases cumple"),
                answered(JSON, schema("Conformance")),
            ),
            "/api": getting(
                "api", _("Esta definición"), answered(OPENAPI, {"type": "object"})
            ),
            "/collections": getting(
                "collections", _("Colecciones"), answered(JSON, schema("Collections"))
            ),
            **{
                path: described
                for collection in COLLECTIONS.values()
                for path, described in paths_of(collection)
            },
        },
        "components": {
            "parameters": common_parameters(),
            "responses": refusals(),
            "schemas": schemas(),
        },
    }


def paths_of(collection: Collection) -> Iterator[tuple[str, Tree]]:
    home = f"/collections/{collection.id}"
    name = collection.id.capitalize()
    title = str(collection.title)
    yield (
        home,
        getting(f"describe{name}", title, answered(JSON, schema("Collection"))),
    )
    yield (
        f"{home}/items",
        getting(
            f"get{name}",
            title,
            answered(GEOJSON, schema("FeatureCollection"), in_frame=True),
            parameters=[
                *(shared(name) for name in ("limit", "after", "bbox", "bbox-crs")),
                *(shared(name) for name in ("datetime", "crs")),
                *filters_of(collection),
            ],
            tag="Data",
            description=str(collection.description),
        ),
    )
    yield (
        f"{home}/items/{{featureId}}",
        getting(
            f"getOneOf{name}",
            str(collection.thing),
            answered(GEOJSON, schema("Feature"), in_frame=True),
            parameters=[shared("featureId"), shared("crs")],
            tag="Data",
        ),
    )


def getting(
    operation: str,
    summary: str,
    success: Tree,
    *,
    parameters: list[Tree] | None = None,
    tag: str = "Capabilities",
    description: str = "",
) -> Tree:
    responses: Tree = {
        "200": success,
        "304": {"description": _("Lo mismo que la vez anterior (If-None-Match).")},
    }
    for status, name in REFUSALS.items():
        responses[status] = {"$ref": f"#/components/responses/{name}"}
    described: Tree = {
        "operationId": operation,
        "tags": [tag],
        "summary": summary,
        "parameters": [shared("f"), *(parameters or [])],
        "responses": responses,
    }
    if description:
        described["description"] = description
    return {"get": described}


def answered(media: str, body: Tree, *, in_frame: bool = False) -> Tree:
    described: Tree = {
        "description": _("Lo pedido."),
        "headers": {
            "ETag": {"schema": {"type": "string"}},
            "Access-Control-Allow-Origin": {"schema": {"type": "string"}},
        },
        "content": {media: {"schema": body}, HTML: {"schema": {"type": "string"}}},
    }
    if in_frame:
        described["headers"]["Content-Crs"] = {
            "description": _("El sistema de referencia de las coordenadas, entre < >."),
            "schema": {"type": "string"},
        }
    return described


def shared(name: str) -> Tree:
    return {"$ref": f"#/components/parameters/{name}"}


def schema(name: str) -> Tree:
    return {"$ref": f"#/components/schemas/{name}"}


def parameter(name: str, description: str, written: Tree, **more: Any) -> Tree:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "style": "form",
        "explode": False,
        "schema": written,
        **more,
    }


def filters_of(collection: Collection) -> Iterator[Tree]:
    """Properties to compare with a value: only what is equal is given."""
    for name in collection.layer.filters:
        kind = "boolean" if is_yes_or_no(collection.layer, name) else "string"
        text = _("Solo los que tienen este valor en %s.") % name
        yield parameter(name, text, {"type": kind})


def common_parameters() -> Tree:
    system: Tree = {
        "type": "string",
        "format": "uri",
        "enum": list(FRAMES),
        "default": CRS84,
    }
    moment = _(
        "Un momento RFC 3339, un día de Panamá (AAAA-MM-DD), o un intervalo cerrado o "
        "abierto: a/b, ../b, a/.. con sus dos extremos incluidos."
    )
    return {
        "f": parameter(
            "f",
            _("La forma de la respuesta; sin él, la que pida Accept."),
            {"type": "string", "enum": list(FORMS)},
        ),
        "limit": parameter(
            "limit",
            _("Cuántos a lo más por página; un número mayor que el máximo vale este."),
            {
                "type": "integer",
                "minimum": 1,
                "maximum": MOST,
                "default": DEFAULT_LIMIT,
            },
        ),
        "after": parameter(
            "after",
            _(
                "Los que siguen a este id, o con «datetime» a este momento y este id: "
                "así viene en el enlace «next»."
            ),
            {"type": "string"},
        ),
        "bbox": parameter(
            "bbox",
            _(
                "Dos esquinas, la menor primero, en el orden de los ejes de bbox-crs "
                "(sin él, longitud y latitud). Con seis números, las alturas no cuentan: "
                "aquí nada tiene altura."
            ),
            {
                "type": "array",
                "oneOf": [
                    {"minItems": 4, "maxItems": 4},
                    {"minItems": 6, "maxItems": 6},
                ],
                "items": {"type": "number"},
            },
        ),
        "bbox-crs": parameter("bbox-crs", _("El sistema de bbox."), system),
        "datetime": parameter("datetime", moment, {"type": "string"}),
        "crs": parameter("crs", _("El sistema de las coordenadas que vienen."), system),
        "featureId": {
            "name": "featureId",
            "in": "path",
            "required": True,
            "description": _("El id del elemento."),
            "schema": {"type": "string"},
        },
    }


def refusals() -> Tree:
    said = {
        "Invalid": _("Un parámetro que no existe aquí, o cuyo valor no vale."),
        "NotFound": _("Aquí no hay nada con ese nombre."),
        "ReadOnly": _("Aquí solo se lee: GET y HEAD."),
        "Changed": _("Lo que hay ya no es lo que usted tenía."),
        "Broken": _("Falló el servidor."),
        "Unavailable": _(
            "No disponible por un momento, o la pregunta tarda demasiado."
        ),
    }
    return {
        name: {
            "description": text,
            "content": {"application/problem+json": {"schema": schema("Problem")}}
            if name != "Broken"
            else {HTML: {"schema": {"type": "string"}}},
        }
        for name, text in said.items()
    }


def schemas() -> Tree:
    text, links = {"type": "string"}, {"type": "array", "items": schema("Link")}
    uris = {"type": "array", "items": {"type": "string", "format": "uri"}}
    return {
        "Link": obj(
            {"href": text, "rel": text, "type": text, "title": text}, "href", "rel"
        ),
        "LandingPage": obj(
            {"title": text, "description": text, "links": links}, "links"
        ),
        "Conformance": obj({"conformsTo": uris, "links": links}, "conformsTo"),
        "Collections": obj(
            {
                "links": links,
                "crs": uris,
                "collections": {"type": "array", "items": schema("Collection")},
            },
            *("links", "collections"),
        ),
        "Collection": obj(
            {
                "id": text,
                "title": text,
                "description": text,
                "attribution": text,
                "itemType": text,
                "crs": uris,
                "storageCrs": {"type": "string", "format": "uri"},
                "extent": schema("Extent"),
                "links": links,
            },
            *("id", "links", "crs", "storageCrs"),
        ),
        "Extent": extent(),
        "FeatureCollection": obj(
            {
                "type": {"type": "string", "enum": ["FeatureCollection"]},
                "features": {"type": "array", "items": schema("Feature")},
                "links": links,
                "timeStamp": {"type": "string", "format": "date-time"},
                "numberReturned": {"type": "integer", "minimum": 0},
                "numberMatched": {"type": "integer", "minimum": 0},
            },
            *("type", "features", "links", "timeStamp", "numberReturned"),
        ),
        "Feature": obj(
            {
                "type": {"type": "string", "enum": ["Feature"]},
                "id": text,
                "geometry": obj(
                    {"type": text, "coordinates": {"type": "array", "items": {}}},
                    "type",
                ),
                "properties": {"type": "object"},
                "links": links,
            },
            *("type", "id", "geometry", "properties"),
        ),
        "Problem": obj(
            {
                "type": text,
                "title": text,
                "status": {"type": "integer"},
                "detail": text,
                "errors": {
                    "type": "array",
                    "items": obj({"pointer": text, "code": text, "detail": text}),
                },
            },
            *("type", "title", "status"),
        ),
    }


def extent() -> Tree:
    box: Tree = {
        "type": "array",
        "items": {"type": "number"},
        "minItems": 4,
        "maxItems": 4,
    }
    interval: Tree = {
        "type": "array",
        "items": {"type": "string", "format": "date-time", "nullable": True},
        "minItems": 2,
        "maxItems": 2,
    }
    uri = {"type": "string", "format": "uri"}
    return obj(
        {
            "spatial": obj({"bbox": {"type": "array", "items": box}, "crs": uri}),
            "temporal": obj(
                {"interval": {"type": "array", "items": interval}, "trs": uri}
            ),
        }
    )


def obj(properties: Tree, *required: str) -> Tree:
    described: Tree = {"type": "object", "properties": properties}
    return described | ({"required": list(required)} if required else {})


# ── For people ───────────────────────────────────────────────────────────────────


def operations(document: Tree) -> list[Operation]:
    return [
        Operation(
            path,
            described["get"]["summary"],
            described["get"].get("description", ""),
            [resolved(document, one) for one in described["get"]["parameters"]],
            list(described["get"]["responses"]),
        )
        for path, described in document["paths"].items()
    ]


def resolved(document: Tree, described: Tree) -> Tree:
    if "$ref" not in described:
        return described
    found: Tree = document["components"]["parameters"][
        described["$ref"].rsplit("/", 1)[-1]
    ]
    return found
