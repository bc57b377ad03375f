"""The cases near a crew, and moving them on."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.accounts.models import User
from backend.cases.access import case_to_handle
from backend.cases.handling import Changed, Transition, change_status
from backend.cases.models import Case
from backend.cases.photo_headers import MOST_PHOTOS
from backend.cases.workflow import OPEN, Status
from geo.nearby import Cursor, Near, nearby
from mobile_api.cases import in_panama
from mobile_api.etags import IF_MATCH, version_tag, versions_meant
from mobile_api.fields import FiniteFloatField, MomentField, TextUUIDField
from mobile_api.parsers import PhotosParser, StrictJSONParser
from mobile_api.reports import plain_body
from mobile_api.schemas import (
    STEPS_OF_CREWS,
    ChangedSchema,
    NearbySchema,
    TransitionFormSchema,
    TransitionSchema,
)
from mobile_api.tokens import TokenAuthentication
from provinces.models import reads_english

FARTHEST_METRES = 500_000
MOST_ROWS = 100
CASE_IDS = range(1, 2**63)  # what PostgreSQL calls a bigint


class NearbyQuery(serializers.Serializer[Any]):
    lat = FiniteFloatField(min_value=-90, max_value=90)
    lon = FiniteFloatField(min_value=-180, max_value=180)
    radius = FiniteFloatField(
        min_value=1, max_value=FARTHEST_METRES, default=5_000, help_text="metres"
    )
    status = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=200,
        help_text="Open ones, with commas between; all of them, if absent.",
    )
    limit = serializers.IntegerField(
        min_value=1, max_value=MOST_ROWS, default=50, help_text="Cases on one page."
    )
    cursor = serializers.CharField(
        default="", allow_blank=True, max_length=100, help_text="From `next`."
    )

    def validate_status(self, value: str) -> frozenset[str]:
        wanted = frozenset(filter(None, value.split(",")))
        if wanted - OPEN:
            raise serializers.ValidationError(
                _("Los estados abiertos son: %s") % ", ".join(sorted(OPEN)),
                code="not-open",
            )
        return wanted or OPEN

    def validate_cursor(self, value: str) -> Cursor | None:
        return read_cursor(value) if value else None


# Made once, as `reports.FORM` is.
QUERY = NearbyQuery()


class NearbyView(APIView):
    authentication_classes = (TokenAuthentication,)
    permission_classes = (IsAuthenticated,)

    @extend_schema(parameters=[NearbyQuery], responses=NearbySchema)
    def get(self, request: Request) -> Response:
        """The open cases of the crew's own entities, nearest first, as GeoJSON."""
        asked = QUERY.run_validation(request.query_params)
        found = nearby(
            crew(request).entity_codes(),
            asked["lon"],
            asked["lat"],
            asked["radius"],
            asked["status"],
            asked["limit"],
            asked["cursor"],
            english=reads_english(),
        )
        more = len(found) == asked["limit"]
        return Response(
            {
                "type": "FeatureCollection",
                "features": [feature(near) for near in found],
                "next": next_page(request, found[-1]) if more else None,
            },
            headers={"Cache-Control": "no-store"},
        )


class TransitionSerializer(serializers.Serializer[Any]):
    id = TextUUIDField()
    to = serializers.ChoiceField(STEPS_OF_CREWS)
    note = serializers.CharField(max_length=4000, allow_blank=True, default="")
    at = MomentField(allow_null=True, default=None)
    photo = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True),
        max_length=MOST_PHOTOS,
        default=list,
    )

    def to_transition(self) -> Transition:
        sent = self.validated_data
        return Transition(
            id=sent["id"],
            to=Status(sent["to"]),
            note=sent["note"],
            at=sent["at"],
            photos=[photo.file for photo in sent["photo"]],
        )


class TransitionsView(APIView):
    authentication_classes = (TokenAuthentication,)
    permission_classes = (IsAuthenticated,)
    parser_classes = (StrictJSONParser, PhotosParser)

    @extend_schema(
        parameters=[IF_MATCH],
        request={
            "application/json": TransitionSchema,
            "multipart/form-data": TransitionFormSchema,
        },
        responses={201: ChangedSchema, 200: ChangedSchema},
    )
    def post(self, request: Request, number: str) -> Response:
        """Move a case on, once per transition id.

        Not with `If-Match`, when somebody else has meanwhile: 412.
        """
        case = case_to_handle(crew(request), number)
        serializer = TransitionSerializer(data=plain_body(request, []))
        serializer.is_valid(raise_exception=True)
        changed = change_status(
            case,
            serializer.to_transition(),
            by=crew(request),
            meant_for=versions_meant(request),
        )
        code = status.HTTP_201_CREATED if changed.is_new else status.HTTP_200_OK
        return Response(
            changed_view(case, changed),
            status=code,
            headers={"ETag": version_tag(changed.version)},
        )


def crew(request: Request) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - IsAuthenticated has let it in
    return request.user


def changed_view(case: Case, changed: Changed) -> dict[str, Any]:
    change = changed.change
    return {
        "number": case.number,
        "status": change.status,
        "status_name": change.get_status_display(),
        "note": change.note,
        "at": in_panama(change.reported_at),
        "changed_at": in_panama(change.changed_at),
        "version": changed.version,
    }


def feature(near: Near) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": near.number,
        "geometry": {
            "type": "Point",
            "coordinates": [near.longitude, near.latitude],
        },
        "properties": {
            "number": near.number,
            "category": near.category,
            "category_name": near.category_name,
            "status": near.status,
            "version": near.version,
            "description": near.description,
            "place_hint": near.place_hint,
            "filed_at": near.filed_at,
            "due_at": near.due_at,
            "distance": round(near.metres, 1),
        },
    }


def next_page(request: Request, last: Near) -> str:
    query = request.query_params.copy()
    query["cursor"] = write_cursor(Cursor(last.metres, last.id))
    return request.build_absolute_uri(f"{request.path}?{urlencode(query.dict())}")


def write_cursor(cursor: Cursor) -> str:
    text = f"{cursor.metres!r}:{cursor.id}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def read_cursor(text: str) -> Cursor:
    try:
        metres, case_id = base64.urlsafe_b64decode(text).decode().split(":")
        if int(case_id) not in CASE_IDS:
            raise ValueError(case_id)
        return Cursor(FiniteFloatField().to_internal_value(metres), int(case_id))
    except (ValueError, serializers.ValidationError) as broken:
        raise serializers.ValidationError(
            _("El cursor no es de esta lista."), code="invalid-cursor"
        ) from broken
