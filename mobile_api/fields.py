"""Numbers, points and words from strangers: taken only when they are what they say."""

from __future__ import annotations

import re
from datetime import datetime
from math import isfinite
from typing import Any
from uuid import UUID

import orjson
from django.contrib.gis.geos import Point
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

FARTHEST_ACCURACY_METRES = 100_000
LONGEST_SECONDS = 1e9
PHONE_NUMBER = r"^\+?[\d\s().-]{7,30}$"
# In a form and in an address numbers are text; Python would also read "1_0" and "١٢".
WRITTEN = re.compile(r"\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)


class TextUUIDField(serializers.UUIDField):
    """A UUID in its text; DRF would also make one of `5`, or of `true`."""

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class MomentField(serializers.DateTimeField):
    """A moment by the phone's clock, however wrong, that the database can keep."""

    def to_internal_value(self, data: Any) -> datetime:
        try:
            return super().to_internal_value(data)
        except OverflowError:
            self.fail("overflow")


class FiniteFloatField(serializers.FloatField):
    """A finite number; `true` is none, nor is what Python alone reads as one."""

    MAX_STRING_LENGTH = 40

    def to_internal_value(self, data: Any) -> float:
        number = super().to_internal_value(data)
        is_text = isinstance(data, str)
        if isinstance(data, bool) or (is_text and not WRITTEN.fullmatch(data)):
            self.fail("invalid")
        return number


class PointField(serializers.Field[Point, Any, dict[str, Any], Any]):
    """A GeoJSON Point of two finite numbers in degrees (WGS 84), and nothing else."""

    default_error_messages = {
        "not_a_point": _("Debe ser un Point de GeoJSON con longitud y latitud."),
        "crs": _("Un punto se escribe en WGS 84: «crs» no se admite."),
        "two_dimensions": _("Un punto tiene dos números: longitud y latitud."),
        "not_numbers": _("La longitud y la latitud son números finitos."),
        "out_of_range": _("La longitud va de -180 a 180 y la latitud de -90 a 90."),
    }

    def to_internal_value(self, data: Any) -> Point:
        data = from_form(data)
        if not isinstance(data, dict) or data.get("type") != "Point":
            self.fail("not_a_point")
        if "crs" in data:
            self.fail("crs")
        coordinates = data.get("coordinates")
        if not isinstance(coordinates, list) or len(coordinates) != 2:
            self.fail("two_dimensions")
        if not all(is_number(number) for number in coordinates):
            self.fail("not_numbers")
        lon, lat = map(float, coordinates)
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            self.fail("out_of_range")
        return Point(lon, lat, srid=4326)

    def to_representation(self, value: Point) -> dict[str, Any]:
        return {"type": "Point", "coordinates": [value.x, value.y]}


def is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    # An integer of thousands of digits is no float at all.
    return -1000 <= value <= 1000 and isfinite(value)


def from_form(data: Any) -> Any:
    """In a form, what is not text is written as JSON."""
    if not isinstance(data, str):
        return data
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
