"""Where a point is, before anything is reported there."""

from __future__ import annotations

from typing import Any

from django.contrib.gis.geos import Point
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from mobile_api.fields import FARTHEST_ACCURACY_METRES, FiniteFloatField
from mobile_api.routing import place_view
from mobile_api.schemas import PlaceSchema
from provinces.places import Place, place_at


class PlaceQuery(serializers.Serializer[Any]):
    lat = FiniteFloatField(min_value=-90, max_value=90)
    lon = FiniteFloatField(min_value=-180, max_value=180)
    accuracy = FiniteFloatField(
        min_value=0, max_value=FARTHEST_ACCURACY_METRES, default=0, help_text="metres"
    )
    district = serializers.CharField(
        max_length=4,
        default="",
        allow_blank=True,
        help_text="The side that was chosen: the place's own district or `near_border`.",
    )

    def place(self) -> Place:
        """Raises OutsidePanama, NotThisSide."""
        asked = self.validated_data
        point = Point(asked["lon"], asked["lat"], srid=4326)
        return place_at(point, asked["accuracy"], asked["district"])


class PlaceView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(parameters=[PlaceQuery], responses=PlaceSchema)
    def get(self, request: Request) -> Response:
        """Province or comarca, district and corregimiento; which border is near."""
        query = PlaceQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        # Where somebody stands is nobody else's business.
        headers = {"Cache-Control": "no-store"}
        return Response(place_view(query.place()), headers=headers)
