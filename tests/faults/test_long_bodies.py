"""Bodies far longer than a photo are refused without being read (R15)."""

from __future__ import annotations

import socket
from contextlib import suppress
from http.client import HTTPResponse
from pathlib import Path
from uuid import uuid4

import pytest

from tests.faults.uploads import file_report
from tests.servers import PATIENCE_SECONDS, Server

pytestmark = pytest.mark.django_db

GIGABYTE = 1024**3
CHUNK = bytes(256 * 1024)
# What two sockets hold in their buffers on the way, and one photo of the largest size.
MOST_SENT = 40 * 1024**2
MOST_GROWTH_KB = 40 * 1024


@pytest.mark.parametrize("told", ["its length", "nothing"])
def test_a_gigabyte_is_refused_without_being_read(server: Server, told: str) -> None:
    address = f"/api/v1/reports/{file_report(server)}/photos/{uuid4()}/"
    before = memory_of(server)
    status, sent = send_a_gigabyte(server, "PUT", address, told == "its length")
    assert status in {413, None}
    assert sent < MOST_SENT
    assert memory_of(server) - before < MOST_GROWTH_KB
    assert server.send("/healthz").status == 200


def test_who_asks_first_is_told_at_once(server: Server) -> None:
    """Before the first byte of the body: nothing of it is waited for."""
    address = f"/api/v1/reports/{file_report(server)}/photos/{uuid4()}/"
    head = f"PUT {address} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {GIGABYTE}"
    with socket.create_connection(
        ("127.0.0.1", server.port), PATIENCE_SECONDS
    ) as phone:
        phone.sendall(f"{head}\r\n\r\n".encode())
        assert status_of(phone) == 413


@pytest.mark.parametrize(
    "kind", ["application/json", "multipart/form-data; boundary=x"]
)
def test_so_is_a_gigabyte_of_report(server: Server, kind: str) -> None:
    status, sent = send_a_gigabyte(server, "POST", "/api/v1/reports/", True, kind)
    assert status in {413, None}
    assert sent < MOST_SENT


def send_a_gigabyte(
    server: Server,
    method: str,
    address: str,
    with_length: bool,
    kind: str = "image/jpeg",
) -> tuple[int | None, int]:
    """The answer's status, if it could still be read, and how much was taken."""
    length = (
        f"Content-Length: {GIGABYTE}" if with_length else "Transfer-Encoding: chunked"
    )
    head = f"{method} {address} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n"
    framed = CHUNK if with_length else b"%x\r\n%b\r\n" % (len(CHUNK), CHUNK)
    sent = 0
    with socket.create_connection(
        ("127.0.0.1", server.port), PATIENCE_SECONDS
    ) as phone:
        phone.sendall(f"{head}{length}\r\n\r\n".encode())
        with suppress(ConnectionError):
            while sent < GIGABYTE:
                phone.sendall(framed)
                sent += len(CHUNK)
        return status_of(phone), sent


def status_of(phone: socket.socket) -> int | None:
    # The server closed while this side was still sending: its answer may be gone.
    with suppress(ConnectionError):
        answer = HTTPResponse(phone)
        answer.begin()
        return answer.status
    return None


def memory_of(server: Server) -> int:
    """The peak of the workers together, in kB."""
    return sum(
        int(line.split()[1])
        for pid in server.worker_pids()
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    )
