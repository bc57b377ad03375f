"""What phones send, and what they get: the words the tests of the API share."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from typing import Any
from uuid import uuid4

from altcha.v1 import solve_challenge
from django.test import Client
from knox.models import get_token_model

from backend.accounts.devices import issue_device
from backend.accounts.models import User
from tests.factories import WEST

REPORTS = "/api/v1/reports/"
NEARBY = "/api/v1/crew/cases/nearby/"
TOKEN = "/api/v1/auth/token/"
EXPLAIN = "/api/v1/routing/explain/"
DEVICES = "/api/v1/devices/"
OWN_DEVICE = "/api/v1/devices/me/"
CATEGORIES = "/api/v1/categories/"
PLACE = "/api/v1/places/at/"
CONFIG = "/api/v1/config/"
PROOF = "/api/v1/proof/"
SIMILAR = "/api/v1/cases/similar/"
JSON = "application/json"


def point(lon: float = WEST[0], lat: float = WEST[1]) -> dict[str, Any]:
    return {"type": "Point", "coordinates": [lon, lat]}


def report_body(**fields: Any) -> dict[str, Any]:
    """A report as a phone writes it, with no more than it must say."""
    return {
        "id": str(uuid4()),
        "category": "PRU-01",
        "location": point(),
        **fields,
    }


def full_body(**fields: Any) -> dict[str, Any]:
    """A report that says all that can be said."""
    return report_body(
        **{
            "accuracy": 12.5,
            "captured_at": "2026-11-20T08:00:00-05:00",
            "description": "Un hueco de lado a lado",
            "place_hint": "Frente a la escuela",
            "act": "complaint",
            "contact": {"name": "Ana Pinto", "phone": "6000-0000"},
            "consent": "2026-11",
            "language": "es",
            **fields,
        }
    )


def transition_body(to: str = "in_progress", **fields: Any) -> dict[str, Any]:
    return {"id": str(uuid4()), "to": to, **fields}


def step_body(note: str = "", **fields: Any) -> dict[str, Any]:
    """What a citizen says with confirm, reopen, answer or cancel."""
    return {"id": str(uuid4()), **({"note": note} if note else {}), **fields}


def send(client: Client, body: Any, path: str = REPORTS, **headers: Any) -> Any:
    """POST as JSON; bytes and text go as they are."""
    data = body if isinstance(body, bytes | str) else json.dumps(body)
    return client.post(path, data, content_type=JSON, **headers)


def send_form(
    client: Client, body: dict[str, Any], *photos: BytesIO, path: str = REPORTS
) -> Any:
    """POST as multipart: what is not text is written as JSON."""
    form: dict[str, Any] = {
        name: json.dumps(value) if isinstance(value, dict) else value
        for name, value in body.items()
    }
    for number, photo in enumerate(photos):
        photo.seek(0)
        photo.name = f"{number}.jpg"
    return client.post(path, {**form, "photo": list(photos)})


def transitions_of(number: str) -> str:
    return f"/api/v1/crew/cases/{number}/transitions/"


def phone_of(user: User) -> Client:
    """The phone of somebody who has signed in."""
    _, token = get_token_model().objects.create(user=user)
    return Client(HTTP_HOST="localhost", headers={"Authorization": f"Token {token}"})


def citizens_phone(pin: str = "") -> Client:
    """A phone with a token of its own, and perhaps the PIN of a case."""
    headers = {"Authorization": f"Device {issue_device().token}"}
    if pin:
        headers["X-Case-Pin"] = pin
    return Client(HTTP_HOST="localhost", headers=headers)


def problem_of(response: Any, status: int) -> str:
    """The problem's short type, after a look at its envelope (RFC 9457)."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["title"]
    return str(body["type"]).removeprefix("/problems/")


def wrong_fields(response: Any) -> dict[str, str]:
    """The pointers of a bad body, with the code of each."""
    assert problem_of(response, 400) == "invalid-body"
    errors = response.json()["errors"]
    assert all(error["detail"] for error in errors)
    return {error["pointer"]: error["code"] for error in errors}


def new_phone(**headers: str) -> Client:
    """A phone with a token of its own."""
    token = issue_device().token
    return Client(
        HTTP_HOST="localhost", headers={"Authorization": f"Device {token}", **headers}
    )


def proof_of(challenge: dict[str, Any]) -> str:
    """The challenge solved, as a phone writes it into `X-Proof`."""
    solution = solve_challenge(
        challenge["challenge"],
        challenge["salt"],
        challenge["algorithm"],
        challenge["maxnumber"],
    )
    assert solution is not None
    told = {name: challenge[name] for name in challenge if name != "maxnumber"}
    answer = json.dumps({**told, "number": solution.number})
    return base64.b64encode(answer.encode()).decode()
