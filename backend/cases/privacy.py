"""What of a report the public may see: the point, and the words."""

from __future__ import annotations

import re
from math import floor

from django.contrib.gis.geos import Point

from backend.cases.models import Category

# The public grid: about 100 m a side in Panama (99.5 m north-south, 98.4 m east-west at
# 8.5° N). Fixed, never random: the mean of many random points would give the place away.
GRID_DEGREES = 0.0009

EMAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
# A Panamanian identity card (8-123-4567, PE-12-345, E-8-12345, N-19-1234).
IDENTITY_CARD = re.compile(
    r"\b(?:PE|E|N|[0-9]{1,2}(?:AV|PI)?)-\d{1,4}-\d{1,6}\b", re.IGNORECASE
)
# Seven or eight digits, or more with a country code, written in any usual way.
PHONE = re.compile(r"(?<![\w-])\+?(?:\d[\s.()-]?){6,14}\d(?![\w-])")


def public_point(location: Point, category: Category) -> Point | None:
    """A point (WGS 84) at the category's public precision, or none."""
    match category.precision:
        case Category.Precision.EXACT:
            return Point(round(location.x, 6), round(location.y, 6), srid=4326)
        case Category.Precision.GRID:
            return Point(centre(location.x), centre(location.y), srid=4326)
    return None


def centre(degrees: float) -> float:
    """The middle of the grid's cell, to six decimals."""
    return round((floor(degrees / GRID_DEGREES) + 0.5) * GRID_DEGREES, 6)


def without_personal_data(text: str) -> str:
    """The text with e-mail addresses, identity cards and telephone numbers taken out."""
    for pattern in (EMAIL, IDENTITY_CARD, PHONE):
        text = pattern.sub("[…]", text)
    return text
