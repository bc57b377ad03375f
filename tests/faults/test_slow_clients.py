"""Hundreds who send a byte now and then keep nobody else waiting (R16)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from tests.faults.ledger import REPORTS, letter
from tests.nginx import Nginx, nginx_program
from tests.servers import Server

pytestmark = pytest.mark.django_db

EACH = 150
LINE = "Host: 127.0.0.1\r\nContent-Type: application/json\r\n"
IN_THE_HEAD = f"GET /api/v1/heat/ HTTP/1.1\r\n{LINE}"
IN_THE_BODY = f"POST {REPORTS} HTTP/1.1\r\n{LINE}Content-Length: 2000\r\n\r\n{{"
# One who is kept waiting by one of them waits for seconds.
MOST_SECONDS = 2.0


@pytest.fixture
def front(server: Server, tmp_path_factory) -> Iterator[Nginx]:
    program = nginx_program()
    if program is None:
        pytest.skip("needs nginx on this machine, as `./run test` gets it")
    with Nginx(program, server.port, tmp_path_factory.mktemp("front")) as running:
        yield running


def test_others_are_answered_while_hundreds_trickle(front: Nginx) -> None:
    with trickling(front.port) as lines:
        for _ in range(10):
            start = time.monotonic()
            assert front.send("/api/v1/categories/").status == 200
            assert time.monotonic() - start < MOST_SECONDS
        said = letter("Hueco")
        assert front.send(REPORTS, said.body, said.content_type).status == 201
        assert sum(is_open(line) for line in lines) > EACH  # they were there all along


@contextmanager
def trickling(port: int) -> Iterator[list[socket.socket]]:
    """Half of them in the head, half in the body, a byte in a while each."""
    ended = threading.Event()
    with ExitStack() as closing:
        lines = [
            closing.enter_context(socket.create_connection(("127.0.0.1", port), 10))
            for _ in range(2 * EACH)
        ]
        for number, line in enumerate(lines):
            line.sendall((IN_THE_HEAD if number % 2 else IN_THE_BODY).encode())

        def trickle() -> None:
            while not ended.wait(0.2):
                for line in lines:
                    with suppress(OSError):  # told to go
                        line.sendall(b"x")

        sender = threading.Thread(target=trickle)
        sender.start()
        try:
            yield lines
        finally:
            ended.set()
            sender.join()


def is_open(line: socket.socket) -> bool:
    line.setblocking(False)
    try:
        return line.recv(1, socket.MSG_PEEK) != b""
    except BlockingIOError:
        return True  # nothing was said yet, and nobody hung up
    except OSError:
        return False
