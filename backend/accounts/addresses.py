"""Which part of the network somebody calls from.

Mobile operators put thousands behind one address, and give one phone another address
each minute: only a whole range of them is told apart, and never much is held against it.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

from backend.accounts.encryption import fingerprint_of

RANGE_BITS = {4: 24, 6: 48}
# Some proxies write the port too: 192.0.2.1:5000, [2001:db8::1]:5000.
WITH_PORT = re.compile(r"(\d+(?:\.\d+){3})(?::\d+)?|\[([^\]]+)\](?::\d+)?", re.ASCII)


def key_of_range(request: HttpRequest) -> str:
    """What limits know it by: a copy of their table tells nobody who called from where."""
    return fingerprint_of(range_of(request), "address-range")[:32]


def range_of(request: HttpRequest) -> str:
    """The /24 (IPv4) or /48 (IPv6) that the call comes from, as a network's text.

    Empty when the connection has no address, as from a socket in the file system.
    """
    address = address_of(request)
    if address is None:
        return ""
    return str(ip_network((address, RANGE_BITS[address.version]), strict=False))


def address_of(request: HttpRequest) -> IPv4Address | IPv6Address | None:
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
