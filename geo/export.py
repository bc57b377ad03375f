"""The public cases to take away, however many there are.

PostgreSQL makes the text and COPY brings it. A row is one `concat` of its pieces; what it
says of its category, its place and who answers is put together once for each of these,
not once for each case, and looked up by its code: no join, and so no sort either, for the
cases come in the order of their index.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

import sqlalchemy as sa
from django.db import transaction
from sqlalchemy import func

from backend.cases.workflow import OPEN
from geo import copying, sql
from geo.filters import Filters, on_the_map
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
URL = "/casos/"
PANAMAS_OFFSET = sa.literal_column("INTERVAL '-05:00'", sa.Interval())
# What a spreadsheet could take for a formula (OWASP, "CSV Injection").
FORMULA = r"^\s*[=+\-@\t\r\n＝＋－＠]"  # noqa: RUF001
TO_QUOTE = r'[",\r\n]'
# What an increment says of a case that is public no more.
OF_WITHDRAWALS = ("withdrawn_at", "withdrawal")

Value = sa.ColumnElement[Any]


@dataclass(frozen=True)
class Field:
    """A public column, and whether it speaks of the case itself or of what it is in."""

    name: str
    of: str  # case, category, entity, place
    value: Value


def fields(*, english: bool = False) -> list[Field]:
    """All that is public of a case but its point, in the order that tables have."""
    name = category.c.name_en if english else category.c.name_es
    return [
        Field("number", "case", case.c.number),
        Field("status", "case", case.c.status),
        Field("open", "case", case.c.status.in_(sorted(OPEN))),
        Field("filed_at", "case", in_panama(case.c.filed_at)),
        Field("due_at", "case", in_panama(case.c.due_at)),
        Field("updated_at", "case", in_panama(case.c.updated_at)),
        Field("resolved_at", "case", in_panama(case.c.resolved_at)),
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


def in_panama(moment: sa.ColumnElement[object]) -> sa.ColumnElement[object]:
    """ISO 8601 with Panama's offset, which is the same all year since 1908.

    By the offset itself: to look the zone up by its name takes as long as all the rest.
    """
    local = func.timezone(PANAMAS_OFFSET, moment)
    return func.to_char(local, 'YYYY-MM-DD"T"HH24:MI:SS"-05:00"')


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

    Raises `copying.Busy`.
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
                in_panama(withdrawal.c.withdrawn_at),
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


# ── Its forms ────────────────────────────────────────────────────────────────────


class Form:
    """How a row is written. Numbers, statuses and dates are ours: they need no quotes."""

    head = b""
    between = b""
    tail = b""

    def __init__(self, english: bool) -> None:
        self.english = english

    def fields(self, of: str) -> list[Field]:
        return [field for field in fields(english=self.english) if field.of == of]

    def told(self, of_one: list[Field]) -> Value:
        """What is said of one category, entity or place."""
        raise NotImplementedError

    def nothing(self, of: str) -> str:
        """What is said where there is none."""
        raise NotImplementedError

    def row(self, told: dict[str, Value], point: Value) -> Value:
        raise NotImplementedError

    def withdrawal(self, number: Value, at: Value, reason: Value) -> Value:
        raise NotImplementedError


class GeoJSON(Form):
    head = b'{"type":"FeatureCollection","features":['
    between = b","
    tail = b"\n]}\n"
    before, after = ",\n", ""

    def told(self, of_one: list[Field]) -> Value:
        return func.concat(
            *chain.from_iterable(
                (
                    f',"{field.name}":',
                    func.coalesce(sa.cast(func.to_json(field.value), sa.Text), "null"),
                )
                for field in of_one
            )
        )

    def nothing(self, of: str) -> str:
        return "".join(f',"{field.name}":null' for field in self.fields(of))

    def row(self, told: dict[str, Value], point: Value) -> Value:
        return func.concat(
            self.before + '{"type":"Feature","id":"',
            told["number"],
            '","geometry":',
            point,
            ',"properties":{"number":"',
            told["number"],
            '","url":"' + URL,
            told["number"],
            '","status":"',
            told["status"],
            '","open":',
            true_or_false(told["open"]),
            ',"demo":',
            true_or_false(told["demo"]),
            ',"filed_at":"',
            told["filed_at"],
            '","due_at":"',
            told["due_at"],
            '","updated_at":"',
            told["updated_at"],
            '","resolved_at":',
            func.coalesce('"' + told["resolved_at"] + '"', "null"),
            told["category"],
            told["entity"],
            told["place"],
            "}}" + self.after,
        )

    def withdrawal(self, number: Value, at: Value, reason: Value) -> Value:
        return func.concat(
            self.before + '{"type":"Feature","id":"',
            number,
            '","geometry":null,"properties":{"number":"',
            number,
            '","withdrawn_at":"',
            at,
            '","withdrawal":"',
            reason,
            '"}}' + self.after,
        )


class GeoJSONLines(GeoJSON):
    head = between = tail = b""
    before, after = "", "\n"


class CSV(Form):
    def __init__(self, english: bool, *, safe: bool = True) -> None:
        super().__init__(english)
        self.safe = safe
        self.head = (",".join(CSV_HEADER) + "\r\n").encode()

    def told(self, of_one: list[Field]) -> Value:
        cells = ((",", self.cell(field.value)) for field in of_one)
        return func.concat(*chain.from_iterable(cells))

    def nothing(self, of: str) -> str:
        return "," * len(self.fields(of))

    def cell(self, text: Value) -> Value:
        if self.safe:
            text = sa.case((text.op("~")(FORMULA), "'" + text), else_=text)
        quoted = '"' + func.replace(text, '"', '""') + '"'
        return sa.case((text.op("~")(TO_QUOTE), quoted), else_=text)

    def row(self, told: dict[str, Value], point: Value) -> Value:
        return func.concat(
            told["number"],
            ",",
            # The two numbers in `{"type":"Point","coordinates":[-79.95,8.55]}`.
            func.rtrim(func.substr(point, 32), "]}"),
            ",",
            told["status"],
            ",",
            true_or_false(told["open"]),
            ",",
            told["filed_at"],
            ",",
            told["due_at"],
            ",",
            told["updated_at"],
            ",",
            told["resolved_at"],
            ",",
            true_or_false(told["demo"]),
            "," + URL,
            told["number"],
            told["category"],
            told["entity"],
            told["place"],
            ",,\r\n",
        )

    def withdrawal(self, number: Value, at: Value, reason: Value) -> Value:
        empty = len(CSV_HEADER) - 1 - len(OF_WITHDRAWALS)
        return func.concat(number, "," * empty + ",", at, ",", reason, "\r\n")


class CSVOfWithdrawals(CSV):
    def __init__(self, english: bool) -> None:
        super().__init__(english)
        self.head = (",".join(("number", *OF_WITHDRAWALS)) + "\r\n").encode()

    def withdrawal(self, number: Value, at: Value, reason: Value) -> Value:
        return func.concat(number, ",", at, ",", reason, "\r\n")


def true_or_false(value: Value) -> Value:
    return sa.case((value, "true"), else_="false")


NAMES = tuple(field.name for field in fields())
CSV_HEADER = (NAMES[0], "longitude", "latitude", *NAMES[1:], *OF_WITHDRAWALS)
BOOLEANS = ("open", "demo")
MOMENTS = ("filed_at", "due_at", "updated_at", "resolved_at", "withdrawn_at")


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
