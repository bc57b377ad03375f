"""What the OpenAPI document says besides what the API's own views say of themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import RequestDataTooBig
from rest_framework import exceptions

from backend.accounts.limits import TooMany
from backend.cases.access import NoSuchCase, WrongPin
from backend.cases.filing import ContactRequired, ReportIdReused
from backend.cases.handling import NoteRequired, TransitionIdReused
from backend.cases.numbers import NotANumber, WrongDigit
from backend.cases.photos import ImageTooLarge, NotAnImage
from backend.cases.workflow import NotAllowed
from geo.filters import STATES
from mobile_api.errors import ANSWERS, UnknownCategory
from provinces.places import OutsidePanama

Refusals = tuple[type[Exception], ...]

INVALID = (exceptions.ValidationError,)
BODY: Refusals = (
    *INVALID,
    exceptions.ParseError,
    RequestDataTooBig,
    exceptions.UnsupportedMediaType,
)
PHOTOS: Refusals = (NotAnImage, ImageTooLarge)
NUMBER: Refusals = (NoSuchCase, NotANumber, WrongDigit)
SIGNED_IN: Refusals = (exceptions.NotAuthenticated, exceptions.AuthenticationFailed)

REFUSALS: dict[tuple[str, str], Refusals] = {
    ("/api/v1/auth/token/", "post"): (
        *BODY,
        exceptions.AuthenticationFailed,
        TooMany,
    ),
    ("/api/v1/auth/token/", "delete"): SIGNED_IN,
    ("/api/v1/cases/{number}/", "get"): (*NUMBER, WrongPin, TooMany),
    ("/api/v1/crew/cases/nearby/", "get"): (*INVALID, *SIGNED_IN),
    ("/api/v1/crew/cases/{number}/transitions/", "post"): (
        *BODY,
        *PHOTOS,
        *NUMBER,
        *SIGNED_IN,
        NotAllowed,
        NoteRequired,
        TransitionIdReused,
    ),
    ("/api/v1/reports/", "post"): (
        *BODY,
        *PHOTOS,
        ContactRequired,
        OutsidePanama,
        ReportIdReused,
        UnknownCategory,
    ),
    ("/api/v1/routing/explain/", "get"): (
        *INVALID,
        *SIGNED_IN,
        exceptions.PermissionDenied,
        OutsidePanama,
        UnknownCategory,
    ),
}

PROBLEM = {
    "type": "object",
    "description": "RFC 9457; in Spanish, or in English on `Accept-Language: en`.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "examples": ["/problems/outside-panama"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "RFC 6901"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


def refusal(types: list[str]) -> dict[str, Any]:
    return {
        "description": ", ".join(f"`{kind}`" for kind in sorted(types)),
        "content": {
            "application/problem+json": {
                "schema": {"$ref": "#/components/schemas/Problem"}
            }
        },
    }


HEAT = {
    "operationId": "heat_retrieve",
    "description": "How many public cases there are in each cell of the map.",
    "tags": ["heat"],
    "security": [{}],
    "responses": {
        "200": {
            "description": "",
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/Heat"}}
            },
        },
        "400": refusal(["invalid-parameters"]),
    },
}
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
HEAT_PARAMETERS = {
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


def finish(result: dict[str, Any], **generation: Any) -> dict[str, Any]:
    """drf-spectacular's hook: the heat, which is a view of the map, and refusals."""
    result["paths"]["/api/v1/heat/"] = {"get": HEAT | {"parameters": parameters()}}
    result["paths"] = dict(sorted(result["paths"].items()))
    schemas = result["components"]["schemas"] | {
        "Heat": HEAT_ANSWER,
        "Problem": PROBLEM,
    }
    # What the reporter may see is all that the public sees, and more: both fit.
    schemas["PublicOrOwnCase"] = {"anyOf": schemas["PublicOrOwnCase"]["oneOf"]}
    result["components"]["schemas"] = dict(sorted(schemas.items()))
    for path, methods in result["paths"].items():
        for method, operation in methods.items():
            answers = dict(refusals(REFUSALS.get((path, method), ())))
            operation["responses"] = operation["responses"] | answers
    return result


def parameters() -> list[dict[str, Any]]:
    return [
        {"in": "query", "name": name, "description": text, "schema": schema}
        for name, (text, schema) in HEAT_PARAMETERS.items()
    ]


def refusals(errors: Refusals) -> Iterator[tuple[str, dict[str, Any]]]:
    """One answer a status, with the types of problem that it may be."""
    types: dict[int, list[str]] = {}
    for error in errors:
        answer = ANSWERS[error]
        types.setdefault(answer.status, []).append(answer.type)
    for status in sorted(types):
        yield str(status), refusal(types[status])
