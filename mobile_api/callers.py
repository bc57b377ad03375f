"""Who is calling, by the phone's token; from where is in backend/accounts/addresses.py."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from backend.accounts.devices import DeviceRevoked, device_of
from backend.accounts.models import Device

SCHEME = "Device"
LONGEST_TOKEN = 100


class DeviceRequired(Exception):
    """Only a phone with a token may do this."""


class DeviceAuthentication(BaseAuthentication):
    """`Authorization: Device …`: the caller is nobody, with this phone.

    Other schemes are not its business. Raises DeviceRevoked.
    """

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Device] | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.casefold() != SCHEME.casefold():
            return None
        token = token.strip()
        if not token.isascii() or len(token) > LONGEST_TOKEN:
            raise DeviceRevoked
        return AnonymousUser(), device_of(token)

    def authenticate_header(self, request: Request) -> str:
        return SCHEME


class DeviceScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = DeviceAuthentication
    name = "device"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Device …`, from `devices/`.",
        }


def device_of_request(request: Request) -> Device | None:
    """The phone whose token the call carries; its view has DeviceAuthentication."""
    return request.auth if isinstance(request.auth, Device) else None


def needed_device(request: Request) -> Device:
    """Raises DeviceRequired."""
    device = device_of_request(request)
    if device is None:
        raise DeviceRequired
    return device
