"""What is public of a case: the columns of every file, answer and view of the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import func

from backend.cases.workflow import OPEN
from geo.tables import case, category, corregimiento, district, entity, province

URL = "/casos/"
PANAMAS_OFFSET = sa.literal_column("INTERVAL '-05:00'", sa.Interval())
# What an increment says of a case that is public no more.
OF_WITHDRAWALS = ("withdrawn_at", "withdrawal")

Value = sa.ColumnElement[Any]


@dataclass(frozen=True)
class Field:
    """A public column, and whether it speaks of the case itself or of what it is in."""

    name: str
    of: str  # case, category, entity, place
    value: Value


def in_panama(moment: Value) -> Value:
    """ISO 8601 with Panama's offset, which is the same all year since 1908.

    By the offset itself: to look the zone up by its name takes as long as all the rest.
    """
    local = func.timezone(PANAMAS_OFFSET, moment)
    return func.to_char(local, 'YYYY-MM-DD"T"HH24:MI:SS"-05:00"')


def in_utc(moment: Value) -> Value:
    """For formats whose moments have no offset."""
    return func.to_char(func.timezone("UTC", moment), 'YYYY-MM-DD"T"HH24:MI:SS"Z"')


def fields(
    *, english: bool = False, written: Callable[[Value], Value] = in_panama
) -> list[Field]:
    """All that is public of a case but its point, in the order that tables have.

    `written` makes text of a moment.
    """
    name = category.c.name_en if english else category.c.name_es
    return [
        Field("number", "case", case.c.number),
        Field("status", "case", case.c.status),
        Field("open", "case", case.c.status.in_(sorted(OPEN))),
        Field("filed_at", "case", written(case.c.filed_at)),
        Field("due_at", "case", written(case.c.due_at)),
        Field("updated_at", "case", written(case.c.updated_at)),
        Field("resolved_at", "case", written(case.c.resolved_at)),
        Field("demo", "case", case.c.demo),
        Field("url", "case", sa.literal(URL) + case.c.number),
        Field("category", "category", category.c.code),
        Field("category_name", "category", name),
        Field("group", "category", category.c.group_id),
        Field("precision", "category", category.c.precision),
        Field("entity", "entity", entity.c.code),
        Field("entity_name", "entity", entity.c.name),
        Field("province", "place", province.c.name),
        Field("province_code", "place", province.c.code),
        Field("district", "place", district.c.name),
        Field("district_code", "place", district.c.code),
        Field("corregimiento", "place", corregimiento.c.name),
        Field("corregimiento_code", "place", corregimiento.c.code),
    ]


def properties(*, english: bool) -> sa.Function[object]:
    """A case's public columns as one JSON object, for whoever joins the tables."""
    each = fields(english=english)
    return func.json_build_object(
        *(piece for field in each for piece in (field.name, field.value))
    )


NAMES = tuple(field.name for field in fields())
BOOLEANS = ("open", "demo")
MOMENTS = ("filed_at", "due_at", "updated_at", "resolved_at", "withdrawn_at")
