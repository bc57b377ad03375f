"""Numbers, points and words from strangers: taken only when they are what they say."""

from __future__ import annotations

from math import isfinite
from typing import Any

import orjson
from django.contrib.gis.geos import Point
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

LONGEST_NUMBER = 40


class FiniteFloatField(serializers.FloatField):
    """A number that is finite; `true` and `"Infinity"` are none."""

    default_error_messages = {"not_finite": _("Debe ser un número finito.")}

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool):
            self.fail("invalid")
        if isinstance(data, str) and len(data) > LONGEST_NUMBER:
            self.fail("max_string_length")
        try:
            number = super().to_internal_value(data)
        except OverflowError:
            self.fail("not_finite")
        if not isfinite(number):
            self.fail("not_finite")
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
