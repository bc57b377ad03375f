"""Which of the rows that were counted beforehand answer a question."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import array

from geo.filters import Filters
from geo.tables import category, heat_group

FACET = sa.column("facet", sa.String())


def facets(filters: Filters) -> sa.Subquery | sa.Values:
    """Those of all cases, of an entity's, or of each of some groups or categories."""
    if filters.groups:
        return of_groups(filters)
    if filters.categories:
        names = [f"c/{code}" for code in filters.categories]
    else:
        names = [f"e/{filters.entity}" if filters.entity else ""]
    return some_facets(names)


def of_groups(filters: Filters) -> sa.Subquery:
    code, group = category.c.code, category.c.group_id
    conditions = [group.in_(filters.groups)]
    facet: sa.ColumnElement[str] = "c/" + code
    if filters.categories:
        conditions.append(code.in_(filters.categories))
    elif not filters.entity:
        facet = sa.case((group.in_(changed_groups()), facet), else_="g/" + group)
    chosen = sa.select(facet.label("facet")).where(*conditions)
    return chosen.distinct().subquery("facets")


def changed_groups() -> sa.Select[tuple[str]]:
    """The groups that a category has left or joined since they were counted.

    Or one that had been counted before groups were: see `HeatGroup`.
    """
    counted_in, group = heat_group.c.counted_in, category.c.group_id
    both = category.outerjoin(
        heat_group, heat_group.c.category == category.c.code, full=True
    )
    return (
        sa.select(sa.func.unnest(array([group, counted_in])))
        .select_from(both)
        .where(counted_in.is_distinct_from(group))
    )


def some_facets(names: list[str]) -> sa.Values:
    return sa.values(FACET, name="facets").data([(name,) for name in names])


def by_category(filters: Filters) -> bool:
    return bool(filters.groups or filters.categories)


def of_entity(table: sa.Table, filters: Filters) -> list[sa.ColumnElement[bool]]:
    """The rows of categories are by entity too, and tell those of a group's."""
    asked = filters.entity and by_category(filters)
    return [table.c.entity == filters.entity] if asked else []
