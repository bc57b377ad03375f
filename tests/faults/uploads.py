"""Phones that send photos in pieces through thick and thin, and what they were told."""

from __future__ import annotations

import base64
import hashlib
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

from PIL import Image

from tests.faults.ledger import REPORTS, letter
from tests.servers import PATIENCE_SECONDS, ROOT, Answer, Server, wait_until

PIECE = 6_000
PAUSE_SECONDS = 0.1


@dataclass(frozen=True)
class Sent:
    """A photo of its own for each upload: no other has its bytes."""

    report: str
    id: str
    content: bytes

    @property
    def address(self) -> str:
        return f"{REPORTS}{self.report}/photos/{self.id}/"

    def headers(self, start: int, end: int) -> dict[str, str]:
        digest = base64.b64encode(hashlib.sha256(self.content).digest()).decode()
        return {
            "Content-Type": "image/jpeg",
            "Content-Range": f"bytes {start}-{end - 1}/{len(self.content)}",
            "Repr-Digest": f"sha-256=:{digest}:",
        }


def new_photo(report: str) -> Sent:
    noise = Image.effect_noise((160, 120), random.uniform(40, 120))  # noqa: S311 - noise
    file = BytesIO()
    noise.save(file, "JPEG", quality=85)
    return Sent(report, str(uuid4()), file.getvalue())


def file_report(server: Server) -> str:
    """The id of a report that the server has acknowledged, however often it is asked."""
    report = letter("Hueco con fotos aparte")
    while True:
        with suppress(OSError, HTTPException):
            answer = server.send(REPORTS, report.body, report.content_type)
            if answer.status in (200, 201):
                return report.id
        time.sleep(PAUSE_SECONDS)


def ask(server: Server, photo: Sent) -> Any:
    """How much of it is there."""
    answer = server.send(photo.address)
    assert answer.status == 200, answer.body
    return answer.json()


def put_piece(server: Server, photo: Sent, start: int, end: int) -> Answer:
    """Raises OSError or HTTPException when no whole answer comes."""
    with closing(HTTPConnection("127.0.0.1", server.port, PATIENCE_SECONDS)) as phone:
        phone.request(
            "PUT", photo.address, photo.content[start:end], photo.headers(start, end)
        )
        answer = phone.getresponse()
        return Answer(answer.status, answer.headers, answer.read())


def put_cut(server: Server, photo: Sent, start: int, end: int, after: int) -> None:
    """The same, but the connection breaks after so many bytes of the request."""
    lines = [
        f"PUT {photo.address} HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        f"Content-Length: {end - start}",
        *(f"{name}: {value}" for name, value in photo.headers(start, end).items()),
    ]
    head = "\r\n".join([*lines, "", ""]).encode()
    request = head + photo.content[start:end]
    with socket.create_connection(("127.0.0.1", server.port)) as phone:
        phone.sendall(request[: after % (len(request) + 1)])


@dataclass
class Uploads:
    """Phones at work: `wanted` photos, four a report, each tried until it is safe."""

    server: Server
    wanted: int
    phones: int = 6
    safe: list[Sent] = field(default_factory=list)
    refusals: list[Answer] = field(default_factory=list)
    silences: int = 0
    failures: list[BaseException] = field(default_factory=list)

    def __enter__(self) -> Uploads:
        self.left = threading.Semaphore(self.wanted // 4)
        self.threads = [threading.Thread(target=self.phone) for _ in range(self.phones)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        for thread in self.threads:
            thread.join()
        assert not self.failures, self.failures

    def phone(self) -> None:
        try:
            while self.left.acquire(blocking=False):
                report = file_report(self.server)
                for _ in range(4):
                    self.send(new_photo(report))
        except BaseException as failure:
            self.failures.append(failure)
            raise

    def send(self, photo: Sent) -> None:
        here = 0
        while True:
            end = min(here + PIECE, len(photo.content))
            try:
                answer = put_piece(self.server, photo, here, end)
            except (OSError, HTTPException):
                self.silences += 1
                time.sleep(PAUSE_SECONDS)
                continue
            if answer.status in (200, 201):
                self.safe.append(photo)
                return
            if answer.status not in (202, 409):
                self.refusals.append(answer)
                time.sleep(PAUSE_SECONDS)
                continue
            here = answer.json()["received"]

    def is_over(self) -> bool:
        return not any(thread.is_alive() for thread in self.threads)


@contextmanager
def jobs_done(server: Server) -> Iterator[Jobs]:
    jobs = Jobs(server)
    jobs.start()
    try:
        yield jobs
    finally:
        jobs.kill()


class Jobs:
    """A worker that is killed and begins again."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.log = server.folder / "worker.log"

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "procrastinate", "worker"],
                cwd=ROOT,
                env={**os.environ, **self.server.environment},
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def finish(self) -> None:
        """Do all that is left; also what a killed worker had in hand, as if it had been
        silent for long enough to be taken for dead."""
        self.kill()
        self.server.rows(
            "UPDATE procrastinate_jobs SET status = 'todo'"
            " WHERE status = 'doing' RETURNING id"
        )
        self.server.do_jobs()
        wait_until(lambda: not self.waiting(), "no job is left")

    def waiting(self) -> list[Any]:
        return self.server.rows(
            "SELECT id FROM procrastinate_jobs WHERE status <> 'succeeded'"
            " AND task_name = 'clean_photo'"
        )


def check_photos(server: Server, safe: list[Sent]) -> None:
    """What was acknowledged is there byte for byte, and no row is without its files."""
    media = server.folder / "media"
    rows = server.rows(
        "SELECT id::text, state, size, received, sha256, original, image, thumbnail"
        " FROM cases_photo"
    )
    known = {row[0]: row for row in rows}
    for photo in safe:
        _, state, size, received, sha256, original, *_ = known[photo.id]
        assert state in {"received", "ready"}
        assert size == received == len(photo.content)
        assert sha256 == hashlib.sha256(photo.content).hexdigest()
        assert (media / original).read_bytes() == photo.content
    for _, state, *_, original, image, thumbnail in rows:
        names = [original] if state == "received" else [original, image, thumbnail]
        if state == "uploading":
            continue
        for name in names:
            assert (media / name).stat().st_size > 0, (state, name)
        for name in names[1:]:
            with Image.open(media / name) as picture:
                picture.load()
    for (name,) in server.rows("SELECT name FROM cases_photopart"):
        assert (media / name).is_file()


def files_of(server: Server) -> set[str]:
    """Those of photos: the public's data, which are made at night, lie in another folder."""
    media = server.folder / "media"
    files = (path.relative_to(media) for path in media.rglob("*") if path.is_file())
    return {str(file) for file in files if file.parts[0] != "data"}


def names_in_rows(server: Server) -> set[str]:
    rows = server.rows(
        "SELECT unnest(ARRAY[original, image, thumbnail]) FROM cases_photo"
        " UNION SELECT name FROM cases_photopart"
    )
    return {name for (name,) in rows if name}


def age_files(folder: Path, hours: float) -> None:
    then = time.time() - hours * 3600
    for path in folder.rglob("*"):
        os.utime(path, (then, then))
