"""A photo cleaned in a process of its own, which alone dies of it."""

from __future__ import annotations

import resource
import signal
import subprocess
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from backend.cases import photo_process
from backend.cases.photo_child import LIMITS, MEGABYTE
from backend.cases.photo_cleaning import clean_photo
from backend.cases.photo_headers import ImageTooLarge, NotAnImage
from backend.cases.photo_process import CleaningFailed, check_ending, clean_elsewhere
from tests.backend.cases.test_photo_cleaning import (
    BOMBS,
    SECRETS,
    full_of_secrets,
    saved,
    scenery,
    taken,
)
from tests.factories import make_photo


def test_a_photo_comes_back_as_if_it_had_been_cleaned_here():
    for upload in (make_photo((2000, 1500)), saved(scenery(3), "PNG"), taken()):
        assert clean_elsewhere(upload) == clean_photo(upload)


def test_nothing_but_pixels_comes_back():
    for content in full_of_secrets().values():
        clean = clean_elsewhere(BytesIO(content))
        assert not [s for s in SECRETS if s in clean.image + clean.thumbnail]


def test_what_it_refuses_is_refused():
    with pytest.raises(NotAnImage):
        clean_elsewhere(BytesIO(b"<html>"))
    with pytest.raises(ImageTooLarge):
        clean_elsewhere(saved(Image.new("1", (12_000, 9_000)), "PNG"))


MOST_MB = 300
# What the child itself took at most, in kB: not what its parent had when it began.
MEASURED = """
import re
from pathlib import Path
from backend.cases import photo_child
photo_child.main()
peak = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]
with Path({peaks!r}).open("a") as file:
    file.write(peak + "\\n")
"""


def test_bombs_are_refused_or_drawn_anew_in_little_memory(other_child, tmp_path):
    peaks = tmp_path / "peaks"
    other_child(MEASURED.format(peaks=str(peaks)))
    for format, mode, size, options in BOMBS.values():
        bomb = saved(Image.new(mode, size), format, **options)
        try:
            assert clean_elsewhere(bomb).width <= 1600
        except ImageTooLarge:
            assert size[0] * size[1] > 13_000_000
    measured = dict(zip(BOMBS, map(int, peaks.read_text().split()), strict=True))
    assert max(measured.values()) // 1024 < MOST_MB, measured


# ── Its limits ───────────────────────────────────────────────────────────────────


# What a decoder with a hole in it might do instead of decoding.
MISDEEDS: dict[str, tuple[str, type[Exception]]] = {
    "take all memory": ("bytearray(2 * 10**9)", ImageTooLarge),
    "go on for ever": ("__import__('resource').setrlimit(0, (1, 2)); [0 for _ in iter(int, 1)]", ImageTooLarge),
    "fall over": ("__import__('os').kill(__import__('os').getpid(), 11)", NotAnImage),
    "write much": ("sys.stdout.buffer.write(bytes(9 * 2**20))", CleaningFailed),
    "be killed": ("__import__('os').kill(__import__('os').getpid(), 9)", CleaningFailed),
    "raise": ("int('x')", CleaningFailed),
}  # fmt: skip


@pytest.fixture
def other_child(monkeypatch):
    """Other words for the child to follow."""
    run = subprocess.run

    def instead(words: str) -> None:
        def start(command: list[str], **options: Any) -> Any:
            return run([*command[:2], "-c", words], **options)

        monkeypatch.setattr(subprocess, "run", start)

    return instead


@pytest.mark.parametrize("misdeed", MISDEEDS)
def test_a_child_that_misbehaves_ends_alone(misdeed, other_child, monkeypatch):
    words, verdict = MISDEEDS[misdeed]
    child = f"""
import sys
from backend.cases import photo_child, photo_cleaning
def misbehave(upload):
    {words}
photo_cleaning.clean_photo = misbehave
photo_child.main()
"""
    other_child(child)
    with pytest.raises(verdict):
        clean_elsewhere(make_photo())
    monkeypatch.undo()
    assert clean_elsewhere(make_photo()).width == 640


def test_a_child_that_does_nothing_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(photo_process, "PATIENCE_SECONDS", 0.001)
    with pytest.raises(CleaningFailed):
        clean_elsewhere(make_photo())


def test_the_child_has_little_of_everything():
    assert LIMITS[resource.RLIMIT_AS] == (700 * MEGABYTE,) * 2
    assert LIMITS[resource.RLIMIT_CPU][0] == 10
    assert LIMITS[resource.RLIMIT_FSIZE][1] <= 8 * MEGABYTE


def test_the_child_knows_no_keys(monkeypatch):
    """What is not in its environment cannot be told by a decoder with a hole."""
    seen: dict[str, Any] = {}
    run = subprocess.run

    def watched(command: list[str], **options: Any) -> Any:
        seen.update(options["env"])
        return run(command, **options)

    monkeypatch.setattr(subprocess, "run", watched)
    clean_elsewhere(make_photo())
    assert seen
    assert not {"SECRET_KEY", "DATABASE_URL", "DATA_KEY"} & seen.keys()


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (-signal.SIGXCPU, ImageTooLarge),
        (-signal.SIGSEGV, NotAnImage),
        (-signal.SIGABRT, NotAnImage),
        (-signal.SIGKILL, CleaningFailed),
        (-signal.SIGTERM, CleaningFailed),
        (1, CleaningFailed),
    ],
)
def test_only_an_end_that_would_come_again_condemns_the_photo(status, verdict):
    with pytest.raises(verdict):
        check_ending(status, b"Traceback\nKeyError: x\n")


def test_photos_are_decoded_one_at_a_time(monkeypatch):
    """Or the memory above would have to be counted once per thread."""
    held = []

    def watched(sent: Any, made: Any) -> tuple[int, bytes]:
        held.append(photo_process.decoding.locked())
        made.write(b'{"refused": "not-an-image"}\n')
        return 0, b""

    monkeypatch.setattr(photo_process, "run_child", watched)
    with pytest.raises(NotAnImage):
        clean_elsewhere(make_photo())
    assert held == [True]
    assert not photo_process.decoding.locked()
