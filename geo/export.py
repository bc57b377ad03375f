"""The public cases as GeoJSON, however many there are."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import sqlalchemy as sa
from sqlalchemy import func

from backend.cases.workflow import OPEN
from geo import sql
from geo.filters import Filters, on_the_map
from geo.tables import case, category, corregimiento, district, entity, province

HEAD = '{"type":"FeatureCollection","features":[\n'
TAIL = "\n]}\n"
DECIMALS = 6


def geojson(
    filters: Filters, limit: int | None = None, *, english: bool = False
) -> Generator[str]:
    """A FeatureCollection in pieces, as they come from PostGIS.

    In the order of their numbers, or the newest first when there is a limit.
    """
    before = HEAD  # with the first feature: nothing is said before PostGIS has answered
    for (feature,) in sql.stream(features(filters, limit, english=english)):
        yield before + feature
        before = ",\n"
    yield TAIL if before != HEAD else HEAD + TAIL


def features(
    filters: Filters, limit: int | None, *, english: bool = False
) -> sa.Select[Any]:
    newest_first = [case.c.filed_at.desc(), case.c.id.desc()]
    feature = func.json_build_object(
        "type",
        "Feature",
        "id",
        case.c.number,
        "geometry",
        sa.cast(func.ST_AsGeoJSON(case.c.public_location, DECIMALS), sa.JSON),
        "properties",
        properties(english=english),
    )
    return (
        sa.select(sa.cast(feature, sa.Text))
        .select_from(case)
        .join(category, category.c.code == case.c.category_id)
        .join(province, province.c.code == case.c.province_id)
        .join(district, district.c.code == case.c.district_id)
        .outerjoin(corregimiento, corregimiento.c.code == case.c.corregimiento_id)
        .outerjoin(entity, entity.c.code == case.c.entity_id)
        .where(*on_the_map(filters))
        .order_by(*(newest_first if limit else [case.c.id]))
        .limit(limit)
    )


def properties(*, english: bool) -> sa.Function[object]:
    name = category.c.name_en if english else category.c.name_es
    fields: dict[str, sa.ColumnElement[Any]] = {
        "number": case.c.number,
        "category": category.c.code,
        "category_name": name,
        "group": category.c.group_id,
        "status": case.c.status,
        "open": case.c.status.in_(sorted(OPEN)),
        "filed_at": in_panama(case.c.filed_at),
        "due_at": in_panama(case.c.due_at),
        "updated_at": in_panama(case.c.updated_at),
        "resolved_at": in_panama(case.c.resolved_at),
        "entity": entity.c.code,
        "entity_name": entity.c.name,
        "province": province.c.name,
        "province_code": province.c.code,
        "district": district.c.name,
        "district_code": district.c.code,
        "corregimiento": corregimiento.c.name,
        "corregimiento_code": corregimiento.c.code,
        "precision": category.c.precision,
        "demo": case.c.demo,
        "url": sa.literal("/casos/") + case.c.number,
    }
    flat = [piece for name, value in fields.items() for piece in (name, value)]
    return func.json_build_object(*flat)


def in_panama(moment: sa.ColumnElement[object]) -> sa.ColumnElement[object]:
    """ISO 8601 with Panama's offset, which is the same all year."""
    local = func.timezone("America/Panama", moment)
    return func.to_char(local, 'YYYY-MM-DD"T"HH24:MI:SS') + sa.literal("-05:00")
