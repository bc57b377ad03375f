"""A server that is told to renew its workers, or to end, drops nobody (R38)."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.client import HTTPException

import pytest

from tests.faults.ledger import REPORTS, letter
from tests.servers import Server, wait_until

pytestmark = pytest.mark.django_db

PHONES = 4


def test_new_workers_take_over_without_one_request_lost(server: Server) -> None:
    with phones(server) as heard:
        for _ in range(3):
            old = set(server.worker_pids())
            os.kill(server.process.pid, signal.SIGHUP)
            wait_until(lambda old=old: has_changed(server, old), "workers are new", 60)
            time.sleep(0.5)
    assert set(heard.values()) == {201}
    assert len(heard) > PHONES
    assert filed_among(heard, server) == set(heard)


def test_whoever_is_being_answered_when_it_ends_is_answered(server: Server) -> None:
    with phones(server) as heard:
        wait_until(lambda: len(heard) > 2 * PHONES, "reports are filed")
        os.kill(server.process.pid, signal.SIGTERM)
        server.process.wait(30)
    # Whoever comes too late is told by nobody, and sends it again: nothing was done.
    answered = {report for report, status in heard.items() if status == 201}
    assert set(heard.values()) <= {201, None}
    assert len(answered) > PHONES
    assert filed_among(heard, server) == answered
    server.__enter__()  # the fixture ends it


def test_one_that_is_ended_while_it_starts_is_gone_at_once(server: Server) -> None:
    starting = Server(server.database_url, server.folder / "another")
    starting.folder.mkdir()
    starting.answers = lambda: True  # type: ignore[method-assign]
    starting.__enter__()
    starting.process.terminate()
    with pytest.raises(subprocess.TimeoutExpired):
        starting.process.wait(0)
    assert starting.process.wait(10) is not None


def has_changed(server: Server, old: set[int]) -> bool:
    now = set(server.worker_pids())
    return len(now) >= server.workers and not now & old


def filed_among(heard: Iterable[str], server: Server) -> set[str]:
    rows = server.rows(
        "SELECT report_id::text FROM cases_case WHERE report_id = ANY(%s::uuid[])",
        list(heard),
    )
    return {report for (report,) in rows}


@contextmanager
def phones(server: Server) -> Iterator[dict[str, int | None]]:
    """They file one report after another until nobody answers.

    What each report was answered, None for those that nobody answered.
    """
    heard: dict[str, int | None] = {}
    ended = threading.Event()

    def phone() -> None:
        while not ended.is_set():
            said = letter("Hueco")
            try:
                answer = server.send(REPORTS, said.body, said.content_type)
            except (OSError, HTTPException):
                heard[said.id] = None
                return
            heard[said.id] = answer.status

    threads = [threading.Thread(target=phone) for _ in range(PHONES)]
    for thread in threads:
        thread.start()
    try:
        yield heard
    finally:
        ended.set()
        for thread in threads:
            thread.join()
