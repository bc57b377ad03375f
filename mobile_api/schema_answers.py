"""What an operation may answer: in which words, with which headers, and which refusals."""

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


def refusals(errors: Refusals) -> Iterator[tuple[str, dict[str, Any]]]:
    """One answer a status, with the types of problem that it may be."""
    types: dict[int, list[str]] = {}
    for error in errors:
        answer = ANSWERS[error]
        types.setdefault(answer.status, []).append(answer.type)
    for status in sorted(types):
        yield str(status), refusal(types[status])


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
