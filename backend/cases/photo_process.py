"""A photo cleaned in a process of its own: whatever it holds, only that one dies of it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import datetime
from tempfile import TemporaryFile
from threading import Lock
from typing import BinaryIO

from django.conf import settings

from backend.cases.photo_cleaning import LARGEST_SIDE, CleanPhoto
from backend.cases.photo_headers import ImageTooLarge, NotAnImage

# Of the clock on the wall: much more than its ten seconds of work, for a busy machine.
PATIENCE_SECONDS = 60
# What it needs to run, and nothing else of ours: no keys, no database.
PASSED_ON = ("LANG", "LD_LIBRARY_PATH", "PATH", "PYTHONPYCACHEPREFIX", "TZ")
# It is ended so when it has used up its time, or when a decoder fell over: it would
# again. Any other end is the machine's doing, and the photo is tried once more.
OUT_OF_TIME = frozenset({-signal.SIGXCPU})
FELL_OVER = frozenset(
    {-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGABRT, -signal.SIGILL, -signal.SIGFPE}
)
REFUSALS = {"not-an-image": NotAnImage, "image-too-large": ImageTooLarge}

# One photo at a time in each process: decoding is work for the processor, not waiting,
# and the memory of one is then the memory of all.
decoding = Lock()


class CleaningFailed(Exception):
    """It was not the photo's fault, as far as anyone can tell."""


def clean_elsewhere(original: BinaryIO) -> CleanPhoto:
    """Clean a photo in a child process with limits.

    Raises NotAnImage, ImageTooLarge; CleaningFailed when it should be tried again.
    """
    with TemporaryFile() as sent, TemporaryFile() as made, decoding:
        shutil.copyfileobj(original, sent)
        sent.seek(0)
        check_ending(*run_child(sent, made))
        made.seek(0)
        return result(made)


def run_child(sent: BinaryIO, made: BinaryIO) -> tuple[int, bytes]:
    try:
        child = subprocess.run(
            [sys.executable, "-s", "-m", "backend.cases.photo_child"],
            stdin=sent,
            stdout=made,
            stderr=subprocess.PIPE,
            cwd=settings.BASE_DIR,
            env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise CleaningFailed("it took too long") from late
    return child.returncode, child.stderr


def check_ending(status: int, words: bytes) -> None:
    if status in OUT_OF_TIME:
        raise ImageTooLarge
    if status in FELL_OVER:
        raise NotAnImage
    if status:
        last = words.decode(errors="replace").strip().rsplit("\n", 1)[-1]
        raise CleaningFailed(f"the child ended with {status}: {last[:200]}")


def result(made: BinaryIO) -> CleanPhoto:
    said = json.loads(made.readline())
    if "refused" in said:
        raise REFUSALS[said["refused"]]
    image, thumbnail = (made.read(length) for length in said["lengths"])
    if max(said["width"], said["height"]) > LARGEST_SIDE or made.read(1):
        raise CleaningFailed("the child told nonsense")
    return CleanPhoto(
        image,
        thumbnail,
        said["width"],
        said["height"],
        fingerprint=said["fingerprint"],
        taken_at=said["taken_at"] and datetime.fromisoformat(said["taken_at"]),
        taken_location=said["taken_location"] and tuple(said["taken_location"]),
    )
