"""Which of the rows that were counted beforehand answer a question."""

from __future__ import annotations

import sqlalchemy as sa

from geo.filters import Filters
from geo.tables import category

FACET = sa.column("facet", sa.String())


def facets(filters: Filters) -> sa.Subquery | sa.Values:
    """Those of all cases, of an entity's, or of each of some categories."""
    if filters.groups:
        chosen = sa.select(("c/" + category.c.code).label("facet")).where(
            category.c.group_id.in_(filters.groups)
        )
        if filters.categories:
            chosen = chosen.where(category.c.code.in_(filters.categories))
        return chosen.subquery("facets")
    if filters.categories:
        names = [f"c/{code}" for code in filters.categories]
    else:
        names = [f"e/{filters.entity}" if filters.entity else ""]
    return some_facets(names)


def some_facets(names: list[str]) -> sa.Values:
    return sa.values(FACET, name="facets").data([(name,) for name in names])


def by_category(filters: Filters) -> bool:
    return bool(filters.groups or filters.categories)


def is_of_all(filters: Filters) -> bool:
    """Whether all cases of a place count, whosever they are and whatever they are of."""
    return not (by_category(filters) or filters.entity)


def of_entity(table: sa.Table, filters: Filters) -> list[sa.ColumnElement[bool]]:
    """A category's rows are by entity too."""
    asked = filters.entity and by_category(filters)
    return [table.c.entity == filters.entity] if asked else []
