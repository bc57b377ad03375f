"""The bytes of a body, as they are, and never more of them than may be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from django.http import HttpRequest

from mobile_api.errors import CutShort

IN_MEMORY_BYTES = 1024 * 1024
CHUNK = 64 * 1024
DIGITS = re.compile(r"\d{1,30}", re.ASCII)


@contextmanager
def body_of(
    request: HttpRequest, most: int, too_long: type[Exception]
) -> Iterator[tuple[BinaryIO, int]]:
    """The body in a file of its own, left at its start, and its length in bytes.

    One that says it is longer than `most` is not read at all, and one that does not say
    how long it is no further. Raises `too_long`, CutShort.
    """
    promised = promised_length(request)
    if promised is not None and promised > most:
        raise too_long
    with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as spooled:
        file = cast(BinaryIO, spooled)
        for chunk in chunks_of(request):
            file.write(chunk)
            if file.tell() > most:
                raise too_long
        length = file.tell()
        if promised is not None and length != promised:
            raise CutShort
        file.seek(0)
        yield file, length


def promised_length(request: HttpRequest) -> int | None:
    """What the body says it is long, in bytes. Raises CutShort: that is no number."""
    promised = request.META.get("CONTENT_LENGTH") or ""
    if not promised:
        return None
    if not DIGITS.fullmatch(promised):
        raise CutShort
    return int(promised)


def chunks_of(request: HttpRequest) -> Iterator[bytes]:
    # Of a body without a length Django reads nothing: it does not know whether the
    # server ends the stream where the body ends. This one says so.
    ends = request.META.get("wsgi.input_terminated") and not request.META.get(
        "CONTENT_LENGTH"
    )
    stream = request.META["wsgi.input"] if ends else request
    try:
        while chunk := stream.read(CHUNK):
            yield chunk
    except OSError as cut:
        raise CutShort from cut
