"""Which open case may be the same problem as the one somebody is about to report."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import cos, radians
from typing import Any

from django.contrib.gis.db.models.functions import Distance
from django.contrib.gis.geos import Point, Polygon
from django.contrib.gis.measure import D
from django.db.models import Count, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from backend.cases.models import Case, CaseQuerySet, Category, Photo, Support

MOST = 10
# Less than a degree has anywhere on the globe: a box of degrees is never too small.
METRES_PER_DEGREE = 110_000


def similar(
    category: Category, location: Point, at: datetime | None = None
) -> list[Case]:
    """Open public cases that may be the same, nearest first, with `metres`, `supporters`
    and `shown_photos`.

    Of the same duty, so that whoever answers for one answers for the other; as near and
    as new as the category says. Metres are to the case's public point, which is all that
    anybody could measure; one without such a point is never among them, and a private
    category has no neighbours.
    """
    if category.private:
        return []
    return list(
        candidates(category, location, at or timezone.now())
        .with_names()
        .annotate(supporters=Coalesce(Subquery(counted_supports()), 0))
        .prefetch_related(
            Prefetch(
                "photos",
                Photo.objects.filter(released_at__isnull=False),
                to_attr="shown_photos",
            )
        )[:MOST]
    )


def candidates(category: Category, location: Point, at: datetime) -> CaseQuerySet:
    radius = category.similar_metres
    return (
        Case.objects.public()
        .open()
        .filter(
            # By the index of places; then, of the few in the box, by the metre.
            public_location__bboverlaps=box_around(location, radius),
            category__duty=category.duty_id,
            filed_at__gte=at - timedelta(days=category.similar_days),
        )
        .annotate(metres=Distance("public_location", location))
        .filter(metres__lte=D(m=radius))
        .order_by("metres", "pk")
    )


def box_around(middle: Point, metres: float) -> Polygon:
    """All within so many metres, and some more: degrees, WGS 84."""
    high = metres / METRES_PER_DEGREE
    # Towards the poles a degree of longitude shrinks to nothing.
    wide = high / max(cos(radians(middle.y)), 0.01)
    return rectangle(middle.x - wide, middle.y - high, middle.x + wide, middle.y + high)


def rectangle(west: float, south: float, east: float, north: float) -> Polygon:
    """Its sides in degrees, WGS 84."""
    corners = ((west, south), (west, north), (east, north), (east, south))
    return Polygon((*corners, corners[0]), srid=4326)


def counted_supports() -> QuerySet[Any, Any]:
    of_one = Support.objects.filter(case=OuterRef("pk")).order_by().values("case")
    return of_one.annotate(many=Count("pk")).values("many")
