"""Whether the map may be read from a replica, which is always a little behind.

A replica is asked only for whoever sees no difference: it holds what the same reader has
written before, and is not older than `REPLICA_MOST_SECONDS`. Else, and when it does not
answer, the primary is asked. Positions in the log of writes (LSN) are plain numbers here.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TypeVar

from django.conf import settings
from django.core import signing
from django.core.exceptions import MiddlewareNotUsed
from django.db import (
    DEFAULT_DB_ALIAS,
    DatabaseError,
    InterfaceError,
    OperationalError,
    connections,
)
from django.db import connection as primary
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest, HttpResponse
from psycopg import errors

from geo.unanswered import watch

log = logging.getLogger(__name__)
T = TypeVar("T")

ALIAS = "replica"
# How often a process asks how far the two are, and how long it leaves alone one that
# did not answer.
LOOK_SECONDS = 0.25
REST_SECONDS = 5.0
# How much longer than its own limit a replica is waited for, which looks at none when its
# machine stands still.
SPARE_SECONDS = 1.0
# After which a primary that does not say where it is counts as away: a busy one may take
# its time.
PATIENCE_SECONDS = 3.0
MOST_MARKS = 2000
COOKIE = "written"
SALT = "geo.replica"
AS_OF = "X-Data-As-Of"
ALL_THERE_IS = (1 << 64) - 1


@dataclass
class Reading:
    """One request's: what its reader has written, and where it reads.

    Chosen once, so that a version and what it is the version of come from one place.
    """

    written: int = 0
    from_replica: bool | None = None
    as_of: datetime | None = None


# Empty outside of requests, and in those that the primary alone answers.
reading: ContextVar[Reading | None] = ContextVar("reading", default=None)


class Progress:
    """What this process knows of how far the replica is.

    A position once reached stays reached: what was known a moment ago is never too much.
    """

    def __init__(self) -> None:
        # When the primary was where: the replica, once there, is as of that moment.
        self.marks: deque[tuple[float, int]] = deque(maxlen=MOST_MARKS)
        self.replayed = 0
        self.as_of = float("-inf")
        self.primary_is_away = False
        self.next_look = float("-inf")
        self.looking = Lock()

    def suits(self, written: int, now: float) -> bool:
        """Whether the replica has what was written and is new enough."""
        # Even when it does: how old it is later is known from marks that are made now.
        if now >= self.next_look:
            self.look(now)
        return self.is_good_for(written, now)

    def is_good_for(self, written: int, now: float) -> bool:
        # Without a primary nobody writes, and nothing newer can be had.
        is_new = now - self.as_of <= settings.REPLICA_MOST_SECONDS
        has_been = self.as_of > float("-inf")
        return written <= self.replayed and (
            is_new or (has_been and self.primary_is_away)
        )

    def look(self, now: float) -> None:
        """Ask both; one thread at a time, the others go by what was known before."""
        if not self.looking.acquire(blocking=False):
            return
        try:
            self.next_look = now + LOOK_SECONDS
            self.mark(now)
            with waited_for(connections[ALIAS], SPARE_SECONDS):
                replayed = position_of(
                    connections[ALIAS],
                    "SELECT CASE WHEN pg_is_in_recovery()"
                    " THEN pg_last_wal_replay_lsn() END",
                )
            if replayed is None:
                # Promoted: it goes its own way now.
                self.rest(now, "it is no replica")
            else:
                self.reached(replayed)
        except (OperationalError, InterfaceError) as problem:
            self.rest(now, problem)
        finally:
            self.looking.release()

    def mark(self, now: float) -> None:
        began = time.monotonic()
        try:
            # Not `primary`, which is another connection in another thread.
            with watch.over(connections[DEFAULT_DB_ALIAS], PATIENCE_SECONDS):
                written = position_of(primary, "SELECT pg_current_wal_insert_lsn()")
        except (OperationalError, InterfaceError):
            primary.close()
            self.primary_is_away = True
            # To look at one that is frozen, or gone from the network, takes seconds: not
            # more than half of somebody's time.
            self.next_look = now + 2 * (time.monotonic() - began) + LOOK_SECONDS
            return
        self.primary_is_away = False
        if written is not None:
            self.marks.append((now, written))

    def reached(self, replayed: int) -> None:
        self.replayed = replayed
        while self.marks and self.marks[0][1] <= replayed:
            self.as_of, _ = self.marks.popleft()

    def rest(self, now: float, why: object) -> None:
        """The replica is left alone for a while; the primary answers."""
        log.warning("replica away: %s", why)
        connections[ALIAS].close()
        self.replayed = 0
        self.as_of = float("-inf")
        self.next_look = now + REST_SECONDS


progress = Progress()


def asked(question: Callable[[BaseDatabaseWrapper], T]) -> T:
    """The answer of the replica where that is right, else of the primary."""
    request = reading.get()
    if request and chooses_replica(request, time.monotonic()):
        try:
            return question(connections[ALIAS])
        except (OperationalError, InterfaceError) as problem:
            if isinstance(problem.__cause__, errors.QueryCanceled):
                raise  # too much work, and the primary's to be spared all the more
            # Unless only this question stood in the way of what is replayed.
            if not isinstance(problem.__cause__, errors.SerializationFailure):
                progress.rest(time.monotonic(), problem)
            request.from_replica, request.as_of = False, None
    return question(primary)


def chooses_replica(request: Reading, now: float) -> bool:
    if request.from_replica is None:
        moment = datetime.now(UTC)  # that of `now`: to look takes its time
        request.from_replica = progress.suits(request.written, now)
        if request.from_replica:
            request.as_of = moment - timedelta(seconds=now - progress.as_of)
    return request.from_replica


@contextmanager
def waited_for(database: BaseDatabaseWrapper, seconds: float) -> Iterator[None]:
    """What is asked in here fails after so long, where it is the replica that is asked."""
    if database is primary:
        yield
        return
    with watch.over(database, seconds):
        yield


def position_of(database: BaseDatabaseWrapper, question: str) -> int | None:
    with database.cursor() as cursor:
        cursor.execute(question)
        (position,) = cursor.fetchone()
    return None if position is None else number_of(position)


def number_of(position: str) -> int:
    """16/B374D848, as PostgreSQL writes it, as a number."""
    high, low = position.split("/")
    return (int(high, 16) << 32) + int(low, 16)


class ReplicaMiddleware:
    """Says of each request whether the replica may answer, and of each answer its age."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if ALIAS not in settings.DATABASES:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in {"GET", "HEAD"}:
            return remembering(self.get_response(request))
        if is_of_somebody(request):
            return self.get_response(request)
        state = Reading(written_by(request))
        token = reading.set(state)
        try:
            response = self.get_response(request)
        finally:
            reading.reset(token)
        if state.as_of:
            response[AS_OF] = state.as_of.isoformat(timespec="milliseconds")
        return response


