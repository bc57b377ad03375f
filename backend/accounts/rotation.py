"""Everything encrypted goes under the first of the `DATA_KEYS`, to let old ones go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.conf import settings
from django.db import connection, models, transaction

from backend.accounts.encryption import EncryptedTextField, fernet

BATCH = 500


@dataclass
class Rotated:
    """How many texts were moved, were under the first key, or no key can read."""

    moved: int = 0
    there: int = 0
    lost: int = 0


def encrypted_columns() -> Iterator[tuple[type[models.Model], list[str]]]:
    for model in apps.get_models():
        columns = [
            column_of(field)
            for field in model._meta.local_concrete_fields
            if isinstance(field, EncryptedTextField)
        ]
        if columns:
            yield model, columns


def rotate(model: type[models.Model], columns: list[str]) -> Iterator[Rotated]:
    """Re-encrypt one table's columns, a batch at a time; what became of each comes back.

    Each batch is committed. Stopped and begun again, it finds the earlier ones done.
    """
    last: Any = None
    while True:
        with transaction.atomic():
            rows = next_rows(model, columns, last)
            done = Rotated()
            for key, *tokens in rows:
                under_first = [moved(token, done) for token in tokens]
                if under_first != tokens:
                    write(model, columns, key, under_first)
        if not rows:
            return
        last = rows[-1][0]
        yield done


def next_rows(
    model: type[models.Model], columns: list[str], last: Any
) -> list[tuple[Any, ...]]:
    """By SQL, which takes the columns as they are: the field would decrypt them."""
    table, key = quoted(model._meta.db_table), quoted(primary_key(model))
    names = ", ".join(map(quoted, columns))
    after = f"WHERE {key} > %s" if last is not None else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {key}, {names} FROM {table} {after}"  # noqa: S608 - our own names
            f" ORDER BY {key} LIMIT {BATCH} FOR NO KEY UPDATE",
            [last] if last is not None else [],
        )
        return list(cursor.fetchall())


def write(
    model: type[models.Model], columns: list[str], key: Any, tokens: list[str]
) -> None:
    values = ", ".join(f"{quoted(column)} = %s" for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {quoted(model._meta.db_table)} SET {values}"  # noqa: S608
            f" WHERE {quoted(primary_key(model))} = %s",
            [*tokens, key],
        )


def moved(token: str, done: Rotated) -> str:
    """The text under the first key; as it was, if no key can read it."""
    if not token:
        return token
    try:
        Fernet(settings.DATA_KEYS[0]).decrypt(token)
    except InvalidToken:
        pass
    else:
        done.there += 1
        return token
    try:
        under_first = fernet(tuple(settings.DATA_KEYS)).rotate(token).decode()
    except InvalidToken:
        done.lost += 1
        return token
    done.moved += 1
    return under_first


def primary_key(model: type[models.Model]) -> str:
    return column_of(model._meta.pk)


def column_of(field: Any) -> str:
    return str(field.column)


def quoted(name: str) -> str:
    return connection.ops.quote_name(name)
