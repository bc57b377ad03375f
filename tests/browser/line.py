"""A bad line between the browser and the server: slow, it loses, cuts, answers for others."""

from __future__ import annotations

import re
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import orjson

PATIENCE_SECONDS = 30
# What passes at a time on a slow line.
PARCEL_BYTES = 8 * 1024
HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


class Pace(NamedTuple):
    """How slow: seconds until an answer begins, and bytes a second each way."""

    latency: float = 0
    bytes_per_second: int | None = None


UNHINDERED = Pace()
# What is called slow 3G.
SLOW_3G = Pace(0.4, 50_000)


class Asked(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Said(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return orjson.loads(self.body)


def said(status: int, body: Any, **headers: str) -> Said:
    """An answer as the API writes them."""
    kind = "application/problem+json" if status >= 400 else "application/json"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Said(status, {"Content-Type": kind, **named}, orjson.dumps(body))


@dataclass
class Fault:
    """What happens to the next requests of a kind, so many times."""

    method: str
    path: str
    times: int = 1
    # How many such requests pass before.
    after: int = 0
    # The answer instead of the server's; None: the line is cut,
    answer: Said | None = None
    # after the server has answered, or, with a number, after so many bytes of the body.
    cut_after_bytes: int | None = None

    def matches(self, method: str, path: str) -> bool:
        fits = method == self.method and re.search(self.path, path)
        return self.times > 0 and bool(fits)


class Cut(Exception):
    """The connection ends here, without a word."""


@dataclass
class Line:
    """Carries requests to `upstream` (host:port) while it is up, and notes them."""

    upstream: str
    faults: list[Fault] = field(default_factory=list)
    seen: list[tuple[str, str, int]] = field(default_factory=list)
    bytes_of: dict[str, int] = field(default_factory=dict)
    pace: Pace = UNHINDERED
    port: int = 0
    _server: ThreadingHTTPServer | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    # There and back: each carries one parcel at a time, whoever sends.
    _lanes: dict[str, threading.Lock] = field(
        default_factory=lambda: {"up": threading.Lock(), "down": threading.Lock()}
    )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def up(self) -> None:
        """Listens, always on the port of the first time."""
        if self._server is None:
            self._server = Listener(self)
            self.port = self._server.server_address[1]
            serve = self._server.serve_forever
            threading.Thread(target=serve, args=(0.02,), daemon=True).start()

    def down(self) -> None:
        """Nobody listens any more: connections are refused."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def count(self, method: str, path: str) -> int:
        """How many such requests arrived, answered or not."""
        return sum(m == method and bool(re.search(path, p)) for m, p, _ in self.seen)

    def forget(self) -> None:
        self.seen.clear()
        self.bytes_of.clear()
        self.faults.clear()
        self.pace = UNHINDERED

    def carry(self, lane: str, size: int) -> None:
        """Takes the time that so many bytes need."""
        if self.pace.bytes_per_second:
            with self._lanes[lane]:
                time.sleep(size / self.pace.bytes_per_second)

    def fault_of(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for fault in self.faults:
                if fault.matches(method, path) and fault.after:
                    fault.after -= 1
                elif fault.matches(method, path):
                    fault.times -= 1
                    return fault
        return None

    def note(self, asked: Asked, status: int) -> None:
        with self._lock:
            self.seen.append((asked.method, asked.path, status))
            total = self.bytes_of.get(asked.path, 0) + len(asked.body)
            self.bytes_of[asked.path] = total

    def forwarded(self, asked: Asked) -> Said:
        host, _, port = self.upstream.partition(":")
        with closing(HTTPConnection(host, int(port), PATIENCE_SECONDS)) as upstream:
            upstream.request(asked.method, asked.path, asked.body, asked.headers)
            answer = upstream.getresponse()
            headers = {
                name: value
                for name, value in answer.getheaders()
                if name.lower() not in HOP_BY_HOP
            }
            return Said(answer.status, headers, answer.read())


class Listener(ThreadingHTTPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, line: Line) -> None:
        self.line = line
        super().__init__(("127.0.0.1", line.port), Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in mid-sentence is what these tests are about."""


class Handler(BaseHTTPRequestHandler):
    # One request per connection: on one that it uses again the browser would
    # repeat by itself what was cut.
    protocol_version = "HTTP/1.0"
    server: Listener

    def handle_one_request(self) -> None:
        with suppress(Cut, ConnectionError):
            super().handle_one_request()

    def answer(self) -> None:
        line = self.server.line
        time.sleep(line.pace.latency)
        fault = line.fault_of(self.command, self.path)
        asked = self.asked(fault)
        if fault and fault.cut_after_bytes is not None:
            line.note(asked, 0)
            raise Cut
        answer = (fault and fault.answer) or line.forwarded(asked)
        if fault and not fault.answer:
            line.note(asked, 0)
            raise Cut
        line.note(asked, answer.status)
        self.say(answer)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def asked(self, fault: Fault | None) -> Asked:
        """The request, or as much of it as comes through."""
        length = int(self.headers.get("Content-Length") or 0)
        if fault and fault.cut_after_bytes is not None:
            length = min(length, fault.cut_after_bytes)
        headers = {
            name: value
            for name, value in self.headers.items()
            if name.lower() not in HOP_BY_HOP
        }
        return Asked(self.command, self.path, headers, self.heard(length))

    def heard(self, length: int) -> bytes:
        parcels = []
        for start in range(0, length, PARCEL_BYTES):
            parcels.append(self.rfile.read(min(PARCEL_BYTES, length - start)))
            self.server.line.carry("up", len(parcels[-1]))
        return b"".join(parcels)

    def say(self, answer: Said) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        for start in range(0, len(answer.body), PARCEL_BYTES):
            parcel = answer.body[start : start + PARCEL_BYTES]
            self.server.line.carry("down", len(parcel))
            self.wfile.write(parcel)

    def log_message(self, format: str, *args: Any) -> None:
        """The tests read `seen`."""
