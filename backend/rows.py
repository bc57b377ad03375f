"""Rows written by a statement that is composed once for its models, not once for each row.

Django takes longer to compose an INSERT than PostgreSQL to carry it out: what is written
for every report is written like this, all else by the models' own methods.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import Field, Model

# By the name of its field, which of the rows before it one refers to.
References = tuple[tuple[str, int], ...]


class Kind(NamedTuple):
    """What the statement must know of a row."""

    model: type[Model]
    references: References


def insert(*rows: Model) -> None:
    """What `save(force_insert=True)` does for each, in one statement: all or none of them.

    A row may refer to those before it, which have no key yet. No signals are sent; the
    rows know their keys then. Raises what the database does, IntegrityError among others.
    """
    kinds = tuple(
        Kind(type(row), references_of(row, rows[:place]))
        for place, row in enumerate(rows)
    )
    values = [
        field.get_db_prep_save(field.pre_save(row, add=True), connection)
        for row, kind in zip(rows, kinds, strict=True)
        for field in valued_fields(kind)
    ]
    with connection.cursor() as cursor:
        cursor.execute(statement_of(kinds), values)
        keys = cursor.fetchone()
    for row, kind, key in zip(rows, kinds, keys, strict=True):
        row.pk = key
        for name, place in kind.references:
            setattr(row, name, rows[place])  # with the key it has now
        row._state.adding = False
        row._state.db = DEFAULT_DB_ALIAS


def references_of(row: Model, earlier: Sequence[Model]) -> References:
    if not earlier:
        return ()
    known = row._state.fields_cache
    return tuple(
        (name, place)
        for name, other in known.items()
        for place, before in enumerate(earlier)
        if other is before
    )


@lru_cache(maxsize=64)
def statement_of(kinds: tuple[Kind, ...]) -> str:
    if len(kinds) == 1:
        return insertion(kinds[0])
    each = [f"r{place} AS ({insertion(kind)})" for place, kind in enumerate(kinds)]
    keys = [key_of(place) for place in range(len(kinds))]
    return f"WITH {', '.join(each)} SELECT {', '.join(keys)}"


def key_of(place: int) -> str:
    return f"(SELECT key FROM r{place})"  # noqa: S608


def insertion(kind: Kind) -> str:
    meta = kind.model._meta
    references = dict(kind.references)
    columns, values = [], []
    for field in written_fields(kind.model):
        columns.append(f'"{field.column}"')
        place = references.get(field.name)
        values.append("%s" if place is None else key_of(place))
    assert meta.pk is not None  # noqa: S101 - every model has one
    return (
        f'INSERT INTO "{meta.db_table}" ({", ".join(columns)})'  # noqa: S608
        f' VALUES ({", ".join(values)}) RETURNING "{meta.pk.column}" AS key'
    )


@lru_cache(maxsize=64)
def valued_fields(kind: Kind) -> list[Field[Any, Any]]:
    """Those of which the row itself knows the value."""
    references = dict(kind.references)
    return [
        field for field in written_fields(kind.model) if field.name not in references
    ]


def written_fields(model: type[Model]) -> list[Field[Any, Any]]:
    return [field for field in model._meta.local_concrete_fields if not is_given(field)]


def is_given(field: Field[Any, Any]) -> bool:
    """Whether the database gives the value."""
    return field.primary_key and field.get_internal_type().endswith("AutoField")
