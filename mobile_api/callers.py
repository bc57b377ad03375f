"""Who is calling: the phone's token, else the part of the network it calls from.

Mobile operators put thousands behind one address, and give one phone another address
each minute: only a whole range of them is told apart, and never much is held against it.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from backend.accounts.devices import DeviceRevoked, device_of
from backend.accounts.models import Device

SCHEME = "Device"
LONGEST_TOKEN = 100
RANGE_BITS = {4: 24, 6: 48}
# Some proxies write the port too: 192.0.2.1:5000, [2001:db8::1]:5000.
WITH_PORT = re.compile(r"(\d+(?:\.\d+){3})(?::\d+)?|\[([^\]]+)\](?::\d+)?", re.ASCII)


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


def range_of(request: HttpRequest | Request) -> str:
    """The /24 (IPv4) or /48 (IPv6) that the call comes from, as a network's text.

    Empty when the connection has no address, as from a socket in the file system.
    """
    address = address_of(request)
    if address is None:
        return ""
    return str(ip_network((address, RANGE_BITS[address.version]), strict=False))


def address_of(request: HttpRequest | Request) -> IPv4Address | IPv6Address | None:
    """Where the call comes from, by a witness that the caller cannot be.

    Each proxy adds, on the right, the address that it saw itself: with PROXIES of them
    in front, so many from the right is what the outermost saw. What stands before it
    the caller may have made up; if there is less, somebody went around the proxies.
    """
    connected = read_address(request.META.get("REMOTE_ADDR", ""))
    if settings.PROXIES == 0:
        return connected
    seen = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if len(seen) < settings.PROXIES:
        return connected
    return read_address(seen[-settings.PROXIES]) or connected


def read_address(text: str) -> IPv4Address | IPv6Address | None:
    text = text.strip()
    found = WITH_PORT.fullmatch(text)
    try:
        address = ip_address((found[1] or found[2]) if found else text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
