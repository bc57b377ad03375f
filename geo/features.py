"""The cases and the places as features: a page at a time, in several reference systems.

A page is found by what the one before ended with, so that the last costs what the first
does. The features are GeoJSON as PostGIS writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil, floor
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import func

from backend.cases.workflow import OPEN
from geo import sql
from geo.filters import Box, Filters, on_the_map
from geo.public_fields import properties as of_a_case
from geo.tables import (
    boundary,
    case,
    category,
    corregimiento,
    district,
    entity,
    generation,
    province,
)
from provinces.models import Level

STORED = 4326
# A page of ten thousand takes a tenth of it; what looks for a needle is told so in time.
MILLISECONDS = 10_000
# What the sides of a box in metres may bend, as they are drawn in degrees.
BEND_DEGREES = 0.01
PIECES_OF_A_SIDE = 32

Columns = Mapping[str, sa.ColumnElement[Any]]


class Frame(NamedTuple):
    """A reference system: its EPSG number, the order of its axes, where it is good."""

    srid: int
    latitude_first: bool
    decimals: int
    reach: Box


CRS84 = Frame(STORED, False, 6, Box(-180, -90, 180, 90))
WGS84 = Frame(STORED, True, 6, Box(-180, -90, 180, 90))
MERCATOR = Frame(
    3857, False, 2, Box(-20037508.35, -20037508.35, 20037508.35, 20037508.35)
)
# All Panama, and far more: its east lies beyond the zone, which does the metres no harm.
UTM_17_NORTH = Frame(32617, False, 2, Box(-500_000, 0, 1_500_000, 2_000_000))


@dataclass(frozen=True)
class Area:
    """Boxes in the units of a frame, horizontal axis first; any of them will do."""

    frame: Frame
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class Question:
    """What a reader asks of a collection; `equal` has values by property.

    `after` is what the page before gave as `next`.
    """

    limit: int
    after: str = ""
    area: Area | None = None
    since: datetime | None = None
    until: datetime | None = None
    equal: Mapping[str, str | bool] = field(default_factory=dict)
    frame: Frame = CRS84
    english: bool = False


class Page(NamedTuple):
    """Features as JSON, and what to ask for those that follow with, if any do."""

    features: list[str]
    next: str


class Extent(NamedTuple):
    """The box of all features (WGS 84, degrees), and when the first of them is from."""

    box: Box
    since: datetime | None


@dataclass(frozen=True)
class Layer:
    """What a collection is made of: `found` has the key and the conditions' columns.

    `moment` is when a feature is from, if that can be asked for.
    """

    key: sa.ColumnElement[str]
    shape: sa.ColumnElement[Any]
    found: sa.FromClause
    told: sa.FromClause
    visible: Callable[[Question], list[sa.ColumnElement[bool]]]
    filters: Columns
    properties: Callable[[bool], sa.ColumnElement[Any]]
    moment: sa.ColumnElement[datetime] | None = None


def is_yes_or_no(layer: Layer, name: str) -> bool:
    """Whether a filter's values are true and false, and not texts."""
    return isinstance(layer.filters[name].type, sa.Boolean)


def page(layer: Layer, question: Question) -> Page:
    """In the order of their keys, or of time. Raises ValueError, geo.sql.TooLong."""
    found, order = keys(layer, question).subquery(), order_of(layer, question)
    statement = (
        sa.select(feature(layer, question), *order)
        .select_from(layer.told.join(found, found.c.key == layer.key))
        .order_by(*order)
    )
    with sql.within(MILLISECONDS):
        rows = sql.rows(statement)
    features = [text for text, *_ in rows[: question.limit]]
    if len(rows) <= question.limit:
        return Page(features, "")
    *moment, key = rows[question.limit - 1][1:]
    return Page(features, ",".join([*(at.isoformat() for at in moment), key]))


def keys(layer: Layer, question: Question) -> sa.Select[Any]:
    """One more than asked for, which says whether others follow. Raises ValueError."""
    conditions, order = layer.visible(question), order_of(layer, question)
    if question.after:
        conditions.append(sa.tuple_(*order) > sa.tuple_(*place_after(layer, question)))
    if question.area:
        conditions.append(inside(layer.shape, question.area))
    for name, value in question.equal.items():
        column = layer.filters[name]
        if isinstance(value, bool):
            # Not `IS TRUE`: by it PostgreSQL finds no index of those that are so.
            conditions.append(column if value else sa.not_(column))
        else:
            conditions.append(column == value)
    return (
        sa.select(layer.key.label("key"))
        .select_from(layer.found)
        .where(*conditions)
        .order_by(*order)
        .limit(question.limit + 1)
    )


