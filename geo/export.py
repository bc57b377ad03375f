"""The public cases to take away, however many there are.

PostgreSQL makes the text, in one of the `forms`, and COPY brings it. What a row says of its
category, its place and who answers is put together once for each of these, not once for
each case, and looked up by its code: no join, and so no sort either, for the cases come in
the order of their index.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from django.db import transaction
from sqlalchemy import func

from geo import copying, sql
from geo.filters import Filters, on_the_map
from geo.forms import CSV, CSVOfWithdrawals, Form, GeoJSON, GeoJSONLines
from geo.public_fields import NAMES, Value, fields
from geo.tables import (
    case,
    category,
    corregimiento,
    district,
    entity,
    province,
    withdrawal,
)

DECIMALS = 6


# ── What is sent ─────────────────────────────────────────────────────────────────


def geojson(
    filters: Filters,
    limit: int | None = None,
    *,
    english: bool = False,
    places: int | None = None,
) -> Generator[bytes]:
    """A FeatureCollection in pieces, as they come from PostGIS.

    In the order of their numbers, or the newest first when there is a limit. With
    `places`, so many at once may do this. Raises `copying.Busy`.
    """
    form = GeoJSON(english)
    return framed(form, statements(form, filters, limit), places)


def geojson_lines(
    filters: Filters,
    limit: int | None = None,
    *,
    english: bool = False,
    places: int | None = None,
) -> Generator[bytes]:
    """The same features, each in a line of its own. Raises `copying.Busy`."""
    form = GeoJSONLines(english)
    return framed(form, statements(form, filters, limit), places)


def csv(
    filters: Filters,
    limit: int | None = None,
    *,
    english: bool = False,
    places: int | None = None,
    safe: bool = True,
    with_withdrawals: bool = True,
) -> Generator[bytes]:
    """A table (RFC 4180). `safe`: what looks like a formula begins with an apostrophe.

    Without, it is for GDAL, and moments are in UTC. Raises `copying.Busy`.
    """
    form = CSV(english, safe=safe)
    asked = statements(form, filters, limit, with_withdrawals=with_withdrawals)
    return framed(form, asked, places)


def withdrawals(since: datetime, places: int | None = None) -> Generator[bytes]:
    """What an increment says of cases that are public no more, as a table of its own.

    Raises `copying.Busy`.
    """
    form = CSVOfWithdrawals(english=False)
    return framed(form, [withdrawn(form, since)], places)


def framed(
    form: Form, asked: list[sa.Select[Any]], places: int | None
) -> Generator[bytes]:
    # With the first row: nothing is said before PostGIS has answered.
    before = form.head
    with transaction.atomic():
        if places is not None:
            copying.take_a_place("export", places)
        for statement in asked:
            with closing(copying.copy(statement)) as pieces:
                for piece in pieces:
                    yield before + (
                        piece.removeprefix(form.between) if before else piece
                    )
                    before = b""
    yield before + form.tail


def statements(
    form: Form, filters: Filters, limit: int | None, *, with_withdrawals: bool = True
) -> list[sa.Select[Any]]:
    """The cases; and of those that are public no more, what an increment must say.

    In this order: whoever does what the file says ends with what is public now.
    """
    asked = [cases(form, filters, limit)]
    if filters.changed_since and not limit and with_withdrawals:
        asked.append(withdrawn(form, filters.changed_since))
    return asked


def count(
    filters: Filters, limit: int | None = None, *, with_withdrawals: bool = True
) -> int:
    """How many cases and withdrawals a file with these filters holds."""
    some = sa.select(case.c.id).where(*on_the_map(filters)).limit(limit).subquery()
    asked = [sa.select(func.count()).select_from(some)]
    if filters.changed_since and not limit and with_withdrawals:
        asked.append(
            sa.select(func.count())
            .select_from(withdrawal)
            .where(withdrawn_since(filters.changed_since))
        )
    return sum(int(sql.rows(statement)[0][0]) for statement in asked)


def cases(form: Form, filters: Filters, limit: int | None) -> sa.Select[Any]:
    place_code = func.coalesce(case.c.corregimiento_id, case.c.district_id)
    entities = once_each("entity", entity, entity.c.code, form)
    row = form.row(
        {
            **{field.name: field.value for field in form.fields("case")},
            "category": looked_up(
                once_each("category", category, category.c.code, form),
                case.c.category_id,
            ),
            "entity": func.coalesce(
                looked_up(entities, case.c.entity_id), form.nothing("entity")
            ),
            "place": looked_up(once_each_place(form), place_code),
        },
        func.ST_AsGeoJSON(case.c.public_location, DECIMALS),
    )
    return (
        sa.select(row)
        .where(*on_the_map(filters))
        .order_by(*in_order(limit))
        .limit(limit)
    )


def looked_up(told: sa.Subquery, code: Value) -> Value:
    """What is told of one code: all of them are one object, made once for the statement."""
    whole = sa.select(func.jsonb_object_agg(told.c.code, told.c.told)).scalar_subquery()
    return whole.op("->>")(code)


def in_order(limit: int | None) -> list[sa.ColumnElement[Any]]:
    if limit:
        return [case.c.filed_at.desc(), case.c.id.desc()]
    return [case.c.id]


def once_each(of: str, table: sa.FromClause, code: Value, form: Form) -> sa.Subquery:
    told = form.told(form.fields(of))
    return sa.select(code.label("code"), told.label("told")).subquery(of)


def once_each_place(form: Form) -> sa.Subquery:
    """By code: the corregimientos, and the districts for what has none."""
    told = form.told(form.fields("place")).label("told")
    whole = corregimiento.join(
        district, district.c.code == corregimiento.c.district_id
    ).join(province, province.c.code == district.c.province_id)
    no_corregimiento = district.join(
        province, province.c.code == district.c.province_id
    ).outerjoin(corregimiento, sa.false())
    return (
        sa.select(corregimiento.c.code.label("code"), told)
        .select_from(whole)
        .union_all(
            sa.select(district.c.code.label("code"), told).select_from(no_corregimiento)
        )
        .subquery("place")
    )


def withdrawn(form: Form, since: datetime) -> sa.Select[Any]:
    return (
        sa.select(
            form.withdrawal(
                withdrawal.c.number,
                form.moment(withdrawal.c.withdrawn_at),
                withdrawal.c.reason,
            )
        )
        .where(withdrawn_since(since))
        .order_by(withdrawal.c.withdrawn_at, withdrawal.c.number)
    )


def withdrawn_since(since: datetime) -> Value:
    public_again = (
        sa.select(case.c.id)
        .where(case.c.number == withdrawal.c.number, *on_the_map(Filters()))
        .exists()
    )
    return sa.and_(withdrawal.c.withdrawn_at >= since, ~public_again)


# ── As values ────────────────────────────────────────────────────────────────────


def rows(
    filters: Filters, limit: int | None = None, *, english: bool = False
) -> Generator[tuple[Any, ...]]:
    """For files with types: the point as well-known binary, then the columns of `NAMES`.

    And those of `OF_WITHDRAWALS`. Dates are datetimes.
    """
    plain = {
        "filed_at": case.c.filed_at,
        "due_at": case.c.due_at,
        "updated_at": case.c.updated_at,
        "resolved_at": case.c.resolved_at,
    }
    values = [plain.get(field.name, field.value) for field in fields(english=english)]
    point = func.ST_AsBinary(func.ST_ReducePrecision(case.c.public_location, 1e-6))
    no_time = sa.cast(sa.null(), sa.DateTime(timezone=True))
    yield from sql.stream(
        sa.select(point, *values, no_time, sa.cast(sa.null(), sa.Text))
        .select_from(case)
        .join(category, category.c.code == case.c.category_id)
        .join(province, province.c.code == case.c.province_id)
        .join(district, district.c.code == case.c.district_id)
        .outerjoin(corregimiento, corregimiento.c.code == case.c.corregimiento_id)
        .outerjoin(entity, entity.c.code == case.c.entity_id)
        .where(*on_the_map(filters))
        .order_by(*in_order(limit))
        .limit(limit)
    )
    if filters.changed_since and not limit:
        nothing = [None] * (len(NAMES) - 1)
        gone = (
            sa.select(
                withdrawal.c.number, withdrawal.c.withdrawn_at, withdrawal.c.reason
            )
            .where(withdrawn_since(filters.changed_since))
            .order_by(withdrawal.c.withdrawn_at, withdrawal.c.number)
        )
        for number, at, reason in sql.stream(gone):
            yield (None, number, *nothing, at, reason)
