"""Why a case goes where it goes."""

from __future__ import annotations

from typing import Any

from django.contrib.gis.geos import Point
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.cases.categories import category_of
from mobile_api.cases import named_entity
from mobile_api.fields import FARTHEST_ACCURACY_METRES, FiniteFloatField
from mobile_api.schemas import ExplanationSchema
from mobile_api.tokens import TokenAuthentication
from provinces.models import Jurisdiction
from provinces.places import Named, Neighbour, Place
from provinces.routing import Explanation, Outcome, explain


class ExplainQuery(serializers.Serializer[Any]):
    lat = FiniteFloatField(min_value=-90, max_value=90)
    lon = FiniteFloatField(min_value=-180, max_value=180)
    category = serializers.CharField(max_length=8, help_text="Its code.")
    at = serializers.DateField(
        required=False, help_text="The day the rules are asked for; today, if absent."
    )
    accuracy = FiniteFloatField(
        min_value=0, max_value=FARTHEST_ACCURACY_METRES, default=0, help_text="metres"
    )


class ExplainView(APIView):
    authentication_classes = (TokenAuthentication,)
    permission_classes = (IsAdminUser,)

    @extend_schema(parameters=[ExplainQuery], responses=ExplanationSchema)
    def get(self, request: Request) -> Response:
        """Which rules were looked at for a place, which won and why."""
        query = ExplainQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        category = category_of(asked["category"])
        explanation = explain(
            category.duty,
            Point(asked["lon"], asked["lat"], srid=4326),
            asked.get("at") or timezone.localdate(),
            asked["accuracy"],
        )
        return Response({"category": category.code, **explained(explanation)})


def explained(explanation: Explanation) -> dict[str, Any]:
    rules = {
        considered.jurisdiction: rule_view(considered.jurisdiction, considered.outcome)
        for considered in explanation.considered
    }
    winner, second_best = explanation.winner, explanation.second_best
    return {
        "duty": explanation.duty.code,
        "day": explanation.day,
        "place": place_view(explanation.place),
        "considered": list(rules.values()),
        "winner": rules[winner] if winner else None,
        "second_best": rules[second_best] if second_best else None,
        "nearest_border": neighbour_view(explanation.nearest_border),
    }


def rule_view(rule: Jurisdiction, outcome: Outcome) -> dict[str, Any]:
    return {
        "level": rule.level,
        "place": rule.place,
        "entity": named_entity(rule.entity),
        "valid_from": rule.valid_from,
        "valid_to": rule.valid_to,
        "legal_basis": rule.legal_basis,
        "note": rule.note,
        "confirmed": rule.confirmed,
        "outcome": outcome,
        "why": why(rule, outcome),
    }


def why(rule: Jurisdiction, outcome: Outcome) -> str:
    level = rule.get_level_display()
    match outcome:
        case Outcome.WINS:
            return _("La regla más local en vigor ese día (%s).") % level
        case Outcome.LESS_LOCAL:
            return _("En vigor, pero hay una regla más local que la de %s.") % level
    return _("No está en vigor ese día.")


def place_view(place: Place) -> dict[str, Any]:
    view: dict[str, Any] = {
        "province": named(place.province),
        "district": named(place.district),
        "corregimiento": place.corregimiento and named(place.corregimiento),
    }
    if place.snapped is not None:
        view["snapped"] = place.snapped
    if place.near_border:
        view["near_border"] = neighbour_view(place.near_border)
    return view


def named(place: Named) -> dict[str, str]:
    return {"code": place.code, "name": place.name}


def neighbour_view(near: Neighbour | None) -> dict[str, Any] | None:
    if near is None:
        return None
    return {"code": near.code, "name": near.name, "distance": near.metres}