def order_of(layer: Layer, question: Question) -> list[sa.ColumnElement[Any]]:
    """By key; where times are asked for, by time: those lie side by side then.

    By key, whoever asks for the last day would wait until all others were looked through.
    """
    if layer.moment is not None and (question.since or question.until):
        return [layer.moment, layer.key]
    return [layer.key]


def place_after(layer: Layer, question: Question) -> list[datetime | str]:
    """Where the page before ended. Raises ValueError if that is nowhere in this order."""
    if len(order_of(layer, question)) == 1:
        return [question.after]
    written, _, key = question.after.rpartition(",")
    moment = datetime.fromisoformat(written)
    if moment.utcoffset() is None:
        raise ValueError(question.after)
    try:
        return [moment.astimezone(UTC), key]
    except OverflowError as far:
        raise ValueError(question.after) from far


def one(layer: Layer, key: str, frame: Frame, *, english: bool) -> str | None:
    """The feature of that key as JSON, if there is one that the public may see."""
    question = Question(limit=1, frame=frame, english=english)
    statement = (
        sa.select(feature(layer, question))
        .select_from(layer.told)
        .where(*layer.visible(question), layer.key == key)
    )
    with sql.within(MILLISECONDS):
        rows = sql.rows(statement)
    return str(rows[0][0]) if rows else None


def feature(layer: Layer, question: Question) -> sa.ColumnElement[str]:
    frame = question.frame
    # No options: one of them adds a member `crs`, which GeoJSON no longer has.
    geometry = func.ST_AsGeoJSON(drawn(layer.shape, frame), frame.decimals, 0)
    written = func.json_build_object(
        "type",
        "Feature",
        "id",
        layer.key,
        "geometry",
        sa.cast(geometry, sa.JSON),
        "properties",
        layer.properties(question.english),
    )
    return sa.cast(written, sa.Text)


def drawn(shape: sa.ColumnElement[Any], frame: Frame) -> sa.ColumnElement[Any]:
    """The shape in a frame; outer rings run as GeoJSON wants them."""
    shape = func.ST_ForcePolygonCCW(shape)
    if frame.srid != STORED:
        shape = func.ST_Transform(shape, frame.srid)
    return func.ST_FlipCoordinates(shape) if frame.latitude_first else shape


def inside(shape: sa.ColumnElement[Any], area: Area) -> sa.ColumnElement[bool]:
    conditions = (touches(shape, area.frame.srid, box) for box in area.boxes)
    return sa.or_(sa.false(), *conditions)


def touches(
    shape: sa.ColumnElement[Any], srid: int, box: Box
) -> sa.ColumnElement[bool]:
    # Of a box without width PostGIS makes a line or a point, as it should.
    diagonal = func.ST_MakeLine(
        func.ST_MakePoint(box.west, box.south), func.ST_MakePoint(box.east, box.north)
    )
    envelope = func.ST_SetSRID(func.ST_Envelope(diagonal), srid)
    if srid == STORED:
        return func.ST_Intersects(shape, envelope)
    longest = max(box.east - box.west, box.north - box.south, 1.0)
    sides = func.ST_Segmentize(envelope, longest / PIECES_OF_A_SIDE)
    about = func.ST_Expand(
        func.ST_Envelope(func.ST_Transform(sides, STORED)), BEND_DEGREES
    )
    return sa.and_(
        shape.op("&&")(about),
        func.ST_Intersects(func.ST_Transform(shape, srid), envelope),
    )


# ── The cases ────────────────────────────────────────────────────────────────────


def visible_cases(question: Question) -> list[sa.ColumnElement[bool]]:
    return on_the_map(Filters(since=question.since, until=question.until))


