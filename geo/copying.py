"""Many rows at once: what PostgreSQL's COPY makes of a statement, to a reader of any pace."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Generator, Iterable
from contextlib import closing
from threading import Event, Thread
from typing import Any, Self

import sqlalchemy as sa
from django.db import connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from geo import replica, sql

log = logging.getLogger(__name__)

# What goes to the reader at once: the cost of each piece is lost in its bytes.
PIECE_BYTES = 256 * 1024
# A phone with 10 kB/s takes a piece in this time; who takes longer has stopped reading.
PATIENCE_SECONDS = 30.0
# Of COPY's binary form: its first line, and the header of a row of one column.
SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
ROW_HEADER_BYTES = 6


class Busy(Exception):
    """As many as may do this at once are doing it."""


def copy(statement: sa.Select[Any]) -> Generator[bytes]:
    """The bytes of the statement's one column of text, in pieces of `PIECE_BYTES`.

    Many times quicker than rows. The binary form is the only one of COPY's that changes
    no byte of what the statement makes. Django's OperationalError comes to a reader who
    is away longer than `PATIENCE_SECONDS`.
    """
    text, values = sql.compiled(statement)

    def begin(database: BaseDatabaseWrapper) -> tuple[Generator[bytes], bytes]:
        # What follows has no limit; that it is there, is said at once.
        with replica.waited_for(database, replica.SPARE_SECONDS):
            database.close_if_health_check_failed()
        found = copied(database, text, values)
        return found, next(found, b"")

    # Whoever does not answer is left for the other before the first byte, never after.
    found, first = replica.asked(begin)
    with closing(found):
        if first:
            yield first
        yield from found


def copied(database: BaseDatabaseWrapper, text: str, values: Any) -> Generator[bytes]:
    with transaction.atomic(using=database.alias), database.cursor() as cursor:
        # The statement is not over before its reader is, whose pace may be slow: without
        # a limit, if none was set for one who takes all of it at once.
        cursor.execute(f"SET LOCAL statement_timeout = {sql.patience.get() or 0}")
        # Several processes for one reader would take the map's; and they would sort a
        # million rows on the disk, where one walks through them in their order.
        cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        whole = str(cursor.mogrify(text, values))
        binary = f"COPY ({whole}) TO STDOUT (FORMAT binary)"
        last = b""  # sent once COPY is over: of a short answer the reader holds nothing
        with (
            database.wrap_database_errors,
            cursor.copy(binary) as copying,
            Patience(database.connection.pgconn.socket) as patience,
        ):
            for piece in pieces(copying):
                if last:
                    patience.reader_has_it()
                    yield last
                    patience.reader_is_back()
                last = piece
    if last:
        yield last


def pieces(rows: Iterable[Any]) -> Generator[bytes]:
    """The rows' values, one after the other."""
    values: list[Any] = []
    size = 0
    for row in rows:
        value = value_of(row)
        values.append(value)
        size += len(value)
        if size >= PIECE_BYTES:
            yield b"".join(values)
            values.clear()
            size = 0
    if values:
        yield b"".join(values)


def value_of(row: Any) -> Any:
    """The bytes of the one column: none of them in the first line and in the last."""
    if row[: len(SIGNATURE)] == SIGNATURE:
        row = row[len(SIGNATURE) :]
    return row[ROW_HEADER_BYTES:]


class Patience:
    """Cuts the connection of a reader who stays away, as PostgreSQL cannot.

    While it waits to be read, it looks at no time limit and would keep its snapshot, and
    with it every dead row of the database, for ever.
    """

    def __init__(self, descriptor: int) -> None:
        self.connection = socket.socket(fileno=os.dup(descriptor))
        self.away_since: float | None = None
        self.over = Event()
        self.watch = Thread(target=self.look, name="patience", daemon=True)

    def __enter__(self) -> Self:
        self.watch.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.over.set()
        self.watch.join()

    def reader_has_it(self) -> None:
        self.away_since = time.monotonic()

    def reader_is_back(self) -> None:
        self.away_since = None

    def look(self) -> None:
        with closing(self.connection):
            while not self.over.wait(PATIENCE_SECONDS / 10):
                since = self.away_since
                if since and time.monotonic() - since > PATIENCE_SECONDS:
                    log.warning("an export was cut: nobody reads it")
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return


def take_a_place(name: str, places: int) -> None:
    """One of so many places, among all processes, until the transaction ends.

    Raises Busy.
    """
    with connection.cursor() as cursor:
        # Where the replica does the work, nothing happens here until it is done.
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        for place in range(places):
            cursor.execute(
                "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, %s))",
                [name, place],
            )
            if cursor.fetchone() == (True,):
                return
    raise Busy(name)
