"""P7: a photo of twelve megapixels and three megabytes taken in, and then cleaned."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from uuid import uuid4

import orjson
from PIL import Image

from backend.accounts.devices import issue_device
from backend.cases.photo_process import run_child
from tests.benchmarks.bench import Bench, Size
from tests.benchmarks.figures import Result, at_least
from tests.benchmarks.p1_filing import (
    REPORTS,
    forget_since,
    newest_case,
    places_of_cases,
    report,
)
from tests.benchmarks.phones import Ask, Heard, ask_for
from tests.servers import Server

WAITS_FOR = "a 12-megapixel, 3 MB photo taken in"
ELSEWHERE = (
    "Signalen 40/s at 8 phones, p99 307 ms (as sent: not decoded, its place kept)"
)
PHONES = 8
SIGNALEN = 40.0  # photos a second, on two cores
CLEANED_A_CORE = 3.0
MEGAPIXELS = (4000, 3000)
BYTES = 3_000_000
CLEANED = 6


def measure(bench: Bench, size: Size) -> Result:
    result = Result()
    photo = camera_photo()
    with bench.django_on(size) as name:
        newest = newest_case(name)
        points = places_of_cases(name, 50)
        tokens = [issue_device().token for _ in range(PHONES)]
        try:
            heard = send_photos(bench, name, points, tokens, photo)
        finally:
            forget_since(name, newest)
    disk = [written(bench.emptied("disk"), photo, bench.pace.seconds) for _ in heard]
    cleaned = [cleaned_a_second(photo) for _ in heard]

    rate = result.add("311 móvil, acknowledged", (h.rate for h in heard), "photos/s")
    result.add("311 móvil, p99", (h.milliseconds(99) for h in heard), "ms")
    limit = result.add("write and fsync, 8 at once", disk, "photos/s")
    clean = result.add("311 móvil, cleaned, all cores", cleaned, "photos/s")
    a_core = clean.middle / (os.cpu_count() or 1)
    result.targets += [
        at_least("photos/s acknowledged, as Signalen", rate.middle, SIGNALEN),
        at_least("cleaned a second by a core", a_core, CLEANED_A_CORE),
    ]
    result.notes.append(
        f"A photo of {len(photo) / 1e6:.1f} MB; sent whole, {PHONES} phones at once."
        f" Of what the disk takes, {rate.middle / limit.middle:.0%} are taken in."
        " Signalen's rate was measured elsewhere: no ratio of this run."
    )
    return result


def camera_photo() -> bytes:
    """As many pixels and bytes as a telephone's camera makes, and as hard to decode."""
    noise = Image.frombytes("RGB", (500, 375), os.urandom(500 * 375 * 3))
    picture = noise.resize(MEGAPIXELS, Image.Resampling.BICUBIC)
    for quality in range(95, 20, -5):
        file = BytesIO()
        picture.save(file, "JPEG", quality=quality)
        if file.tell() <= BYTES * 1.1:
            break
    return file.getvalue()


def send_photos(
    bench: Bench,
    name: str,
    points: list[tuple[float, float]],
    tokens: list[str],
    photo: bytes,
) -> list[Heard]:
    with bench.server_on(name) as server:
        reports = [""] * PHONES

        def asks(phone: int) -> Iterator[Ask]:
            headers = {
                "Content-Type": "application/octet-stream",
                "Authorization": f"Device {tokens[phone]}",
            }
            for number in range(10**9):
                if number % 4 == 0:  # a case has at most four
                    reports[phone] = file_one(server, points[phone], tokens[phone])
                path = f"{REPORTS}{reports[phone]}/photos/{uuid4()}/"
                yield Ask(path, photo, headers, "PUT")

        return [
            ask_for(bench.pace.seconds, server.port, PHONES, asks)
            for _ in range(bench.pace.times)
        ]


def file_one(server: Server, point: tuple[float, float], token: str) -> str:
    body = report(point)
    answer = server.send(
        REPORTS, body, "application/json", more={"Authorization": f"Device {token}"}
    )
    assert answer.status == 201, answer.body
    return str(orjson.loads(body)["id"])


def written(folder: Path, photo: bytes, seconds: float) -> float:
    """Files a second that eight threads write and sync."""
    end = time.monotonic() + min(seconds, 3)

    def write(phone: int) -> int:
        count = 0
        while time.monotonic() < end:
            with (folder / f"{phone}-{count}").open("wb") as file:
                file.write(photo)
                file.flush()
                os.fsync(file.fileno())
            count += 1
        return count

    start = time.monotonic()
    with ThreadPoolExecutor(PHONES) as phones:
        return sum(phones.map(write, range(PHONES))) / (time.monotonic() - start)


def cleaned_a_second(photo: bytes) -> float:
    """By as many workers as there are cores, each photo in a process of its own."""

    def clean(_number: int) -> None:
        with TemporaryFile() as sent, TemporaryFile() as made:
            sent.write(photo)
            sent.seek(0)
            status, words = run_child(sent, made)
            assert status == 0, words.decode(errors="replace")[-300:]

    start = time.monotonic()
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        list(workers.map(clean, range(CLEANED)))
    return CLEANED / (time.monotonic() - start)
