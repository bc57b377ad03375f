"""What a test needs of the server and cannot have there: said in the browser instead.

All else is the real server's. Cases with these numbers are nobody's; a path may be without
an answer, or refused.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, Route

from tests.factories import make_photo

PANAMA = {"code": "08", "name": "Panamá"}
CAPITAL = {"code": "0808", "name": "Panamá"}
BELLA_VISTA = {"code": "080803", "name": "Bella Vista"}
DUE = "2026-12-01T16:00:00-05:00"
Answer = tuple[int, Any]


@dataclass
class StandIns:
    """`down`: paths under /api/v1/ that get no answer, as without a signal."""

    cases: dict[str, dict[str, Any]] = field(default_factory=dict)
    down: set[str] = field(default_factory=set)
    refused: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)

    def install(self, page: Page) -> None:
        page.route(re.compile(r"/api/v1/"), self.answer)
        page.route(re.compile(r"/fotos/stand-in\.jpg"), photo)

    def answer(self, route: Route) -> None:
        request = route.request
        parts = urlsplit(request.url)
        path = parts.path.removeprefix("/api/v1/")
        binary = request.method == "PUT"
        body = None if binary or not request.post_data else request.post_data_json
        self.asked.append((request.method, path, body))
        if any(path.startswith(prefix) for prefix in self.down):
            route.abort("internetdisconnected")
            return
        for prefix, (status, problem) in self.refused.items():
            if path.startswith(prefix):
                reply(route, status, {"status": status, **problem})
                return
        for pattern, answer in self.answers():
            match = re.fullmatch(pattern, f"{request.method} {path}")
            if match:
                number = match.groups()[0] if match.groups() else ""
                if number and number not in self.cases:
                    break
                reply(route, *answer(body, *match.groups()))
                return
        route.continue_()

    def answers(self) -> list[tuple[str, Callable[..., Answer]]]:
        return [
            (r"POST cases/([\d-]+)/support/", supported),
            (r"POST cases/([\d-]+)/follow/", followed),
            (r"POST cases/([\d-]+)/flag/", lambda *_: (201, {"flagged": True})),
            (r"POST cases/([\d-]+)/(\w+)/", self.acted),
            (r"GET cases/([\d-]+)/", lambda _, number: (200, self.cases[number])),
            (r"GET cases/([\d-]+)/my-data/", lambda *_: (200, {"held": True})),
            (r"DELETE cases/([\d-]+)/my-data/", lambda *_: (204, None)),
        ]

    def acted(self, _: Any, number: str, action: str) -> Answer:
        status, name = {
            "confirm": ("closed", "Cerrado"),
            "reopen": ("reopened", "Reabierto"),
            "answer": ("in_review", "En revisión"),
            "cancel": ("cancelled", "Cancelado"),
        }[action]
        case = self.cases[number]
        line = {"status": status, "status_name": name, "note": "", "changed_at": DUE}
        self.cases[number] = {
            **case,
            "status": status,
            "status_name": name,
            "version": case["version"] + 1,
            "can": {},
            "history": [*case["history"], line],
        }
        return 201, {"number": number, "status": status, "version": case["version"] + 1}


def supported(_: Any, number: str) -> Answer:
    return 201, {"supports": 3, "following": True}


def followed(body: dict[str, Any], number: str) -> Answer:
    return 201, {"following": body["on"], "email_pending": "email" in body}


def reply(route: Route, status: int, body: Any) -> None:
    kind = "application/problem+json" if status >= 400 else "application/json"
    text = "" if body is None else json.dumps(body)
    headers = {"ETag": f'"{body["version"]}"'} if body and "version" in body else {}
    route.fulfill(status=status, content_type=kind, body=text, headers=headers)


def photo(route: Route) -> None:
    picture: io.BytesIO = make_photo()
    route.fulfill(status=200, content_type="image/jpeg", body=picture.getvalue())


def made_case(number: str, **changes: Any) -> dict[str, Any]:
    """The view of a case of somebody's: a hole in the street, just received."""
    received = {
        "status": "received",
        "status_name": "Recibido",
        "note": "",
        "changed_at": "2026-11-20T09:00:00-05:00",
    }
    case: dict[str, Any] = {
        "number": number,
        "status": "received",
        "status_name": "Recibido",
        "open": True,
        "category": "VIA-01",
        "category_name": "Hueco o bache",
        "group": "VIA",
        "description": "Un hueco grande frente a la escuela.",
        "entity": {"code": "mop", "name": "Ministerio de Obras Públicas"},
        "province": PANAMA,
        "district": CAPITAL,
        "corregimiento": BELLA_VISTA,
        "location": {"type": "Point", "coordinates": [-79.524, 8.986]},
        "precision": "exact",
        "filed_at": "2026-11-20T09:00:00-05:00",
        "due_at": "2026-12-20T16:00:00-05:00",
        "updated_at": "2026-11-20T09:00:00-05:00",
        "resolved_at": None,
        "history": [received],
        "photos": [made_picture("received")],
        "demo": False,
        "supports": 2,
        "version": 1,
        "url": f"/casos/{number}",
    }
    return case | changes


def made_picture(of: str) -> dict[str, Any]:
    address = "/fotos/stand-in.jpg"
    return {
        "id": f"photo-{of}",
        "state": "ready",
        "url": address,
        "thumbnail": address,
        "width": 320,
        "height": 240,
        "of": of,
    }


def resolved_case(number: str) -> dict[str, Any]:
    """Solved, says the entity: its reporter is asked."""
    case = made_case(number)
    steps = [
        ("assigned", "Asignado", "", "2026-11-21T08:00:00-05:00"),
        ("resolved", "Resuelto", "Se rellenó el hueco.", "2026-11-23T15:00:00-05:00"),
    ]
    history = [
        dict(zip(("status", "status_name", "note", "changed_at"), step, strict=True))
        for step in steps
    ]
    return case | {
        "status": "resolved",
        "status_name": "Resuelto",
        "open": False,
        "history": case["history"] + history,
        "photos": [made_picture("received"), made_picture("resolved")],
        "resolved_at": "2026-11-23T15:00:00-05:00",
        "updated_at": "2026-11-23T15:00:00-05:00",
        "version": 3,
        "can": {"confirm": True, "reopen": True, "answer": False, "cancel": False},
    }


def asking_case(number: str) -> dict[str, Any]:
    """The crew has a question for whoever reported it."""
    case = made_case(number)
    words = "¿La fuga está dentro o fuera de la cerca?"
    line = {
        "status": "waiting_for_citizen",
        "status_name": "Esperando al ciudadano",
        "note": words,
        "changed_at": "2026-11-22T10:00:00-05:00",
    }
    return case | {
        "status": "waiting_for_citizen",
        "status_name": "Esperando al ciudadano",
        "category": "AGU-01",
        "category_name": "Fuga de agua potable en vía pública",
        "group": "AGU",
        "history": [*case["history"], line],
        "updated_at": "2026-11-22T10:00:00-05:00",
        "question": words,
        "version": 2,
        "can": {"confirm": False, "reopen": False, "answer": True, "cancel": True},
    }
