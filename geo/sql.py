"""Runs SQLAlchemy's statements on Django's own connections.

One connection means one pool, one transaction and one set of time limits; which of two,
where there is a replica, `replica.asked` decides. Parameters are plain (numbers, text,
dates); shapes are built from numbers with `func.ST_…`, and answers are what psycopg
returns: ask PostGIS for GeoJSON text, not for geometries.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import sqlalchemy as sa
from django.conf import settings
from django.db import OperationalError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.errors import QueryCanceled
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.types import TypeEngine

from geo import replica

DIALECT = psycopg.dialect()  # type: ignore[no-untyped-call]
# Some 300 kB of an export: PostgreSQL waits 30 s for the reader to ask for the next,
# so that a phone with 10 kB/s gets its file.
BATCH = 500
# All of the rows are wanted, which PostgreSQL does not think of a cursor.
IN_BINARY = (
    "SET LOCAL cursor_tuple_fraction = 1; DECLARE found BINARY CURSOR FOR {};"
    " FETCH ALL FROM found; CLOSE found"
)
# Milliseconds that a question may take, where that is less than PostgreSQL's own limit.
patience: ContextVar[int | None] = ContextVar("patience", default=None)


class TooLong(OperationalError):
    """The question would have taken longer than it may."""


class Compiled(NamedTuple):
    """A statement's text and its parameters, as psycopg takes them."""

    text: str
    values: dict[str, Any]


def rows(statement: sa.Executable | Compiled, **values: Any) -> list[tuple[Any, ...]]:
    """What it finds; `values` are those of the statement's own parameters."""
    return found_by(statement, values)


def rows_in_binary(
    statement: sa.Executable | Compiled, **values: Any
) -> list[tuple[Any, ...]]:
    """The same, for answers of many bytes: as text PostgreSQL writes two digits for each.

    Only a cursor answers a message of several statements so, as one with a limit is.
    """
    return found_by(statement, values, in_binary=True)


def found_by(
    statement: sa.Executable | Compiled,
    values: dict[str, Any],
    *,
    in_binary: bool = False,
) -> list[tuple[Any, ...]]:
    text, others = statement if isinstance(statement, Compiled) else compiled(statement)
    values = others | values
    if in_binary:
        text = IN_BINARY.format(text)

    def ask(database: BaseDatabaseWrapper) -> list[tuple[Any, ...]]:
        with (
            replica.waited_for(database, longest()),
            limited(database) as limit,
            database.cursor() as cursor,
        ):
            cursor.execute(limit + text, values)
            for _ in range(bool(limit) + 2 * in_binary):
                cursor.nextset()
            return list(cursor.fetchall())

    return replica.asked(ask)


@contextmanager
def within(milliseconds: int) -> Iterator[None]:
    """Each question asked in here may take so long. Raises TooLong."""
    token = patience.set(milliseconds)
    try:
        yield
    except OperationalError as failed:
        if isinstance(failed.__cause__, QueryCanceled):
            raise TooLong from failed
        raise
    finally:
        patience.reset(token)


def longest() -> float:
    """How many seconds a question may take, and some more for its answer to arrive."""
    milliseconds = patience.get() or settings.STATEMENT_TIMEOUT_MS
    return float(milliseconds / 1000 + replica.SPARE_SECONDS)


@contextmanager
def limited(database: BaseDatabaseWrapper) -> Iterator[str]:
    """What goes before a statement of this database, for it to end when patience does.

    PostgreSQL makes one transaction of the two, and the limit ends with it: BEGIN, the
    limit and COMMIT by themselves would be three more trips for each question.
    """
    milliseconds = patience.get()
    if milliseconds is None:
        yield ""
    elif not database.in_atomic_block:
        yield f"SET LOCAL statement_timeout = {milliseconds}; "
    else:
        with transaction.atomic(using=database.alias):
            before = limit_statements(database, f"{milliseconds}ms")
            yield ""
            limit_statements(database, before)


def limit_statements(database: BaseDatabaseWrapper, limit: str) -> str:
    """Sets the time that statements of this transaction may take; what it was before."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('statement_timeout'),"
            " set_config('statement_timeout', %s, true)",
            [limit],
        )
        ((before, _now),) = cursor.fetchall()
    return str(before)


def stream(statement: sa.Executable) -> Generator[tuple[Any, ...]]:
    """Rows of any number, a batch at a time; memory stays flat on both sides."""
    text, values = compiled(statement)

    def begin(database: BaseDatabaseWrapper) -> tuple[Batches, Batch]:
        batches = in_batches(database, text, values)
        with replica.waited_for(database, longest()):
            return batches, next(batches, [])

    # Whoever does not answer is left for the other before the first row, never after.
    batches, first = replica.asked(begin)
    with closing(batches):
        yield from first
        for batch in batches:
            yield from batch


Batch = list[tuple[Any, ...]]
Batches = Generator[Batch]


def in_batches(database: BaseDatabaseWrapper, text: str, values: Any) -> Batches:
    # Within a transaction, or PostgreSQL would first write the whole answer down.
    with (
        transaction.atomic(using=database.alias),
        database.chunked_cursor() as cursor,
    ):
        cursor.execute(text, values)
        while batch := cursor.fetchmany(BATCH):
            yield batch


def compiled(statement: sa.Executable) -> Compiled:
    """To be kept, where it takes longer than what PostgreSQL has to do with it."""
    sql = statement.compile(  # type: ignore[attr-defined]
        dialect=DIALECT, compile_kwargs={"render_postcompile": True}
    )
    return Compiled(str(sql), dict(sql.params))


def given(name: str, kind: TypeEngine[Any]) -> sa.BindParameter[Any]:
    """A parameter of a statement that is kept: its value comes with each question."""
    return sa.bindparam(name, type_=kind, required=False)
