"""Web push: what a phone is told, which services carry it, and the key that signs it.

How it is sent is in `push_sending.py`, which the web has no need to load.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.utils import timezone
from py_vapid import Vapid02

from backend.accounts.encryption import readable
from backend.accounts.models import ServerKey

KEY_NAME = "vapid"
# Nothing that two parsers of addresses could understand differently.
ENDPOINT = re.compile(
    r"https://(?P<host>[a-z0-9.-]+(:\d{1,5})?)/[A-Za-z0-9._~:/?&=%+@-]*", re.ASCII
)


class SubscriptionGone(Exception):
    """Nothing reaches the phone by this subscription any more, nor will."""


@dataclass(frozen=True)
class Push:
    """What the phone shows; a later one with the same `tag` takes its place.

    `number` is the case to open: whoever sees the phone may see all of this.
    """

    title: str
    body: str
    tag: str
    number: str = ""


def public_key() -> str:
    """What a browser is given as `applicationServerKey`: a point, in URL-safe base64."""
    point = vapid_key().public_key.public_bytes(
        Encoding.X962, PublicFormat.UncompressedPoint
    )
    return base64url(point)


def vapid_key() -> Vapid02:
    """The installation's key pair, made by whichever machine needs it first.

    Raises DataKeyLost: under another pair, no phone would be reached by what it gave.
    """
    # Every subscription is bound to it: of two machines that start at once, the row of
    # one is kept and read by both.
    kept, _ = ServerKey.objects.get_or_create(
        name=KEY_NAME, defaults={"value": new_key(), "made_at": timezone.now()}
    )
    return Vapid02.from_raw(readable(kept.value).encode())


def new_key() -> str:
    number = generate_private_key(SECP256R1()).private_numbers().private_value
    return base64url(number.to_bytes(32, "big"))


def base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def is_subscription(given: object) -> bool:
    """Whether this is what a browser of one of the known services gives."""
    if not isinstance(given, dict) or not isinstance(given.get("keys"), dict):
        return False
    endpoint = given.get("endpoint")
    return (
        isinstance(endpoint, str)
        and is_push_service(endpoint)
        and are_keys(given["keys"])
    )


def are_keys(keys: dict[str, Any]) -> bool:
    try:
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), bytes_of(keys["p256dh"]))
        return len(bytes_of(keys["auth"])) == 16
    except (KeyError, TypeError, ValueError):
        return False


def bytes_of(text: str) -> bytes:
    return urlsafe_b64decode(text + "==")


def is_push_service(endpoint: str) -> bool:
    """Whether this is an address of one of PUSH_HOSTS, or below one.

    Asked by the door too, or it would take what nothing is ever sent to.
    """
    found = ENDPOINT.fullmatch(endpoint)
    if found is None:
        return False
    host = found["host"]  # with its port, if it is not HTTPS's own
    return any(host == known or host.endswith(f".{known}") for known in hosts())


def hosts() -> list[str]:
    known: list[str] = settings.PUSH_HOSTS
    return known