def is_of_somebody(request: HttpRequest) -> bool:
    """Crews, staff, whoever has a PIN: they work on what is so now."""
    return (
        settings.SESSION_COOKIE_NAME in request.COOKIES
        or "Authorization" in request.headers
        or "X-Case-Pin" in request.headers
    )


def written_by(request: HttpRequest) -> int:
    """How far the replica must be for this reader: signed, or anybody would say
    "farther than there is" and have the primary for themselves."""
    try:
        said = signing.Signer(salt=SALT).unsign(request.COOKIES.get(COOKIE, ""))
    except signing.BadSignature:
        return 0
    return int(said)


def remembering(response: HttpResponse) -> HttpResponse:
    """With the position of what was written, for as long as a replica may be behind."""
    try:
        written = position_of(primary, "SELECT pg_current_wal_insert_lsn()")
    except DatabaseError:
        # What is answered is committed all the same; where, nobody can say.
        written = ALL_THERE_IS
    response.set_cookie(
        COOKIE,
        signing.Signer(salt=SALT).sign(str(written)),
        max_age=round(settings.REPLICA_MOST_SECONDS) + 1,
        httponly=True,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


class ReplicaRouter:
    """Nothing is migrated on a replica, and no model is read from it: `geo` alone."""

    def allow_migrate(self, db: str, app_label: str, **hints: object) -> bool | None:
        return False if db == ALIAS else None
