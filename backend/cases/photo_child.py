"""The process that decodes one photo and ends: `python -m backend.cases.photo_child`.

A hole in a decoder is a hole in here: a process with little memory, little time, no
files to write, and neither keys nor database in its environment. The original is its
standard input; what it made of it goes to its standard output, a line of JSON first.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any, BinaryIO

MEGABYTE = 1024 * 1024
# What it is told of, and what ends it: of its time it is told with a signal (SIGXCPU)
# that says why it ended.
LIMITS = {
    resource.RLIMIT_AS: (700 * MEGABYTE, 700 * MEGABYTE),
    resource.RLIMIT_CPU: (10, 12),  # seconds
    resource.RLIMIT_FSIZE: (8 * MEGABYTE, 8 * MEGABYTE),  # of its output
    resource.RLIMIT_CORE: (0, 0),
}


def main() -> None:
    for what, most in LIMITS.items():
        resource.setrlimit(what, most)
    # Only now: an import also takes memory, and reads what is on the disk.
    from backend.cases.photo_cleaning import clean_photo
    from backend.cases.photo_headers import ImageTooLarge, NotAnImage

    try:
        clean = clean_photo(sys.stdin.buffer)
    except NotAnImage:
        tell(sys.stdout.buffer, {"refused": "not-an-image"})
    except (ImageTooLarge, MemoryError):
        tell(sys.stdout.buffer, {"refused": "image-too-large"})
    else:
        said = {
            "width": clean.width,
            "height": clean.height,
            "fingerprint": clean.fingerprint,
            "taken_at": clean.taken_at and clean.taken_at.isoformat(),
            "taken_location": clean.taken_location,
            "lengths": [len(clean.image), len(clean.thumbnail)],
        }
        tell(sys.stdout.buffer, said, clean.image, clean.thumbnail)


def tell(out: BinaryIO, said: dict[str, Any], *files: bytes) -> None:
    out.write(json.dumps(said).encode() + b"\n")
    for file in files:
        out.write(file)
    out.flush()


if __name__ == "__main__":
    main()
