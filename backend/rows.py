"""Rows written and found by statements that are composed once, not once for each row.

Django takes longer to compose a statement than PostgreSQL to carry it out: what is asked
and written for every report is done like this, all else by the models' own methods.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models import Field, ForeignKey, Model

M = TypeVar("M", bound=Model)
# By the name of its field, which of the rows before it one refers to.
References = tuple[tuple[str, int], ...]


# Fields whose values psycopg writes as they are. A field of a class of its own, as what is
# encrypted has, is none of them.
PLAIN = {
    models.BigAutoField,
    models.BigIntegerField,
    models.BooleanField,
    models.CharField,
    models.DateTimeField,
    models.FloatField,
    models.IntegerField,
    models.PositiveIntegerField,
    models.TextField,
    models.UUIDField,
}


class Kind(NamedTuple):
    """What the statement must know of a row."""

    model: type[Model]
    references: References


class Seen(NamedTuple):
    """A stored row, and the columns in which it must still be as it was read."""

    row: Model
    columns: tuple[str, ...]


class NotAsSeen(Exception):
    """The row that had been read is stored otherwise, or no more: nothing was inserted."""


def insert(*rows: Model, seen: Seen | None = None) -> None:
    """What `save(force_insert=True)` does for each, in one statement: all or none of them.

    A row may refer to those before it, which have no key yet. No signals are sent; the
    rows know their keys then. With `seen`, they are inserted only while that row is as it
    was read, and it is locked FOR KEY SHARE, as a row that one refers to is.
    Raises NotAsSeen, and what the database does, IntegrityError among others.
    """
    kinds = tuple(
        Kind(type(row), references_of(row, rows[:place]))
        for place, row in enumerate(rows)
    )
    values = [
        value_of(row, field, is_plain)
        for row, kind in zip(rows, kinds, strict=True)
        for field, is_plain in valued_fields(kind)
    ]
    look = (type(seen.row), seen.columns) if seen else None
    if seen:
        values = [seen.row.pk, *(getattr(seen.row, c) for c in seen.columns), *values]
    with connection.cursor() as cursor:
        cursor.execute(statement_of(kinds, look), values)
        keys = cursor.fetchone()
    if keys[0] is None:
        raise NotAsSeen
    for row, kind, key in zip(rows, kinds, keys, strict=True):
        row.pk = key
        for name, place in kind.references:
            setattr(row, name, rows[place])  # with the key it has now
        row._state.adding = False
        row._state.db = DEFAULT_DB_ALIAS


def value_of(row: Model, field: Field[Any, Any], is_plain: bool) -> Any:
    value = field.pre_save(row, add=True)
    return value if is_plain else field.get_db_prep_save(value, connection)


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
def statement_of(
    kinds: tuple[Kind, ...], look: tuple[type[Model], tuple[str, ...]] | None = None
) -> str:
    if len(kinds) == 1 and not look:
        return insertion(kinds[0], "")
    source = " FROM seen" if look else ""
    each = [
        f"r{place} AS ({insertion(kind, source)})" for place, kind in enumerate(kinds)
    ]
    if look:
        each = [f"seen AS ({looking(*look)})", *each]
    keys = [key_of(place) for place in range(len(kinds))]
    return f"WITH {', '.join(each)} SELECT {', '.join(keys)}"


def looking(model: type[Model], columns: tuple[str, ...]) -> str:
    """Should it be changed just now, PostgreSQL looks at the conditions once more."""
    meta = model._meta
    assert meta.pk is not None  # noqa: S101 - every model has one
    column_of = {field.name: field.column for field in meta.concrete_fields}
    names = [meta.pk.column, *(column_of[name] for name in columns)]
    as_read = " AND ".join(f'"{name}" = %s' for name in names)
    return f'SELECT FROM "{meta.db_table}" WHERE {as_read} FOR KEY SHARE'


def key_of(place: int) -> str:
    return f"(SELECT key FROM r{place})"  # noqa: S608


def insertion(kind: Kind, source: str) -> str:
    meta = kind.model._meta
    references = dict(kind.references)
    columns, values = [], []
    for field in written_fields(kind.model):
        columns.append(f'"{field.column}"')
        place = references.get(field.name)
        values.append("%s" if place is None else key_of(place))
    assert meta.pk is not None  # noqa: S101 - every model has one
    return (
        f'INSERT INTO "{meta.db_table}" ({", ".join(columns)})'
        f' SELECT {", ".join(values)}{source} RETURNING "{meta.pk.column}" AS key'
    )


@lru_cache(maxsize=64)
def valued_fields(kind: Kind) -> list[tuple[Field[Any, Any], bool]]:
    """Those of which the row itself knows the value, and whether they are plain."""
    references = dict(kind.references)
    return [
        (field, type(written_as(field)) in PLAIN)
        for field in written_fields(kind.model)
        if field.name not in references
    ]


def written_as(field: Field[Any, Any]) -> Field[Any, Any]:
    """The field whose values are written: of a reference, the key that it refers to."""
    while isinstance(field, ForeignKey):
        field = field.target_field
    return field


def written_fields(model: type[Model]) -> list[Field[Any, Any]]:
    return [field for field in model._meta.local_concrete_fields if not is_given(field)]


def is_given(field: Field[Any, Any]) -> bool:
    """Whether the database gives the value."""
    return field.primary_key and field.get_internal_type().endswith("AutoField")


# ── Found ────────────────────────────────────────────────────────────────────────


def find(model: type[M], condition: str, values: Sequence[Any]) -> M | None:
    """The first row of which the condition is true, as `objects.raw` would read it.

    The condition is SQL of the code's own, with a `%s` for each of the values.
    """
    with connection.cursor() as cursor:
        cursor.execute(selection(model, condition), values)
        row = cursor.fetchone()
    if row is None:
        return None
    found = list(row)
    for place, read in readers(model):
        found[place] = read(found[place], None, connection)
    return model.from_db(DEFAULT_DB_ALIAS, names_of(model), found)


@lru_cache(maxsize=64)
def selection(model: type[Model], condition: str) -> str:
    meta = model._meta
    columns = ", ".join(f'"{field.column}"' for field in meta.concrete_fields)
    return f'SELECT {columns} FROM "{meta.db_table}" WHERE {condition} LIMIT 1'  # noqa: S608


@lru_cache(maxsize=64)
def names_of(model: type[Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


@lru_cache(maxsize=64)
def readers(model: type[Model]) -> list[tuple[int, Callable[..., Any]]]:
    """Those fields, by their place, whose values are others in the database."""
    return [
        (place, read)
        for place, field in enumerate(model._meta.concrete_fields)
        for read in field.get_db_converters(connection)
    ]
