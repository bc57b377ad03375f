"""An answer of any length made smaller on its way, as its reader understands it."""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any, Self

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# The quickest of each: an export is bound by the processor, not by the line.
ZSTD_LEVEL = 1
GZIP_LEVEL = 1
GZIP_WINDOW = 16 + zlib.MAX_WBITS

ACCEPTED = re.compile(r"\s*([\w*-]+)\s*(?:;\s*q\s*=\s*(\d(?:\.\d{0,3})?)\s*)?")
COMPRESSORS: dict[str, Callable[[], Any]] = {
    "zstd": lambda: zstd.ZstdCompressor(level=ZSTD_LEVEL),
    "gzip": lambda: zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_WINDOW),
}


def best_encoding(accepted: str) -> str:
    """What `Accept-Encoding` likes best of what there is, or nothing."""
    liked: dict[str, float] = {}
    for part in accepted.split(","):
        if found := ACCEPTED.fullmatch(part):
            liked[found[1].lower()] = float(found[2] or 1)
    offered = [(liked.get(name, liked.get("*", 0)), name) for name in COMPRESSORS]
    weight, name = max(offered, key=lambda offer: offer[0])
    return name if weight > 0 else ""


def compressed(pieces: Generator[bytes], encoding: str) -> Generator[bytes]:
    compressor = COMPRESSORS[encoding]()
    with closing(pieces):
        for piece in pieces:
            if smaller := compressor.compress(piece):
                yield smaller
        yield compressor.flush()


class Begun:
    """The pieces, the first of them made now: while it can still be said that it fails.

    Closed, also before anybody has read, it ends what makes them.
    """

    def __init__(self, pieces: Generator[bytes]) -> None:
        self.first: bytes | None = next(pieces)
        self.pieces = pieces

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        first, self.first = self.first, None
        return next(self.pieces) if first is None else first

    def close(self) -> None:
        self.pieces.close()
