"""Is it the same problem? What is open nearby, before one reports it again."""

from __future__ import annotations

from typing import Any

from django.contrib.gis.geos import Point
from django.utils.text import Truncator
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.cases.categories import category_of
from backend.cases.photo_links import url_of
from backend.cases.similar import similar
from mobile_api.cases import in_panama, url_of_case
from mobile_api.fields import FiniteFloatField
from mobile_api.schemas import SimilarSchema

# Enough to know one's own pothole by; ten whole stories would cost a prepaid phone.
LONGEST_DESCRIPTION = 280


class SimilarQuery(serializers.Serializer[Any]):
    lat = FiniteFloatField(min_value=-90, max_value=90)
    lon = FiniteFloatField(min_value=-180, max_value=180)
    category = serializers.CharField(max_length=8, help_text="Its code.")


class SimilarView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(parameters=[SimilarQuery], responses=SimilarSchema)
    def get(self, request: Request) -> Response:
        """Open public cases that may be the same, nearest first, ten at most."""
        query = SimilarQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        category = category_of(asked["category"])
        found = similar(category, Point(asked["lon"], asked["lat"], srid=4326))
        return Response(
            {
                "cases": [similar_view(case, request) for case in found],
                "radius": category.similar_metres,
            },
            # The address says where somebody stands: nobody is to keep it.
            headers={"Cache-Control": "no-store"},
        )


def similar_view(case: Any, request: Request) -> dict[str, Any]:
    """What anyone may know, and how far it is: an allow-list, field by field."""
    return {
        "number": case.number,
        "category": case.category_id,
        "category_name": str(case.category),
        "status": case.status,
        "status_name": case.get_status_display(),
        "distance": round(case.metres.m, 1),
        "filed_at": in_panama(case.filed_at),
        "supports": case.supporters,
        "description": Truncator(case.public_description).chars(LONGEST_DESCRIPTION),
        "thumbnail": thumbnail_of(case, request),
        "url": url_of_case(case, request),
    }


def thumbnail_of(case: Any, request: Request) -> str | None:
    photo = next(iter(case.shown_photos), None)
    return photo and request.build_absolute_uri(url_of(photo, thumbnail=True))
