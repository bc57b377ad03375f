"""The open cases closest to a crew."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa
from geoalchemy2 import Geography
from sqlalchemy import func

from geo import sql
from geo.tables import case, category

# Written as in the index `open_cases_by_entity_and_place`, or PostgreSQL would not use it.
ON_THE_GLOBE = Geography("POINT", srid=4326)


class Cursor(NamedTuple):
    """Where the page before ended: metres, and the case's id."""

    metres: float
    id: int


class Near(NamedTuple):
    """A case, its point in degrees (WGS 84) and its distance in metres."""

    id: int
    number: str
    category: str
    category_name: str
    status: str
    description: str
    place_hint: str
    filed_at: Any
    due_at: Any
    longitude: float
    latitude: float
    metres: float


def nearby(
    entities: list[str],
    lon: float,
    lat: float,
    radius: float,
    statuses: frozenset[str],
    limit: int,
    after: Cursor | None = None,
    *,
    english: bool = False,
) -> list[Near]:
    """Open cases of these entities within `radius` metres of a point, nearest first.

    Distances are on the sphere (0.3 % from the ellipsoid's at most). The index is walked
    outwards from the point, one walk for each entity.
    """
    if not entities:
        return []
    here = sa.cast(func.ST_SetSRID(func.ST_MakePoint(lon, lat), 4326), ON_THE_GLOBE)
    location = sa.cast(case.c.location, ON_THE_GLOBE)
    metres = location.op("<->", return_type=sa.Float())(here)
    walks = [
        sa.select(case.c.id, metres.label("metres"))
        .where(
            case.c.entity_id == entity,
            case.c.status.in_(sorted(statuses)),
            *beyond(after, metres),
        )
        # By distance alone, which is all that PostgreSQL below 17 can walk an index by;
        # whoever is as far as the last comes too, for the order by id below.
        .order_by(metres)
        .fetch(limit, with_ties=True)
        for entity in entities
    ]
    found = sa.union_all(*(walk.subquery().select() for walk in walks)).subquery()
    name = category.c.name_en if english else category.c.name_es
    statement = (
        sa.select(
            case.c.id,
            case.c.number,
            case.c.category_id,
            name,
            case.c.status,
            case.c.description,
            case.c.place_hint,
            case.c.filed_at,
            case.c.due_at,
            func.ST_X(case.c.location),
            func.ST_Y(case.c.location),
            found.c.metres,
        )
        .join(found, found.c.id == case.c.id)
        .join(category, category.c.code == case.c.category_id)
        # Not in the walks: PostgreSQL would first find all that are within the radius.
        .where(found.c.metres <= radius)
        .order_by(found.c.metres, case.c.id)
        .limit(limit)
    )
    return [Near(*row) for row in sql.rows(statement)]


def beyond(after: Cursor | None, metres: Any) -> list[sa.ColumnElement[bool]]:
    if after is None:
        return []
    return [sa.tuple_(metres, case.c.id) > sa.tuple_(after.metres, after.id)]
