"""The open cases closest to a crew."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from geoalchemy2 import Geography
from sqlalchemy import func

from geo import sql
from geo.public_fields import in_panama
from geo.tables import case, category

# Written as in the index `open_cases_by_entity_and_place`, or PostgreSQL would not use it.
ON_THE_GLOBE = Geography("POINT", srid=4326)
# What a walk brings of each case.
TOLD = (
    *("id", "number", "category_id", "status", "version", "description"),
    *("place_hint", "filed_at", "due_at", "location"),
)


class Cursor(NamedTuple):
    """Where the page before ended: metres, and the case's id."""

    metres: float
    id: int


class Near(NamedTuple):
    """A case, its point in degrees (WGS 84) and its distance in metres.

    Moments are as Panama's clocks show them, in ISO 8601.
    """

    id: int
    number: str
    category: str
    category_name: str
    status: str
    version: int
    description: str
    place_hint: str
    filed_at: str
    due_at: str | None
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
    asked = question(len(entities), statuses, paged=after is not None, english=english)
    values = {"lon": lon, "lat": lat, "radius": radius, "most": limit}
    if after:
        values |= {"last_metres": after.metres, "last_id": after.id}
    codes = {f"entity_{n}": code for n, code in enumerate(entities)}
    return [Near(*row) for row in sql.rows(asked, **values, **codes)]


@lru_cache(maxsize=64)
def question(
    entities: int, statuses: frozenset[str], *, paged: bool, english: bool
) -> sql.Compiled:
    """The statement for so many entities, made once: that takes longer than asking it.

    Its parameters: `lon`, `lat`, `radius`, `most`, `entity_0` and so on; and for the page
    after another `last_metres` and `last_id`.
    """
    point = func.ST_MakePoint(
        sql.given("lon", sa.Float()), sql.given("lat", sa.Float())
    )
    here = sa.cast(func.ST_SetSRID(point, 4326), ON_THE_GLOBE)
    location = sa.cast(case.c.location, ON_THE_GLOBE)
    metres = location.op("<->", return_type=sa.Float())(here)
    most = sql.given("most", sa.Integer())
    walks = [
        sa.select(*(case.c[name] for name in TOLD), metres.label("metres"))
        .where(
            case.c.entity_id == sql.given(f"entity_{n}", sa.String()),
            case.c.status.in_(sorted(statuses)),
            *(beyond_last(metres) if paged else []),
        )
        # By distance alone, which is all that PostgreSQL below 17 can walk an index by;
        # whoever is as far as the last comes too, for the order by id below.
        .order_by(metres)
        .fetch(most, with_ties=True)
        for n in range(entities)
    ]
    found = sa.union_all(*(walk.subquery().select() for walk in walks)).subquery()
    return sql.compiled(
        sa.select(
            found.c.id,
            found.c.number,
            found.c.category_id,
            category.c.name_en if english else category.c.name_es,
            found.c.status,
            found.c.version,
            found.c.description,
            found.c.place_hint,
            in_panama(found.c.filed_at),
            in_panama(found.c.due_at),
            func.ST_X(found.c.location),
            func.ST_Y(found.c.location),
            found.c.metres,
        )
        .join(category, category.c.code == found.c.category_id)
        # Not in the walks: PostgreSQL would first find all that are within the radius.
        .where(found.c.metres <= sql.given("radius", sa.Float()))
        .order_by(found.c.metres, found.c.id)
        .limit(most)
    )


def beyond_last(metres: Any) -> list[sa.ColumnElement[bool]]:
    last = sql.given("last_metres", sa.Float()), sql.given("last_id", sa.BigInteger())
    return [sa.tuple_(metres, case.c.id) > sa.tuple_(*last)]
