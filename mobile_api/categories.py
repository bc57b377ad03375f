"""What can be reported; with a place, who answers there and by when."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any

import orjson
from django.http import HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.gzip import gzip_page
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.cases.days_off import promised
from backend.cases.deadlines import PANAMA
from backend.cases.models import Category, Group
from mobile_api.cached import IF_NONE_MATCH, NOT_MODIFIED, same_for_all, tag_of
from mobile_api.cases import in_panama, named_entity
from mobile_api.fields import FiniteFloatField
from mobile_api.places import PlaceQuery
from mobile_api.routing import place_view
from mobile_api.schemas import NamedSchema, PlaceSchema
from provinces.editions import edition_in_force
from provinces.places import Place
from provinces.routing import jurisdictions_at

FOR_FIVE_MINUTES = "public, max-age=300, stale-while-revalidate=86400"

Menu = list[tuple[Group, list[Category]]]


class SlaSchema(serializers.Serializer[Any]):
    amount = serializers.IntegerField()
    unit = serializers.ChoiceField(Category.SlaUnit.choices)


class AnsweredSchema(serializers.Serializer[Any]):
    """Only when a place is asked about."""

    entity = NamedSchema(allow_null=True, help_text="null: nobody, by the rules.")
    due_at = serializers.DateTimeField(help_text="Of a report filed now.")


class CategorySchema(serializers.Serializer[Any]):
    code = serializers.CharField()
    name_es = serializers.CharField()
    name_en = serializers.CharField()
    keywords = serializers.ListField(
        child=serializers.CharField(), help_text="Everyday words, in Spanish."
    )
    act = serializers.ChoiceField(Category.Act.choices)
    precision = serializers.ChoiceField(Category.Precision.choices)
    private = serializers.BooleanField()
    emergency_es = serializers.CharField(help_text="Shown before anything is asked.")
    emergency_en = serializers.CharField()
    sla = SlaSchema()
    needs_contact = serializers.BooleanField()
    place_based = serializers.BooleanField()
    answered = AnsweredSchema(required=False)


class GroupSchema(serializers.Serializer[Any]):
    code = serializers.CharField()
    name_es = serializers.CharField()
    name_en = serializers.CharField()
    position = serializers.IntegerField()
    categories = CategorySchema(many=True)


class CatalogueSchema(serializers.Serializer[Any]):
    version = serializers.CharField(help_text="Another one, another catalogue.")
    groups = GroupSchema(many=True)
    place = PlaceSchema(required=False)


class CategoriesQuery(PlaceQuery):
    """A place, or none."""

    lat = FiniteFloatField(min_value=-90, max_value=90, required=False)
    lon = FiniteFloatField(min_value=-180, max_value=180, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        missing = [name for name in ("lat", "lon") if name not in attrs]
        if len(missing) == 1:
            text = self.fields[missing[0]].error_messages["required"]
            raise serializers.ValidationError({missing[0]: text}, code="required")
        return attrs

    @property
    def names_a_place(self) -> bool:
        return "lat" in self.validated_data


@method_decorator(gzip_page, name="dispatch")
class CategoriesView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        parameters=[CategoriesQuery, IF_NONE_MATCH],
        responses={200: CatalogueSchema, **NOT_MODIFIED},
    )
    def get(self, request: Request) -> HttpResponse:
        """The catalogue by group, in both languages; with a place, who answers there."""
        query = CategoriesQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        if not query.names_a_place:
            answer = catalogue(active_by_group())
            return same_for_all(request, answer, FOR_FIVE_MINUTES)
        answer = catalogue_at(active_by_group(), query.place(), timezone.now())
        return Response(answer, headers={"Cache-Control": "no-store"})


def catalogue(menu: Menu) -> dict[str, Any]:
    groups = [
        group_view(group) | {"categories": [category_view(one) for one in categories]}
        for group, categories in menu
    ]
    return {"version": tag_of(orjson.dumps(groups)), "groups": groups}


def catalogue_at(menu: Menu, place: Place, at: datetime) -> dict[str, Any]:
    """The catalogue, each category with who answers for it at a place and by when."""
    answer = catalogue(menu)
    edition = edition_in_force()
    rules = jurisdictions_at(place, at.astimezone(PANAMA).date(), edition)
    for group, (_group, categories) in zip(answer["groups"], menu, strict=True):
        for view, category in zip(group["categories"], categories, strict=True):
            rule = rules.get(category.duty_id)
            view["answered"] = {
                "entity": named_entity(rule.entity) if rule else None,
                "due_at": in_panama(promised(category, at, edition)),
            }
    return answer | {"place": place_view(place)}


def active_by_group() -> Menu:
    """The groups that have something to report, in their order; two statements."""
    by_group: dict[str, list[Category]] = defaultdict(list)
    for category in Category.objects.filter(active=True).order_by("code"):
        by_group[category.group_id].append(category)
    groups = Group.objects.filter(pk__in=by_group)
    return [(group, by_group[group.code]) for group in groups]


def group_view(group: Group) -> dict[str, Any]:
    return {
        "code": group.code,
        "name_es": group.name_es,
        "name_en": group.name_en,
        "position": group.position,
    }


def category_view(category: Category) -> dict[str, Any]:
    return {
        "code": category.code,
        "name_es": category.name_es,
        "name_en": category.name_en,
        "keywords": words_of(category.keywords),
        "act": category.act,
        "precision": category.precision,
        "private": category.private,
        "emergency_es": category.emergency_es,
        "emergency_en": category.emergency_en,
        "sla": {"amount": category.sla_amount, "unit": category.sla_unit},
        "needs_contact": category.act == Category.Act.DENUNCIATION,
        "place_based": category.place_based,
    }


def words_of(keywords: str) -> list[str]:
    return [word for word in map(str.strip, keywords.split(";")) if word]
