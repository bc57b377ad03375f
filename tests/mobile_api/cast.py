"""Who calls a server that is fuzzed, and about what: printed as JSON.

Run there by `manage shell`, on the shipped territory and catalogue.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from knox.models import get_token_model

from backend.accounts.devices import issue_device
from backend.accounts.models import Membership, User
from backend.cases.models import Case, Category, Photo
from backend.cases.workflow import Status
from provinces.models import Entity
from tests.factories import make_case, make_photo
from tests.jobs import run_jobs

PIN = "311311"
PASSWORD = "clave-de-prueba-311"
STREET = (-82.4334, 8.4271)  # in the town of David
TREE = "MUN-06"
# Whose case is changed by a call has cases of their own for it, in the right status.
STARTS = {
    "looked_at": Status.RECEIVED,
    "answer": Status.WAITING_FOR_CITIZEN,
    "cancel": Status.RECEIVED,
    "confirm": Status.RESOLVED,
    "reopen": Status.RESOLVED,
    "my-data": Status.RECEIVED,
    "transitions": Status.IN_PROGRESS,
}
OF_EACH = 4


def cast() -> dict[str, Any]:
    category = Category.objects.get(code=TREE)
    cases = {
        what: [make_case(STREET, status, category=category) for _ in range(OF_EACH)]
        for what, status in STARTS.items()
    }
    photo = make_photo((40, 30)).getvalue()
    with_photo = make_case(STREET, category=category, photos=[make_photo((40, 30))])
    hidden = Category.objects.filter(private=True, act="complaint")[0]
    cases["looked_at"] += [with_photo, make_case(STREET, category=hidden)]
    run_jobs()
    Case.objects.update(pin=PIN)
    return {
        "category": category.code,
        "place": {"type": "Point", "coordinates": list(STREET)},
        "pin": PIN,
        "credentials": {"username": "cuadrilla", "password": PASSWORD},
        "crew": token_of("cuadrilla"),
        "leaving_crew": token_of("otra"),
        "device": issue_device().token,
        "leaving_device": issue_device().token,
        "cases": {
            what: [case.number for case in those] for what, those in cases.items()
        },
        "reports": [str(case.report_id) for case in cases["looked_at"]],
        "photos": [str(key) for key in Photo.objects.values_list("pk", flat=True)],
        "photo": base64.b64encode(photo).decode(),
        "digest": base64.b64encode(hashlib.sha256(photo).digest()).decode(),
        "length": len(photo),
    }


def token_of(username: str) -> str:
    """The token of somebody who may handle every case, and see why it is theirs."""
    user = User.objects.create_user(username, password=PASSWORD, is_staff=True)
    Membership.objects.bulk_create(
        Membership(user=user, entity=entity) for entity in Entity.objects.all()
    )
    _, token = get_token_model().objects.create(user=user)
    return str(token)


def tell() -> None:
    print(json.dumps(cast()))  # noqa: T201 - who has asked reads it
