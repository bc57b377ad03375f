"""The public map's operations in the OpenAPI document, which are no views of the API's."""

from __future__ import annotations

from typing import Any

from geo.filters import STATES
from geo.heatmap import DIGITS
from mobile_api.schema_answers import DONE, refusal


def of_the_map(name: str, answer: str, description: str) -> dict[str, Any]:
    """An operation of the public map, which is no view of the API's."""
    schema = {"$ref": f"#/components/schemas/{answer}"}
    return {
        "operationId": name,
        "description": description,
        "tags": ["heat"],
        "security": [{}],
        "responses": {
            "200": {
                "description": DONE["200"],
                "content": {"application/json": {"schema": schema}},
            },
            "304": {"description": DONE["304"]},
            "400": refusal(["invalid-parameters"]),
        },
    }


HEAT = of_the_map(
    "heat_retrieve",
    "Heat",
    "How many public cases there are in each cell of the map. A box counts all of the"
    " cells that it touches.",
)
HEAT_MONTHS = of_the_map(
    "heat_months_retrieve",
    "HeatMonths",
    "How many public cases were filed in each month, from the first to the last.",
)
HEAT_PLACES = of_the_map(
    "heat_places_retrieve",
    "HeatPlaces",
    "How many public cases there are in each place of a level.",
)
HEAT_ANSWER = {
    "type": "object",
    "required": ["cells", "cell", "total", "generated_at"],
    "properties": {
        "cells": {
            "type": "array",
            "description": "Longitude and latitude of the centre, cases; densest first.",
            "items": {
                "type": "array",
                "items": {"type": "number"},
                "minItems": 3,
                "maxItems": 3,
            },
        },
        "cell": {"type": "number", "description": "A cell's side in metres."},
        "total": {"type": "integer", "description": "Also of cells left out."},
        "generated_at": {"type": "string", "format": "date-time"},
    },
}
COUNTS = {
    "open": {"type": "integer"},
    "resolved": {"type": "integer"},
    "other": {"type": "integer", "description": "Rejected, merged or withdrawn."},
}
GENERATED = {"generated_at": {"type": "string", "format": "date-time"}}
HEAT_MONTHS_ANSWER = {
    "type": "object",
    "required": ["months", "generated_at"],
    "properties": {
        "months": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["month", *COUNTS],
                "properties": {
                    "month": {"type": "string", "pattern": r"^\d{4}-\d{2}$"},
                    **COUNTS,
                },
            },
        },
        **GENERATED,
    },
}
HEAT_PLACES_ANSWER = {
    "type": "object",
    "required": ["level", "places", "population", "generated_at"],
    "properties": {
        "level": {"type": "string"},
        "places": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "name", *COUNTS, "area_km2", "population"],
                "properties": {
                    "code": {"type": "string"},
                    "name": {"type": "string"},
                    **COUNTS,
                    "area_km2": {"type": ["number", "null"]},
                    "population": {"type": ["integer", "null"]},
                },
            },
        },
        "population": {
            "description": "Where the figures of the population come from, if each place has one.",
            "type": ["object", "null"],
            "required": ["year", "source"],
            "properties": {
                "year": {"type": ["integer", "null"]},
                "source": {"type": "string"},
            },
        },
        **GENERATED,
    },
}
HEAT_PARAMETERS: dict[str, tuple[str, dict[str, Any]]] = {
    "bbox": ("West, south, east, north: degrees, WGS 84.", {"type": "string"}),
    "category": ("Codes, with commas between.", {"type": "string"}),
    "changed_since": ("A day or a moment (ISO 8601).", {"type": "string"}),
    "entity": ("Its code.", {"type": "string"}),
    "group": ("Codes, with commas between.", {"type": "string"}),
    "place": ("A code of 2, 4 or 6 digits.", {"type": "string"}),
    "since": ("A day in Panama or a moment (ISO 8601).", {"type": "string"}),
    "state": (
        "`all` counts also those rejected or withdrawn.",
        {"type": "string", "enum": list(STATES), "default": "all"},
    ),
    "until": ("A day, and all of it, or a moment.", {"type": "string"}),
    "zoom": (
        "The map's; a cell is a sixteenth of its tile.",
        {"type": "integer", "minimum": 4, "maximum": 18, "default": 8},
    ),
}


PLACE_SEARCH = {
    "operationId": "places_search_retrieve",
    "description": "At most ten places of the country by name, the likeliest first.",
    "tags": ["places"],
    "security": [{}],
    "parameters": [
        {
            "in": "query",
            "name": "q",
            "description": "Beginnings of words, at most 80 characters; accents do not count.",
            "schema": {"type": "string"},
        }
    ],
    "responses": {
        "200": {
            "description": DONE["200"],
            "content": {
                "application/json": {
                    "schema": {"$ref": "#/components/schemas/PlacesFound"}
                }
            },
        },
        "400": refusal(["invalid-parameters"]),
    },
}
PLACES_FOUND = {
    "type": "object",
    "required": ["places"],
    "properties": {
        "places": {
            "type": "array",
            "maxItems": 10,
            "items": {
                "type": "object",
                "required": ["code", "name", "level", "kind", "within", "bbox"],
                "properties": {
                    "code": {"type": "string"},
                    "name": {"type": "string"},
                    "level": {
                        "type": "string",
                        "enum": ["province", "district", "corregimiento"],
                    },
                    "kind": {"type": "string"},
                    "within": {
                        "type": "string",
                        "description": "The places around it, the nearest first.",
                    },
                    "bbox": {
                        "type": ["array", "null"],
                        "description": "West, south, east, north; null without outline.",
                        "items": {"type": "number"},
                        "minItems": 4,
                        "maxItems": 4,
                    },
                },
            },
        }
    },
}


# Neither asks for a zoom, and both tell all states apart.
HEAT_FILTERS = {
    name: said
    for name, said in HEAT_PARAMETERS.items()
    if name not in {"zoom", "state"}
}
HEAT_LEVELS: dict[str, tuple[str, dict[str, Any]]] = {
    "level": (
        "Which places.",
        {"type": "string", "enum": list(DIGITS), "default": "district"},
    )
}
HEAT_PATHS = {
    "/api/v1/heat/": (HEAT, HEAT_PARAMETERS),
    "/api/v1/heat/months/": (HEAT_MONTHS, HEAT_FILTERS),
    "/api/v1/heat/places/": (HEAT_PLACES, HEAT_FILTERS | HEAT_LEVELS),
}


def parameters(
    described: dict[str, tuple[str, dict[str, Any]]],
) -> list[dict[str, Any]]:
    return [
        {"in": "query", "name": name, "description": text, "schema": schema}
        for name, (text, schema) in sorted(described.items())
    ]


PATHS: dict[str, dict[str, Any]] = {
    **{
        path: operation | {"parameters": parameters(described)}
        for path, (operation, described) in HEAT_PATHS.items()
    },
    "/api/v1/places/search/": PLACE_SEARCH,
}
SCHEMAS: dict[str, dict[str, Any]] = {
    "Heat": HEAT_ANSWER,
    "HeatMonths": HEAT_MONTHS_ANSWER,
    "HeatPlaces": HEAT_PLACES_ANSWER,
    "PlacesFound": PLACES_FOUND,
}
