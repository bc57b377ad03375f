"""Runs SQLAlchemy's statements on Django's own connection.

One connection means one pool, one transaction and one set of time limits. Parameters
are plain (numbers, text, dates); shapes are built from numbers with `func.ST_…`, and
answers are what psycopg returns: ask PostGIS for GeoJSON text, not for geometries.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import sqlalchemy as sa
from django.db import connection, transaction
from sqlalchemy.dialects.postgresql import psycopg

DIALECT = psycopg.dialect()  # type: ignore[no-untyped-call]
# Some 300 kB of an export: PostgreSQL waits 30 s for the reader to ask for the next,
# so that a phone with 10 kB/s gets its file.
BATCH = 500


def rows(statement: sa.Executable) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(*compiled(statement))
        return list(cursor.fetchall())


def stream(statement: sa.Executable) -> Generator[tuple[Any, ...]]:
    """Rows of any number, a batch at a time; memory stays flat on both sides."""
    # Within a transaction, or PostgreSQL would first write the whole answer down.
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(*compiled(statement))
        while batch := cursor.fetchmany(BATCH):
            yield from batch


def compiled(statement: sa.Executable) -> tuple[str, dict[str, Any]]:
    """The statement's text and its parameters, as psycopg takes them."""
    sql = statement.compile(  # type: ignore[attr-defined]
        dialect=DIALECT, compile_kwargs={"render_postcompile": True}
    )
    return str(sql), dict(sql.params)
