"""Many who ask at once, each as soon as its last answer is there; for a bounded time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import NamedTuple

from tests.benchmarks.figures import percentile

PATIENCE_SECONDS = 60.0


class Refused(Exception):
    """The server's answer was no success: what was measured would mean nothing."""


class Ask(NamedTuple):
    path: str
    body: bytes | None = None
    headers: dict[str, str] = {}
    method: str = ""


@dataclass
class Heard:
    """What came back: seconds and bytes of each answer, in the order they came."""

    seconds: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    elapsed: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.seconds) / self.elapsed

    def milliseconds(self, share: float) -> float:
        return percentile(self.seconds, share) * 1000


def ask_for(
    seconds: float, port: int, phones: int, asks: Callable[[int], Iterator[Ask]]
) -> Heard:
    """Phone n asks what `asks(n)` yields, until the time is over or nothing is left.

    Raises Refused.
    """
    heard = Heard()
    failures: list[BaseException] = []
    end = time.monotonic() + seconds

    def phone(number: int) -> None:
        try:
            one_phone(port, asks(number), heard, end)
        except BaseException as failure:  # noqa: BLE001 - raised below, in the caller
            failures.append(failure)

    threads = [threading.Thread(target=phone, args=[n]) for n in range(phones)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    heard.elapsed = time.monotonic() - start
    if failures:
        raise failures[0]
    return heard


def one_phone(port: int, asks: Iterator[Ask], heard: Heard, end: float) -> None:
    with closing(HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)) as line:
        for ask in asks:
            start = time.monotonic()
            if start > end:
                return
            size = answer_to(line, ask)
            heard.seconds.append(time.monotonic() - start)
            heard.sizes.append(size)


def answer_to(line: HTTPConnection, ask: Ask) -> int:
    """How many bytes the answer's body has. Raises Refused."""
    try:
        return answer_once(line, ask)
    except (HTTPException, ConnectionError):
        # A worker that has served its share hangs up; whoever asks then asks again.
        line.close()
        return answer_once(line, ask)


def answer_once(line: HTTPConnection, ask: Ask) -> int:
    method = ask.method or ("GET" if ask.body is None else "POST")
    line.request(method, ask.path, ask.body, ask.headers)
    answer = line.getresponse()
    body = answer.read()
    if answer.status not in (200, 201, 202, 204):
        raise Refused(f"{ask.path}: {answer.status} {body[:300]!r}")
    return len(body)
