"""The WHEREs that the map's questions share."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import func

from backend.cases.workflow import OPEN, RESOLVED
from geo.cells import Box as Box
from geo.tables import case, category

# `all` asks nothing of the status: those rejected, merged or withdrawn are in it too.
STATES = {"open": OPEN, "resolved": RESOLVED, "all": None}


@dataclass(frozen=True)
class Filters:
    """What a reader of the map asks for. `place` is a code of any level."""

    state: str = "all"
    box: Box | None = None
    categories: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    entity: str = ""
    place: str = ""
    since: datetime | None = None
    until: datetime | None = None
    changed_since: datetime | None = None


PLACE_COLUMNS = {2: "province_id", 4: "district_id", 6: "corregimiento_id"}


def on_the_map(
    filters: Filters, cases: sa.FromClause = case
) -> list[sa.ColumnElement[bool]]:
    """The conditions of the public cases that these filters leave; `cases` are all or some.

    Every public question begins here: a case without a public point is in none.
    """
    conditions: list[sa.ColumnElement[bool]] = [
        cases.c.public_location.is_not(None),
        cases.c.is_public,
    ]
    statuses = STATES[filters.state]
    if statuses is not None:
        conditions.append(cases.c.status.in_(sorted(statuses)))
    if filters.box:
        conditions.append(cases.c.public_location.op("&&")(envelope(filters.box)))
    return [*conditions, *of_what(filters, cases), *when(filters, cases)]


def of_what(filters: Filters, cases: sa.FromClause) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if filters.categories:
        conditions.append(cases.c.category_id.in_(filters.categories))
    if filters.groups:
        conditions.append(cases.c.category_id.in_(members_of(filters.groups)))
    if filters.entity:
        conditions.append(cases.c.entity_id == filters.entity)
    if filters.place:
        column = cases.c[PLACE_COLUMNS[len(filters.place)]]
        conditions.append(column == filters.place)
    return conditions


def members_of(groups: tuple[str, ...]) -> sa.Select[tuple[str]]:
    """The codes of the categories of these groups."""
    return sa.select(category.c.code).where(category.c.group_id.in_(groups))


def when(filters: Filters, cases: sa.FromClause) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if filters.since:
        conditions.append(cases.c.filed_at >= filters.since)
    if filters.until:
        conditions.append(cases.c.filed_at < filters.until)
    if filters.changed_since:
        conditions.append(cases.c.updated_at >= filters.changed_since)
    return conditions


def envelope(box: Box) -> sa.ColumnElement[object]:
    return func.ST_MakeEnvelope(box.west, box.south, box.east, box.north, 4326)
