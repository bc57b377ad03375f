"""Whoever waits too long finds the connection closed; everybody else notices nothing."""

from __future__ import annotations

import time

import pytest
from django.db import OperationalError, connections

from geo.unanswered import Watch

pytestmark = pytest.mark.django_db
# PostgreSQL sleeps on when nobody listens: shorter than what a copy of the tests' database
# waits for those who are in it.
SECONDS = 3


@pytest.fixture
def database():
    """A connection that may be cut."""
    one = connections["default"].copy()
    yield one
    one.close()


def sleep(database, seconds: float) -> None:
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds])


def test_what_is_answered_in_time_is_not_cut(database):
    watch = Watch()
    with watch.over(database, 20):
        sleep(database, 0.3)
    time.sleep(0.3)
    sleep(database, 0.1)
    assert not watch.waiting


def test_what_is_not_answered_is_as_if_the_database_had_died(database):
    watch = Watch()
    with pytest.raises(OperationalError), watch.over(database, 0.3):
        sleep(database, SECONDS)
    database.close()
    sleep(database, 0.1)
    assert not watch.waiting


def test_what_is_asked_within_another_limit_ends_with_the_first_that_is_over(database):
    watch = Watch()
    with (
        watch.over(database, 20),
        pytest.raises(OperationalError),
        watch.over(database, 0.3),
    ):
        sleep(database, SECONDS)
