"""A row written by a statement that is composed once for its model, not once for each row.

Django takes longer to compose an INSERT than PostgreSQL to carry it out: what is written
for every report is written like this, all else by the models' own methods.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Field, Model


class Insertion(NamedTuple):
    statement: str
    fields: list[Field[Any, Any]]


def insert(row: Model) -> None:
    """What `save(force_insert=True)` does, without signals; the row knows its key then.

    Raises what the database does, IntegrityError among others.
    """
    statement, fields = insertion_of(type(row))
    values = [
        field.get_db_prep_save(field.pre_save(row, add=True), connection)
        for field in fields
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        (row.pk,) = cursor.fetchone()
    row._state.adding = False
    row._state.db = DEFAULT_DB_ALIAS


@cache
def insertion_of(model: type[Model]) -> Insertion:
    meta = model._meta
    fields = [field for field in meta.local_concrete_fields if not is_given(field)]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    places = ", ".join(["%s"] * len(fields))
    assert meta.pk is not None  # noqa: S101 - every model has one
    statement = (
        f'INSERT INTO "{meta.db_table}" ({columns}) VALUES ({places})'  # noqa: S608
        f' RETURNING "{meta.pk.column}"'
    )
    return Insertion(statement, fields)


def is_given(field: Field[Any, Any]) -> bool:
    """Whether the database gives the value."""
    return field.primary_key and field.get_internal_type().endswith("AutoField")
