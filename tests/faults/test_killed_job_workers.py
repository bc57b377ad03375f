"""The worker is killed while it tells people; each of them is told, and noted once (R6)."""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from backend.worker import CONCURRENCY, NOT_FINISHED
from tests.faults.notices import make_news
from tests.servers import Server, cloned_database, wait_until
from tests.sinks import MailSink, PushSink, mail_sink, push_sink
from tests.web_push import Browser
from tests.workers import Worker, jobs_in_hand, jobs_left

pytestmark = pytest.mark.django_db

log = logging.getLogger(__name__)


class Scene:
    """A database with news, a worker that is killed, and where the news arrive."""

    def __init__(self, url: str, folder: Path, mail: MailSink, push: PushSink) -> None:
        self.mail = mail
        self.push = push
        self.browser = Browser()
        self.server = Server(url, folder)  # Not started: its database is of use.
        self.worker = Worker(url, folder, EMAIL_URL=mail.url, **push.environment())

    def make_news(self, cases: int) -> None:
        subscription = json.dumps(self.browser.subscription(f"{self.push.url}/phone"))
        self.server.manage(
            "shell",
            *("-v0", "-c"),
            f"from tests.faults.notices import {make_news.__name__} as make\n"
            f"make({cases}, {subscription})",
        )

    def arrived(self) -> int:
        return len(self.mail.letters) + len(self.push.received)

    def numbers_by_push(self) -> list[str]:
        said = [self.browser.read(push.body) for push in self.push.received]
        return [str(push["number"]) for push in said]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.server.rows(sql)


@pytest.fixture
def scene(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path: Path
) -> Iterator[Scene]:
    with ExitStack() as stack:
        url = stack.enter_context(cloned_database(django_db_blocker))
        mail = stack.enter_context(mail_sink())
        push = stack.enter_context(push_sink(tmp_path))
        yield Scene(url, tmp_path, mail, push)


@pytest.mark.parametrize(
    ("cases", "kills"), [(75, 5), pytest.param(500, 20, marks=pytest.mark.slow)]
)
def test_everybody_is_told_though_the_worker_is_killed_again_and_again(
    scene: Scene, cases: int, kills: int
) -> None:
    scene.make_news(cases)
    between = 2 * cases // (kills + 1)
    for kill in range(kills):
        scene.worker.start()
        wait_until(
            lambda enough=between * (kill + 1): scene.arrived() >= enough, "news arrive"
        )
        scene.worker.kill()
    # However little each of them managed, so many were in the middle of something.
    assert jobs_in_hand(scene.server.database_url)
    time.sleep(1)  # The last of the dead has been silent for long enough.
    with scene.worker:
        scene.worker.wait_until_done()
        log_of_the_living = scene.worker.log.read_text()

    assert log_of_the_living.count("worker begins") == kills + 1
    assert_the_ledger_is_complete(scene, cases)
    assert_duplicates_only_by_death(scene, cases, kills)


def assert_the_ledger_is_complete(scene: Scene, cases: int) -> None:
    assert scene.rows(
        "SELECT channel, count(*), count(DISTINCT (change_id, recipient)),"
        " count(sent_at), max(given_up) FROM cases_notice GROUP BY 1 ORDER BY 1"
    ) == [("email", cases, cases, cases, ""), ("push", cases, cases, cases, "")]
    periodic = scene.rows("SELECT task_name FROM procrastinate_periodic_defers")
    assert ("backend.upkeep.take_up_stalled",) in periodic
    assert jobs_left(scene.server.database_url) == []


def assert_duplicates_only_by_death(scene: Scene, cases: int, kills: int) -> None:
    addresses = Counter(address for address, _ in scene.mail.letters)
    numbers = Counter(scene.numbers_by_push())
    assert (len(addresses), len(numbers)) == (cases, cases)
    twice = scene.arrived() - 2 * cases
    log.info("%d of %d sent twice by %d deaths", twice, 2 * cases, kills)
    # Each death can only come between the sending and the mark of what was in hand.
    assert twice <= kills * CONCURRENCY
    ids = {(address, letter["Message-ID"]) for address, letter in scene.mail.letters}
    assert len(ids) == cases, "a letter that comes twice is the same letter"


def test_a_worker_that_is_asked_to_end_finishes_what_it_has_in_hand(
    scene: Scene,
) -> None:
    scene.make_news(20)
    scene.worker.start()
    wait_until(lambda: scene.arrived() >= 5, "news arrive")
    assert scene.worker.stop() == 0
    assert (
        scene.arrived() == scene.rows("SELECT count(sent_at) FROM cases_notice")[0][0]
    )
    assert scene.rows("SELECT * FROM procrastinate_jobs WHERE status = 'doing'") == []
    assert scene.rows("SELECT * FROM procrastinate_workers") == []


def test_a_job_that_takes_too_long_does_not_keep_the_worker(scene: Scene) -> None:
    scene.make_news(1)
    scene.mail.thinks_seconds = 3
    scene.worker.environment["WORKER_GRACE_SECONDS"] = "0.5"
    scene.worker.start()
    wait_until(lambda: scene.mail.asked == 1, "a letter is being sent")
    assert scene.worker.stop() == NOT_FINISHED
    assert ("backend.cases.tasks.deliver", "doing") in jobs_in_hand(
        scene.server.database_url
    )

    scene.mail.thinks_seconds = 0
    time.sleep(1)  # It has been silent for long enough.
    with scene.worker:
        scene.worker.wait_until_done()
    assert_the_ledger_is_complete(scene, 1)


def test_nobody_is_named_in_what_the_worker_logs(scene: Scene) -> None:
    """Though mail servers repeat the address, and errors the endpoint, as they do."""
    scene.make_news(3)
    for n, answer in enumerate(("550 no <ana0@example.org>", "452 <ana1@example.org>")):
        scene.mail.refusals[f"ana{n}@example.org"] = answer
    scene.push.answers["/phone"] = (503, {})
    with scene.worker:
        wait_until(lambda: scene.arrived() >= 4, "one letter and three pushes arrive")
        scene.worker.wait_until_idle()

    assert scene.rows("SELECT given_up FROM cases_notice WHERE given_up > ''") == [
        ("address-refused",)
    ]
    written = scene.worker.log.read_text()
    assert written.count("TryLater push service: 503") == 3
    assert written.count("TryLater mail server: 452") == 1
    pins = [pin for (pin,) in scene.rows("SELECT pin FROM cases_case")]
    secrets = ["example.org", "Ana", "/phone", "127.0.0.1", "-79.54", *pins]
    assert [secret for secret in secrets if secret in written] == []
