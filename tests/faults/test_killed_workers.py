"""Web workers are killed under load; what they acknowledged stays (R1, R3, R9)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests.faults.ledger import Ledger
from tests.servers import Server, server_of_its_own

pytestmark = pytest.mark.django_db

SECONDS = 60
PAUSE_SECONDS = 0.7


@pytest.fixture
def server(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path: Path
) -> Iterator[Server]:
    with server_of_its_own(django_db_blocker, tmp_path, workers=4) as running:
        yield running


def test_what_was_acknowledged_survives_the_killing_of_web_workers(
    server: Server,
) -> None:
    with Ledger(server) as ledger:
        kill_workers(server, ledger)

    cut = [end for end in ledger.silences if not isinstance(end, TimeoutError)]
    assert cut, "no worker was killed while it had a report in hand"
    assert {answer.status for answer in ledger.refusals} <= {503}
    ledger.check()
    check_photos(server)


def kill_workers(server: Server, ledger: Ledger) -> None:
    """Kill a worker chosen at random, again and again, while the others serve on."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        time.sleep(PAUSE_SECONDS)
        ledger.wait_for_more(1)
        server.kill_worker(secrets.choice(server.worker_pids()))


def check_photos(server: Server) -> None:
    """Every photo that the database knows is on the disk, byte for byte."""
    photos = server.rows("SELECT original, size, sha256 FROM cases_photo")
    assert photos
    for name, size, digest in photos:
        content = (server.folder / "media" / name).read_bytes()
        assert len(content) == size
        assert sha256(content).hexdigest() == digest
