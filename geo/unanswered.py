"""A question that is never answered: its connection is cut, as no limit of PostgreSQL's would.

A machine that is frozen, or whose disk stands still, goes on taking questions and looks at
no limit. Whoever asks it waits until it is back; soon that is each thread of a web server.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from threading import Lock, Thread
from typing import NamedTuple

import psycopg
from django.db.backends.base.base import BaseDatabaseWrapper

LOOK_SECONDS = 0.25


class Waiting(NamedTuple):
    """Somebody who waits for a database, and until when."""

    database: BaseDatabaseWrapper
    until: float


class Watch:
    """A thread for all who wait in this process, from when the first of them does."""

    def __init__(self) -> None:
        self.waiting: dict[int, Waiting] = {}
        self.changing = Lock()
        self.thread: Thread | None = None

    @contextmanager
    def over(self, database: BaseDatabaseWrapper, seconds: float) -> Iterator[None]:
        """What is asked in here fails after so long, as if the database had died."""
        waiting = Waiting(database, time.monotonic() + seconds)
        with self.changing:
            self.waiting[id(waiting)] = waiting
            self.begin()
        try:
            yield
        finally:
            with self.changing:
                del self.waiting[id(waiting)]

    def begin(self) -> None:
        # A process that was forked off has none of its parent's threads.
        if self.thread is None or not self.thread.is_alive():
            self.thread = Thread(target=self.look, name="unanswered", daemon=True)
            self.thread.start()

    def look(self) -> None:
        while True:
            time.sleep(LOOK_SECONDS)
            with self.changing:
                now = time.monotonic()
                late = [each for each in self.waiting.values() if each.until < now]
                for each in late:
                    cut(each.database)


def cut(database: BaseDatabaseWrapper) -> None:
    """Whoever reads from its connection finds that it is closed."""
    # It may be over, or not made yet, for which there is a limit.
    if database.connection is None:
        return
    connection = database.connection.pgconn
    with suppress(psycopg.Error, OSError):
        descriptor = connection.socket
        with closing(socket.socket(fileno=os.dup(descriptor))) as ours:
            # Still the same: it was not closed meanwhile, and its number another's.
            if connection.socket == descriptor:
                ours.shutdown(socket.SHUT_RDWR)


watch = Watch()
