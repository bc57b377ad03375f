"""A citizen's phone: who it is is its secret, of which only the digest is kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone

from backend.accounts.models import Device
from backend.rows import find

IN_USE = "token_digest = %s AND revoked_at IS NULL"


class DeviceRevoked(Exception):
    """No device in use has this token."""


class Issued(NamedTuple):
    device: Device
    token: str  # told once


def issue_device(language: str = "es", at: datetime | None = None) -> Issued:
    token = secrets.token_urlsafe(32)
    device = Device.objects.create(
        token_digest=digest_of(token),
        language=language,
        made_at=at or timezone.now(),
    )
    return Issued(device, token)


def device_of(token: str) -> Device:
    """Raises DeviceRevoked."""
    device = find(Device, IN_USE, [digest_of(token)])
    if device is None:
        raise DeviceRevoked
    return device


def revoke(device: Device, at: datetime | None = None) -> None:
    """At once: the next call with its token is a stranger's. It is told nothing more."""
    device.revoked_at = at or timezone.now()
    device.push = ""
    device.save(update_fields=["revoked_at", "push"])


def digest_of(token: str) -> str:
    # 256 random bits need no slow hash: there is nothing to guess.
    return hashlib.sha256(token.encode()).hexdigest()
