"""A crew with its phone, as the stories need one."""

from __future__ import annotations

from uuid import uuid4

import orjson

from tests.factories import make_photo
from tests.servers import Server, form


def sign_in_as_crew(server: Server, entity: str) -> str:
    told = server.manage("create_crew", "cuadrilla", "--entity", entity)
    credentials = {"username": "cuadrilla", "password": told.split()[-1]}
    answer = server.send(
        "/api/v1/auth/token/", orjson.dumps(credentials), "application/json"
    )
    return str(answer.json()["token"])


def resolve_with_photo(server: Server, number: str, token: str, note: str) -> None:
    step = {"id": str(uuid4()), "to": "resolved", "note": note}
    answer = server.send(
        f"/api/v1/crew/cases/{number}/transitions/",
        *form(step, make_photo((1200, 900), "grey")),
        token=token,
    )
    assert answer.status == 201
