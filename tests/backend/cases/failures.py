"""Statements that fail when they are told to, and what is on the disk afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.files.storage import default_storage
from django.db import connection


@contextmanager
def failing_at(number: int, error: Exception) -> Iterator[list[str]]:
    """The n-th statement from here fails; the statement is told."""
    seen: list[str] = []
    failed: list[str] = []

    def fail(execute, sql, params, many, context):
        seen.append(sql)
        if len(seen) == number:
            failed.append(sql)
            raise error
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail):
        yield failed


@contextmanager
def failing_once(words: str, error: Exception) -> Iterator[None]:
    failed: list[str] = []

    def fail(execute, sql, params, many, context):
        if sql.startswith(words) and not failed:
            failed.append(sql)
            raise error
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail):
        yield


def files() -> list[str]:
    root = Path(default_storage.path(""))
    return sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file())
