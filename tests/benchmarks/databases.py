"""The bench's own databases, beside the one that the checkout works with."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg import sql

from tests.servers import libpq_url, maintenance, url_of

# What a case takes with its indexes, its part of the heat and the log of writing it.
BYTES_PER_CASE = 2_500


def connect(name: str) -> psycopg.Connection[Any]:
    return psycopg.connect(libpq_url(url_of(name)), autocommit=True)


def one(name: str, sql_text: str) -> Any:
    """The one value that a question is answered with."""
    with connect(name) as database:
        row = database.execute(sql_text.encode()).fetchone()
    assert row is not None
    return row[0]


def label_of(name: str) -> str | None:
    """What was written on a database when it was whole; none if it is not there."""
    with maintenance() as database:
        row = database.execute(
            "SELECT coalesce(shobj_description(oid, 'pg_database'), '')"
            " FROM pg_database WHERE datname = %s",
            [name],
        ).fetchone()
    return row[0] if row else None


def label(name: str, text: str) -> None:
    with maintenance() as database:
        database.execute(
            sql.SQL("COMMENT ON DATABASE {} IS {}").format(
                sql.Identifier(name), sql.Literal(text)
            )
        )


def create(name: str, template: str = "template1") -> None:
    # PostgreSQL copies only a database that nobody is connected to.
    connections.close_all()
    with maintenance() as database:
        database.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )


def drop(name: str) -> None:
    with maintenance() as database:
        database.execute(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
                sql.Identifier(name)
            )
        )


def settle(name: str) -> None:
    """What PostgreSQL would begin by itself once much was written, done now.

    It would be in the middle of a measurement.
    """
    with connect(name) as database:
        database.execute("VACUUM ANALYZE")
        database.execute("CHECKPOINT")


@contextmanager
def django_on(name: str) -> Iterator[None]:
    """Meanwhile this process's Django works with that database."""
    before = connections[DEFAULT_DB_ALIAS]
    other = before.copy()
    other.settings_dict["NAME"] = name
    connections[DEFAULT_DB_ALIAS] = other
    try:
        yield
    finally:
        other.close()
        connections[DEFAULT_DB_ALIAS] = before


def schema_version() -> str:
    """Other migrations or another catalogue: what was kept is of no use."""
    root = Path(settings.BASE_DIR)
    digest = hashlib.sha256()
    for path in sorted(
        [*root.glob("*/migrations/*.py"), *root.glob("*/*/migrations/*.py")]
    ):
        digest.update(path.read_bytes())
    for path in sorted((root / "fixtures").rglob("*.csv")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
