"""When the map is read from a replica; with two real clusters: tests/faults/test_replica.py."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import MiddlewareNotUsed
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client
from psycopg import errors

from geo import replica
from geo.replica import LOOK_SECONDS, REST_SECONDS, Progress, Reading, number_of


class Two:
    """A primary and a replica: where each is, in place of asking them."""

    def __init__(self) -> None:
        self.written: int | Exception = 100
        self.replayed: int | Exception | None = 100
        self.closed = 0

    def __getitem__(self, alias: str) -> Any:
        return self

    def close(self) -> None:
        self.closed += 1

    def position_of(self, database: object, question: str) -> int | None:
        said = self.replayed if database is self else self.written
        if isinstance(said, Exception):
            raise said
        return said


@pytest.fixture
def two(monkeypatch, settings) -> Two:
    settings.REPLICA_MOST_SECONDS = 10
    stand_in = Two()
    monkeypatch.setattr(replica, "connections", stand_in)
    monkeypatch.setattr(replica, "position_of", stand_in.position_of)
    monkeypatch.setattr(replica, "progress", Progress())
    return stand_in


def test_a_replica_that_has_everything_is_read(two):
    progress = Progress()
    assert progress.suits(written=100, now=0.0)
    assert progress.as_of == 0.0


def test_it_waits_for_what_the_reader_has_written(two):
    progress = Progress()
    two.written = 101
    assert not progress.suits(written=101, now=0.0)
    two.replayed = 101
    assert not progress.suits(written=101, now=LOOK_SECONDS / 2), "not asked so soon"
    assert progress.suits(written=101, now=LOOK_SECONDS)


def test_it_is_as_of_the_last_moment_whose_writes_it_has(two):
    progress = Progress()
    for second in range(5):
        two.written = 100 + second
        two.replayed = 100 + max(0, second - 3)
        progress.suits(0, float(second))
    assert progress.as_of == 1.0


def test_one_that_is_too_far_behind_is_not_read_until_it_has_caught_up(two):
    progress = Progress()
    assert progress.suits(0, 0.0)
    two.written = 200
    progress.suits(0, 1.0)
    assert progress.suits(0, 10.0)
    assert not progress.suits(0, 10.5)
    two.replayed = 200
    assert progress.suits(0, 11.0)


def test_a_quiet_primary_leaves_no_replica_behind(two):
    progress = Progress()
    assert progress.suits(0, 0.0)
    assert progress.suits(0, 3600.0)
    assert progress.as_of == 3600.0


def test_without_a_primary_what_the_replica_has_is_as_new_as_can_be(two):
    progress = Progress()
    assert progress.suits(100, 0.0)
    two.written = OperationalError("away")
    assert progress.suits(100, 60.0)
    assert not progress.suits(101, 61.0), "but nobody misses what they wrote"


def test_where_a_look_at_the_primary_takes_long_there_is_as_long_a_pause(
    two, monkeypatch
):
    def slowly(database: object, question: str) -> Any:
        time.sleep(0.5)
        return two.position_of(database, question)

    progress = Progress()
    progress.suits(0, 0.0)
    two.written = OperationalError("away")
    with monkeypatch.context() as patch:
        patch.setattr(replica, "position_of", slowly)
        assert progress.suits(100, 60.0)
    two.written = two.replayed = 101
    assert progress.suits(100, 61.0)
    assert progress.as_of == 0.0, "nobody has looked"
    assert progress.suits(101, 90.0)
    assert progress.as_of == 90.0


def test_a_primary_that_says_at_once_that_it_is_away_is_looked_at_again_as_ever(two):
    progress = Progress()
    progress.suits(0, 0.0)
    two.written = OperationalError("away")
    assert progress.suits(100, 60.0)
    two.written = two.replayed = 101
    assert progress.suits(101, 60.5)
    assert progress.as_of == 60.5


@pytest.mark.parametrize("said", [OperationalError("away"), None])
def test_one_that_is_away_or_a_replica_no_more_is_left_alone_for_a_while(two, said):
    progress = Progress()
    two.replayed = said
    assert not progress.suits(0, 0.0)
    two.replayed = 100
    assert not progress.suits(0, REST_SECONDS - 0.1)
    assert progress.suits(0, REST_SECONDS)


def ask(two: Two, failure: Exception | None = None) -> str:
    """Who answers a request that chose the replica."""

    def question(database: object) -> str:
        if database is two and failure:
            raise OperationalError from failure
        return "replica" if database is two else "primary"

    token = replica.reading.set(Reading(from_replica=True))
    try:
        return replica.asked(question)
    finally:
        replica.reading.reset(token)


def test_the_primary_answers_what_the_replica_could_not(two):
    assert ask(two) == "replica"
    assert ask(two, errors.AdminShutdown()) == "primary"
    assert two.closed == 1


def test_a_question_in_the_way_of_the_replay_is_asked_elsewhere_and_only_that(two):
    assert ask(two, errors.SerializationFailure()) == "primary"
    assert two.closed == 0


def test_a_question_that_took_too_long_is_not_asked_again(two):
    with pytest.raises(OperationalError):
        ask(two, errors.QueryCanceled())


def test_the_moment_told_is_before_both_were_asked_however_long_that_takes(
    two, monkeypatch
):
    """A report that is filed meanwhile is not in the answer."""
    asked_at: list[datetime] = []

    def slowly(database: object, question: str) -> Any:
        asked_at.append(datetime.now(UTC))
        time.sleep(0.05)
        return two.position_of(database, question)

    monkeypatch.setattr(replica, "position_of", slowly)
    request = Reading()
    assert replica.chooses_replica(request, time.monotonic())
    assert request.as_of is not None
    assert request.as_of < asked_at[0]


def test_outside_of_a_request_the_primary_is_asked(two):
    assert replica.asked(lambda database: database is two) is False


def test_a_position_is_read_as_postgresql_writes_it():
    assert number_of("16/B374D848") == 0x16_B374D848
    assert number_of("0/FFFFFFFF") < number_of("1/0")


def test_without_a_replica_nobody_gets_a_cookie_for_it(db):
    with pytest.raises(MiddlewareNotUsed):
        replica.ReplicaMiddleware(lambda request: HttpResponse())
    answer = Client(HTTP_HOST="localhost").post("/api/v1/devices/")
    assert replica.COOKIE not in answer.cookies
