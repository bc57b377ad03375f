"""A part of a file, for whoever goes on with a download that was cut (RFC 9110, 14)."""

from __future__ import annotations

import re

from django.http import HttpRequest

ASKED = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII | re.IGNORECASE)


class NoSuchPart(Exception):
    """The file has none of the bytes that are asked for."""


def part_of(request: HttpRequest, size: int, etag: str) -> range | None:
    """The bytes that are asked for; None: all of them, also for who has another file's.

    Several parts, or one that is not written as it should, are as if none were asked
    for. Raises NoSuchPart.
    """
    found = ASKED.fullmatch(request.headers.get("Range", "").strip())
    has_another = request.headers.get("If-Range", etag) != etag
    if not found or has_another or request.method != "GET":
        return None
    first, last = found.groups()
    if not first and not last:
        return None
    if first and last and int(last) < int(first):
        return None
    if first:
        end = int(last) + 1 if last else size
        part = range(int(first), min(end, size))
    else:
        part = range(max(size - int(last), 0), size)
    if not part:
        raise NoSuchPart
    return part
