"""What the OpenAPI document says besides what the API's own views say of themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import RequestDataTooBig
from rest_framework import exceptions

from backend.accounts.devices import DeviceRevoked
from backend.accounts.limits import ProofRequired, TooMany
from backend.cases.access import NoSuchCase, WrongPin
from backend.cases.categories import UnknownCategory
from backend.cases.citizens import FlagIdReused, NotItsPhoto
from backend.cases.filing import ContactRequired, ReportIdReused
from backend.cases.handling import (
    ChangedMeanwhile,
    NoLonger,
    NoteRequired,
    TransitionIdReused,
)
from backend.cases.numbers import NotANumber, WrongDigit
from backend.cases.personal_data import NeededWhileOpen
from backend.cases.photo_headers import ImageTooLarge, NotAnImage
from backend.cases.storage import StorageAway
from backend.cases.uploads import (
    DigestMismatch,
    NoSuchReport,
    PhotoIdReused,
    TooManyPhotos,
    WrongOffset,
)
from backend.cases.workflow import NotAllowed
from geo.filters import STATES
from geo.heatmap import DIGITS
from mobile_api.callers import DeviceRequired
from mobile_api.errors import (
    ANSWERS,
    BadRange,
    CutShort,
    PieceTooLarge,
    PinRequired,
)
from provinces.places import OutsidePanama

Refusals = tuple[type[Exception], ...]

INVALID = (exceptions.ValidationError,)
BODY: Refusals = (
    *INVALID,
    exceptions.ParseError,
    RequestDataTooBig,
    exceptions.UnsupportedMediaType,
)
PHOTOS: Refusals = (NotAnImage, ImageTooLarge, StorageAway)
NUMBER: Refusals = (NoSuchCase, NotANumber, WrongDigit)
# Of every view of the framework, which reads `Accept`.
EVERYWHERE: Refusals = (exceptions.NotAcceptable,)
# Of whatever `limit()` counts: see throttles.py.
LIMITED: Refusals = (DeviceRevoked, ProofRequired, TooMany)
OF_A_PHONE: Refusals = (DeviceRevoked, DeviceRequired)
SIGNED_IN: Refusals = (exceptions.NotAuthenticated, exceptions.AuthenticationFailed)
BY_PHONE: Refusals = (*BODY, *NUMBER, *LIMITED, DeviceRequired, WrongPin)
BY_REPORTER: Refusals = (
    *BODY,
    *NUMBER,
    *LIMITED,
    PinRequired,
    WrongPin,
    NotAllowed,
    ChangedMeanwhile,
    TransitionIdReused,
)

REFUSALS: dict[tuple[str, str], Refusals] = {
    ("/api/v1/auth/token/", "post"): (
        *BODY,
        exceptions.AuthenticationFailed,
        TooMany,
    ),
    ("/api/v1/auth/token/", "delete"): SIGNED_IN,
    ("/api/v1/cases/similar/", "get"): (*INVALID, UnknownCategory),
    ("/api/v1/cases/{number}/", "get"): (*NUMBER, WrongPin, TooMany),
    ("/api/v1/categories/", "get"): (*INVALID, OutsidePanama),
    ("/api/v1/config/", "get"): (),
    ("/api/v1/cases/{number}/answer/", "post"): (*BY_REPORTER, NoteRequired),
    ("/api/v1/cases/{number}/cancel/", "post"): BY_REPORTER,
    ("/api/v1/cases/{number}/confirm/", "post"): BY_REPORTER,
    ("/api/v1/cases/{number}/flag/", "post"): (*BY_PHONE, FlagIdReused, NotItsPhoto),
    ("/api/v1/cases/{number}/follow/", "post"): BY_PHONE,
    ("/api/v1/cases/{number}/reopen/", "post"): (
        *BY_REPORTER,
        NoLonger,
        NoteRequired,
    ),
    ("/api/v1/cases/{number}/support/", "post"): BY_PHONE,
    ("/api/v1/cases/{number}/my-data/", "get"): (*NUMBER, WrongPin, TooMany),
    ("/api/v1/cases/{number}/my-data/", "delete"): (
        *NUMBER,
        WrongPin,
        TooMany,
        NeededWhileOpen,
    ),
    ("/api/v1/crew/cases/nearby/", "get"): (*INVALID, *SIGNED_IN),
    ("/api/v1/crew/cases/{number}/transitions/", "post"): (
        *BODY,
        *PHOTOS,
        *NUMBER,
        *SIGNED_IN,
        ChangedMeanwhile,
        NotAllowed,
        NoteRequired,
        TransitionIdReused,
    ),
    ("/api/v1/devices/", "post"): (*BODY, ProofRequired, TooMany),
    ("/api/v1/devices/me/", "delete"): OF_A_PHONE,
    ("/api/v1/devices/me/", "get"): OF_A_PHONE,
    ("/api/v1/devices/me/", "patch"): (*BODY, *OF_A_PHONE, ProofRequired, TooMany),
    ("/api/v1/places/at/", "get"): (*INVALID, OutsidePanama),
    ("/api/v1/proof/", "get"): (TooMany,),
    ("/api/v1/reports/", "post"): (
        *BODY,
        *PHOTOS,
        ContactRequired,
        OutsidePanama,
        ReportIdReused,
        UnknownCategory,
        *LIMITED,
    ),
    ("/api/v1/reports/{report_id}/photos/{photo_id}/", "get"): (
        NoSuchReport,
        DeviceRevoked,
    ),
    ("/api/v1/reports/{report_id}/photos/{photo_id}/", "put"): (
        *PHOTOS,
        *LIMITED,
        BadRange,
        CutShort,
        DigestMismatch,
        NoSuchReport,
        PhotoIdReused,
        PieceTooLarge,
        TooManyPhotos,
        WrongOffset,
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
        "challenge": {"$ref": "#/components/schemas/ChallengeSchema"},
        "version": {
            "type": "integer",
            "description": "The present one of a case that has `changed-meanwhile`.",
        },
        "received": {
            "type": "integer",
            "description": "bytes of a photo: where to go on after `wrong-offset`.",
        },
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

# What is said of whatever has no words of its own, by its name.
PARAMETERS = {
    "If-None-Match": "The `ETag` of the answer that the phone has: 304 while it holds.",
    "X-Case-Pin": "The six digits of the case's receipt: whoever reported it has them.",
    "lat": "Degrees, WGS 84.",
    "lon": "Degrees, WGS 84.",
    "number": "Of a case, with its check digit: `26-0000123-2`.",
    "photo_id": "Made by the phone, one per photo.",
    "report_id": "The report's `id`, which nobody but who filed it knows.",
}
PROOF = {
    "in": "header",
    "name": "X-Proof",
    "schema": {"type": "string"},
    "description": "A solved challenge of `proof/` or of a 403, in base64; once.",
}
DONE = {
    "200": "As asked.",
    "201": "Taken, for good.",
    "202": "The piece is safe; others are missing: go on at `received`.",
    "204": "Done: there is nothing to say.",
    "304": "It is what `If-None-Match` names.",
}
DONE_BEFORE = "It was so already: nothing is done twice."
REPLAYED = {"Idempotent-Replayed": "`true`: it is the first answer again."}
MEANT = {"ETag": "The case's version, in quotes; for `If-Match`."}
SEEN = {"ETag": "Of what is answered; for `If-None-Match`."}
RETRY = {"Retry-After": "seconds"}
# The headers that say something, by operation and status.
HEADERS: dict[tuple[str, str], dict[str, dict[str, str]]] = {
    ("/api/v1/cases/{number}/", "get"): {
        "200": {"ETag": "Of this view, which begins with the case's version."},
        "304": SEEN,
    },
    **{
        (f"/api/v1/cases/{{number}}/{step}/", "post"): {"200": MEANT, "201": MEANT}
        for step in ("answer", "cancel", "confirm", "reopen")
    },
    ("/api/v1/cases/{number}/my-data/", "get"): {
        "200": {"Content-Disposition": "An attachment, and its name."}
    },
    ("/api/v1/categories/", "get"): {"200": SEEN, "304": SEEN},
    ("/api/v1/config/", "get"): {"200": SEEN, "304": SEEN},
    ("/api/v1/heat/", "get"): {"200": SEEN, "304": SEEN},
    ("/api/v1/heat/months/", "get"): {"200": SEEN, "304": SEEN},
    ("/api/v1/heat/places/", "get"): {"200": SEEN, "304": SEEN},
    ("/api/v1/crew/cases/{number}/transitions/", "post"): {"200": MEANT, "201": MEANT},
    ("/api/v1/reports/", "post"): {"200": REPLAYED},
    ("/api/v1/reports/{report_id}/photos/{photo_id}/", "put"): {"200": REPLAYED},
}
HEADERS_OF_REFUSALS = {
    "401": {"WWW-Authenticate": "`Device` or `Token`: whose token it takes."},
    "429": RETRY,
    "503": RETRY,
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


def finish(result: dict[str, Any], **generation: Any) -> dict[str, Any]:
    """drf-spectacular's hook: what the map's door answers here, and refusals."""
    for path, (operation, described) in HEAT_PATHS.items():
        result["paths"][path] = {
            "get": operation | {"parameters": parameters(described)}
        }
    result["paths"]["/api/v1/places/search/"] = {"get": PLACE_SEARCH}
    result["paths"] = dict(sorted(result["paths"].items()))
    schemas = result["components"]["schemas"] | {
        "Heat": HEAT_ANSWER,
        "HeatMonths": HEAT_MONTHS_ANSWER,
        "HeatPlaces": HEAT_PLACES_ANSWER,
        "PlacesFound": PLACES_FOUND,
        "Problem": PROBLEM,
    }
    # What the reporter may see is all that the public sees, and more: both fit.
    schemas["PublicOrOwnCase"] = {"anyOf": schemas["PublicOrOwnCase"]["oneOf"]}
    result["components"]["schemas"] = dict(sorted(schemas.items()))
    for path, methods in result["paths"].items():
        for method, operation in methods.items():
            complete(operation, (path, method))
    return result


def complete(operation: dict[str, Any], known_as: tuple[str, str]) -> None:
    """Say what the views' own schemas do not."""
    refused = REFUSALS.get(known_as)
    errors = () if refused is None else (*refused, *EVERYWHERE)
    answers = {**operation["responses"], **dict(refusals(errors))}
    # The database may be away, whatever is asked.
    answers["503"] = refusal(["unavailable"])
    operation["responses"] = dict(sorted(answers.items()))
    if ProofRequired in errors:
        operation["parameters"] = [*operation.get("parameters", []), PROOF]
    if DeviceRequired in errors:
        operation["security"] = [{"device": []}]
    for parameter in operation.get("parameters", []):
        if parameter["name"] in PARAMETERS:
            parameter.setdefault("description", PARAMETERS[parameter["name"]])
    for status, answer in operation["responses"].items():
        headers = HEADERS_OF_REFUSALS.get(status) or HEADERS.get(known_as, {}).get(
            status, {}
        )
        tell(answer, status, headers, twice="201" in answers)


def tell(
    answer: dict[str, Any], status: str, headers: dict[str, str], *, twice: bool
) -> None:
    """Put an answer, and its headers, in words."""
    if status in DONE:
        before = twice and status == "200"
        answer["description"] = DONE_BEFORE if before else DONE[status]
    if headers:
        answer["headers"] = {
            name: {"description": text, "schema": {"type": "string"}}
            for name, text in headers.items()
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


def refusals(errors: Refusals) -> Iterator[tuple[str, dict[str, Any]]]:
    """One answer a status, with the types of problem that it may be."""
    types: dict[int, list[str]] = {}
    for error in errors:
        answer = ANSWERS[error]
        types.setdefault(answer.status, []).append(answer.type)
    for status in sorted(types):
        yield str(status), refusal(types[status])