CASES = Layer(
    key=case.c.number,
    shape=case.c.public_location,
    found=case.join(category, category.c.code == case.c.category_id),
    told=(
        case.join(category, category.c.code == case.c.category_id)
        .join(province, province.c.code == case.c.province_id)
        .join(district, district.c.code == case.c.district_id)
        .outerjoin(corregimiento, corregimiento.c.code == case.c.corregimiento_id)
        .outerjoin(entity, entity.c.code == case.c.entity_id)
    ),
    visible=visible_cases,
    filters={
        "number": case.c.number,
        "category": case.c.category_id,
        "group": category.c.group_id,
        "status": case.c.status,
        "open": case.c.status.in_(sorted(OPEN)),
        "entity": case.c.entity_id,
        "province_code": case.c.province_id,
        "district_code": case.c.district_id,
        "corregimiento_code": case.c.corregimiento_id,
        "demo": case.c.demo,
    },
    properties=lambda english: of_a_case(english=english),
    moment=case.c.filed_at,
)


def extent_of_cases() -> Extent | None:
    """Exact, by four walks through the index of places: inwards from each side."""
    statement = sa.select(
        func.ST_X(closest_to((-180, -90), (-180, 90))),
        func.ST_Y(closest_to((-180, -90), (180, -90))),
        func.ST_X(closest_to((180, -90), (180, 90))),
        func.ST_Y(closest_to((-180, 90), (180, 90))),
        sa.select(case.c.filed_at)
        .where(*on_the_map(Filters()))
        .order_by(case.c.filed_at)
        .limit(1)
        .scalar_subquery(),
    )
    with sql.within(MILLISECONDS):
        ((west, south, east, north, since),) = sql.rows(statement)
    return None if west is None else Extent(around(west, south, east, north), since)


def closest_to(
    start: tuple[float, float], end: tuple[float, float]
) -> sa.ScalarSelect[Any]:
    """The public point closest to a line."""
    line = func.ST_MakeLine(func.ST_MakePoint(*start), func.ST_MakePoint(*end))
    point = case.c.public_location
    return (
        sa.select(point)
        .where(*on_the_map(Filters()))
        .order_by(point.op("<->")(func.ST_SetSRID(line, STORED)))
        .limit(1)
        .scalar_subquery()
    )


def around(west: float, south: float, east: float, north: float) -> Box:
    """Rounded outwards to the decimals that are published."""
    ten = 10**CRS84.decimals
    lowest = (floor(west * ten) / ten, floor(south * ten) / ten)
    return Box(*lowest, ceil(east * ten) / ten, ceil(north * ten) / ten)


# ── The places ───────────────────────────────────────────────────────────────────


def of_level(level: Level) -> list[sa.ColumnElement[bool]]:
    return [
        boundary.c.level == level.value,
        boundary.c.generation_id == generation.c.id,
        generation.c.is_active,
    ]


def places(level: Level, names: sa.FromClause, columns: Columns) -> Layer:
    """The places of a level that have an outline among the boundaries in force."""
    named = {**columns, "approximate": boundary.c.approximate}
    written = [piece for pair in named.items() for piece in pair]
    joined = boundary.join(
        generation, generation.c.id == boundary.c.generation_id
    ).join(names, columns["code"] == boundary.c.code)
    return Layer(
        key=columns["code"],
        shape=boundary.c.outline,
        found=joined,
        told=joined,
        visible=lambda question: of_level(level),
        filters=named,
        properties=lambda english: func.json_build_object(*written),
    )


PROVINCES = places(
    Level.PROVINCE,
    province,
    {
        "code": province.c.code,
        "name": province.c.name,
        "kind": province.c.kind,
    },
)
DISTRICTS = places(
    Level.DISTRICT,
    district.join(province, province.c.code == district.c.province_id),
    {
        "code": district.c.code,
        "name": district.c.name,
        "province": province.c.name,
        "province_code": province.c.code,
    },
)
CORREGIMIENTOS = places(
    Level.CORREGIMIENTO,
    corregimiento.join(district, district.c.code == corregimiento.c.district_id).join(
        province, province.c.code == district.c.province_id
    ),
    {
        "code": corregimiento.c.code,
        "name": corregimiento.c.name,
        "kind": corregimiento.c.kind,
        "district": district.c.name,
        "district_code": district.c.code,
        "province": province.c.name,
        "province_code": province.c.code,
    },
)


def extent_of_places(level: Level) -> Extent | None:
    whole = func.ST_Extent(boundary.c.outline)
    sides = (func.ST_XMin, func.ST_YMin, func.ST_XMax, func.ST_YMax)
    statement = sa.select(*(side(whole) for side in sides)).where(*of_level(level))
    with sql.within(MILLISECONDS):
        ((west, south, east, north),) = sql.rows(statement)
    return None if west is None else Extent(around(west, south, east, north), None)
