"""What can be reported now, in memory under the number of the rules in force."""

from __future__ import annotations

from functools import lru_cache

from backend.cases.models import Category
from provinces.editions import Edition, edition_in_force


class UnknownCategory(Exception):
    """No category that is in use has this code."""


def category_of(code: str, edition: Edition | None = None) -> Category:
    """The active category, with its duty and group; everybody's, so never to be changed.

    `edition` is the one in force, for who knows it already. Raises UnknownCategory.
    """
    found = categories_of((edition or edition_in_force()).rules).get(code)
    if found is None:
        raise UnknownCategory(code)
    return found


@lru_cache(maxsize=2)
def categories_of(rules: int) -> dict[str, Category]:
    active = Category.objects.filter(active=True).select_related("duty", "group")
    return {category.code: category for category in active}
