"""What a dead worker had in hand is taken up again, once, and not for ever."""

from __future__ import annotations

import logging

import pytest
from django.db import connection

from backend.jobs import enqueue
from backend.upkeep import MOST_DEATHS, take_up_stalled
from tests.jobs import waiting_jobs

pytestmark = pytest.mark.django_db

TELL = "backend.cases.tasks.tell"


def test_the_jobs_of_a_silent_worker_wait_again(caplog):
    enqueue(TELL, change_id=1)
    taken_by(worker(silent_for=31))
    take_up_stalled()
    assert waiting_jobs() == [(TELL, {"change_id": 1})]
    assert "taken up again" in caplog.text


def test_a_worker_that_lives_keeps_its_jobs():
    enqueue(TELL, change_id=1)
    taken_by(worker(silent_for=29))
    take_up_stalled()
    assert statuses() == ["doing"]


def test_how_long_a_silence_is_death_can_be_said(settings):
    settings.WORKER_SILENCE_SECONDS = 300
    enqueue(TELL, change_id=1)
    taken_by(worker(silent_for=200))
    take_up_stalled()
    assert statuses() == ["doing"]


def test_the_jobs_of_a_worker_that_is_forgotten_wait_again():
    enqueue(TELL, change_id=1)
    taken_by(worker(silent_for=0))
    sql("DELETE FROM procrastinate_workers")
    take_up_stalled()
    assert waiting_jobs() == [(TELL, {"change_id": 1})]


def test_of_which_only_one_may_wait_one_waits():
    enqueue(TELL, only_one="tell", change_id=1)
    taken_by(worker(silent_for=31))
    enqueue(TELL, only_one="tell", change_id=2)
    take_up_stalled()
    assert waiting_jobs() == [(TELL, {"change_id": 2})]
    assert statuses() == ["todo"]


def test_what_kills_every_worker_is_left_for_a_person(caplog):
    enqueue(TELL, change_id=1)
    for _ in range(MOST_DEATHS):
        taken_by(worker(silent_for=31))
        take_up_stalled()
        assert statuses() == ["todo"]
    taken_by(worker(silent_for=31))
    with caplog.at_level(logging.ERROR):
        take_up_stalled()
    assert statuses() == ["failed"]
    assert "given up" in caplog.text


def worker(silent_for: int) -> int:
    (number,) = sql(
        "INSERT INTO procrastinate_workers (last_heartbeat)"
        " VALUES (now() - make_interval(secs => %s)) RETURNING id",
        silent_for,
    )
    return int(number)


def taken_by(number: int) -> None:
    # Within one transaction, now() never comes to be when it is to be tried again.
    sql("UPDATE procrastinate_jobs SET scheduled_at = NULL")
    assert sql("SELECT id FROM procrastinate_fetch_job_v2(NULL, %s)", number) != [None]


def statuses() -> list[str]:
    return sql("SELECT status::text FROM procrastinate_jobs ORDER BY id")


def sql(statement: str, *values: int) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [row[0] for row in cursor.fetchall()] if cursor.description else []
