"""Work that waits: enqueued in the transaction that needs it, done later by a worker.

A transaction that is rolled back leaves no job, and one that is committed loses none.
A job may run twice (its worker died between the effect and the mark): every task is
written so that its second run changes nothing. Tasks are in each app's `tasks.py`.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection, transaction
from procrastinate import BaseRetryStrategy, RetryDecision, exceptions
from procrastinate.contrib.django import app
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.jobs import Job, JobDeferrer
from procrastinate.manager import JobManager
from procrastinate.types import JSONDict, JSONValue

log = logging.getLogger(__name__)

# Within a worker `app` has connections of its own, of which no transaction knows.
IN_THE_TRANSACTION = JobManager(DjangoConnector())


class TryLater(Exception):
    """It cannot be done now, through nobody's fault here; in `after`, if that is known.

    The text goes to the log: a code, and never somebody's data.
    """

    def __init__(self, why: str, after: timedelta | None = None) -> None:
        super().__init__(why)
        self.after = after


class Hopeless(Exception):
    """Trying again would change nothing; the text goes to the log, as TryLater's does."""


class Patience(BaseRetryStrategy):
    """Tries again after `first` seconds, then after twice as long, up to `longest`.

    Give or take a third, so that what failed together does not return together. A job
    that has been tried `times` stays as failed, for a person to look at.
    """

    def __init__(self, times: int, first: float = 5, longest: float = 7200) -> None:
        self.times = times
        self.first = first
        self.longest = longest

    def get_retry_decision(
        self, *, exception: BaseException, job: Job
    ) -> RetryDecision | None:
        if isinstance(exception, Hopeless) or job.attempts + 1 >= self.times:
            return None
        seconds = self.pause(job.attempts, exception)
        why = str(exception) if isinstance(exception, TryLater) else ""
        log.warning(
            "%s [%s] again in %.0f s: %s %s",
            *(job.task_name, job.id, seconds, type(exception).__name__, why),
        )
        return RetryDecision(retry_in={"seconds": round(seconds)})

    def pause(self, attempts: int, exception: BaseException) -> float:
        doubled: float = self.first * 2 ** min(attempts, 30)
        seconds: float = min(doubled, self.longest) * random.uniform(2 / 3, 4 / 3)  # noqa: S311
        if isinstance(exception, TryLater) and exception.after:
            return max(seconds, exception.after.total_seconds())
        return seconds


# Most of a day, with two hours between the last of them: servers are repaired.
A_DAY = Patience(times=20)
# For what the clock soon asks for again.
A_MINUTE = Patience(times=4)


def enqueue(
    task: str,
    *,
    only_one: str | None = None,
    after: timedelta | None = None,
    **arguments: JSONValue,
) -> None:
    """Ask for a task by its name, within the current transaction.

    With `only_one`, nothing is added while a job of that name waits.
    """
    if only_one is None:
        with djangos_errors():
            deferrer(task, after=after).defer(**arguments)
        return
    try:
        with djangos_errors(), transaction.atomic():
            deferrer(task, only_one, after).defer(**arguments)
    except exceptions.AlreadyEnqueued:
        return


def enqueue_each(task: str, arguments: Iterable[JSONDict]) -> None:
    """Ask for a task once for each of these arguments, in one statement, if for any."""
    each = list(arguments)
    if each:
        with djangos_errors():
            deferrer(task).batch_defer(*each)


def deferrer(
    task: str, only_one: str | None = None, after: timedelta | None = None
) -> JobDeferrer:
    """Raises procrastinate's TaskNotFound."""
    asked = app.configure_task(
        task,
        allow_unknown=False,
        queueing_lock=only_one,
        schedule_in={"seconds": int(after.total_seconds())} if after else None,
    )
    return JobDeferrer(IN_THE_TRANSACTION, asked.job)


@contextmanager
def djangos_errors() -> Iterator[None]:
    """The database's failures as Django's: whoever writes a row expects no others."""
    try:
        yield
    except exceptions.ConnectorException as failure:
        with connection.wrap_database_errors:
            raise failure.__cause__ or failure  # noqa: B904


@contextmanager
def alone_with(name: str) -> Iterator[None]:
    """Nobody else is here under this name; raises TryLater while somebody is.

    For what must not happen twice at once and takes too long for a transaction. Whoever
    dies here makes room: the lock is the connection's.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [name])
        if cursor.fetchone() != (True,):
            raise TryLater("another worker has it in hand")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])
