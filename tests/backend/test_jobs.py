"""Work is enqueued in the transaction that needs it, and tried again with patience."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection, transaction
from procrastinate.contrib.django import app
from procrastinate.exceptions import TaskNotFound
from procrastinate.jobs import Job
from procrastinate.testing import InMemoryConnector
from procrastinate.utils import utcnow

from backend.jobs import (
    Hopeless,
    Patience,
    TryLater,
    alone_with,
    enqueue,
    enqueue_each,
)
from tests.jobs import waiting_jobs
from tests.servers import libpq_url, url_of

pytestmark = pytest.mark.django_db

TELL = "backend.cases.tasks.tell"
PATIENCE = Patience(times=20)


def test_what_is_committed_waits_to_be_done():
    enqueue(TELL, change_id=1)
    assert waiting_jobs() == [(TELL, {"change_id": 1})]


def test_what_is_rolled_back_leaves_no_job():
    with transaction.atomic():
        enqueue(TELL, change_id=1)
        enqueue(TELL, only_one="tell", change_id=2)
        enqueue_each(TELL, [{"change_id": 3}])
        transaction.set_rollback(True)
    assert waiting_jobs() == []


def test_within_a_worker_too_it_is_the_transaction_s():
    """There procrastinate's own app has connections of its own."""
    elsewhere = InMemoryConnector()
    with app.replace_connector(elsewhere), transaction.atomic():
        enqueue(TELL, change_id=1)
        enqueue_each(TELL, [{"change_id": 2}])
        assert len(waiting_jobs()) == 2
        transaction.set_rollback(True)
    assert waiting_jobs() == []
    assert elsewhere.jobs == {}


def test_of_some_only_one_waits():
    enqueue(TELL, only_one="tell", change_id=1)
    enqueue(TELL, only_one="tell", change_id=2)
    enqueue(TELL, only_one="other", change_id=3)
    assert [job["change_id"] for _, job in waiting_jobs()] == [1, 3]


def test_many_are_enqueued_in_one_statement(django_assert_num_queries):
    with django_assert_num_queries(1):
        enqueue_each(TELL, ({"change_id": number} for number in range(1000)))
    with django_assert_num_queries(0):
        enqueue_each(TELL, [])
    assert len(waiting_jobs()) == 1000


def test_later_is_later():
    enqueue(TELL, after=timedelta(hours=1), change_id=1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT scheduled_at > now() + interval '59 minutes' FROM procrastinate_jobs"
        )
        assert cursor.fetchall() == [(True,)]


def test_a_task_that_nobody_knows_is_a_mistake_of_ours():
    with pytest.raises(TaskNotFound):
        enqueue("backend.cases.tasks.nothing")


def test_when_the_database_fails_it_is_django_s_error():
    """Or the web would answer 500, and not that one should come back."""

    def fail(execute, sql, *rest: Any) -> None:
        raise OperationalError from psycopg.OperationalError("gone")

    for ask in (
        lambda: enqueue(TELL, change_id=1),
        lambda: enqueue_each(TELL, [{"change_id": 1}]),
    ):
        with (
            connection.execute_wrapper(fail),
            pytest.raises(OperationalError, match="gone"),
        ):
            ask()


def test_what_the_clock_asks_for_is_tried_again_when_the_database_was_away():
    tasks = [asked.task for asked in app.periodic_registry.periodic_tasks.values()]
    assert {"backend.cases.tasks.fold_heat", "make_nightly_data"} < {
        task.name for task in tasks
    }
    for task in tasks:
        job = Job(id=1, queue="", lock=None, queueing_lock=None, task_name=task.name)
        assert task.get_retry_exception(OperationalError("away"), job), task.name


# ── Patience ─────────────────────────────────────────────────────────────────────


def test_each_time_it_waits_twice_as_long_up_to_a_limit():
    for attempts in (0, 1, 5, 8, 15, 10_000):
        expected = min(5 * 2 ** min(attempts, 20), 7200)
        pauses = [PATIENCE.pause(attempts, OSError()) for _ in range(50)]
        assert all(2 / 3 <= pause / expected <= 4 / 3 for pause in pauses)
        assert len(set(pauses)) > 10, "what failed together would return together"


def test_it_tries_for_most_of_a_day_and_then_no_more():
    least = sum(min(5 * 2**attempts, 7200) * 2 / 3 for attempts in range(19))
    assert timedelta(seconds=least) > timedelta(hours=12)
    assert decided(18) is not None
    assert decided(19) is None


def test_it_waits_at_least_as_long_as_it_is_asked_to():
    asked = TryLater("busy", timedelta(hours=3))
    assert PATIENCE.pause(0, asked) == 3 * 3600
    assert PATIENCE.pause(0, TryLater("busy", timedelta(seconds=1))) > 3


def test_what_is_hopeless_is_not_tried_again():
    assert decided(0, Hopeless("403")) is None


def test_the_log_says_why_without_saying_of_whom(caplog):
    decided(0, OSError("ana@example.org"))
    decided(0, TryLater("mail server: [452]"))
    assert "OSError" in caplog.text
    assert "TryLater mail server: [452]" in caplog.text
    assert "ana" not in caplog.text


def decided(attempts: int, error: Exception | None = None) -> Any:
    job = Job(
        id=1,
        queue="default",
        lock=None,
        queueing_lock=None,
        task_name=TELL,
        attempts=attempts,
    )
    decision = PATIENCE.get_retry_decision(exception=error or OSError(), job=job)
    assert decision is None or (decision.retry_at and decision.retry_at > utcnow())
    return decision


# ── Alone ────────────────────────────────────────────────────────────────────────


def test_of_two_at_once_one_is_told_to_come_later():
    with (
        psycopg.connect(libpq_url(url_of(connection.settings_dict["NAME"]))) as other,
        alone_with("notice:1"),
    ):
        assert not locked_by(other, "notice:1")
        assert locked_by(other, "notice:2")
    with psycopg.connect(libpq_url(url_of(connection.settings_dict["NAME"]))) as other:
        assert locked_by(other, "notice:1"), "it was given back"
        with pytest.raises(TryLater), alone_with("notice:1"):
            pytest.fail("both are in")


def test_a_failure_gives_it_back_too():
    with pytest.raises(ZeroDivisionError), alone_with("notice:3"):
        raise ZeroDivisionError
    with psycopg.connect(libpq_url(url_of(connection.settings_dict["NAME"]))) as other:
        assert locked_by(other, "notice:3")


def locked_by(other: psycopg.Connection[Any], name: str) -> bool:
    (row,) = other.execute(
        "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name]
    ).fetchall()
    return bool(row[0])
