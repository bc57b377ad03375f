"""A case, as the public may see it and as its reporter may."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.utils import (
    OpenApiParameter,
    PolymorphicProxySerializer,
    extend_schema,
)
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.accounts.addresses import key_of_range
from backend.cases.access import own_case, public_case
from backend.cases.citizens import possible, question_to, supports_of
from backend.cases.deadlines import PANAMA
from backend.cases.models import Case, Photo, Reporter, StatusChange
from backend.cases.my_data import contact_data
from backend.cases.personal_data import reporter_of
from backend.cases.photo_links import url_of
from backend.cases.photos import shown
from backend.cases.workflow import Status
from mobile_api.cached import IF_NONE_MATCH, NOT_MODIFIED
from mobile_api.etags import unless_seen
from mobile_api.fields import PointField
from mobile_api.schemas import CaseSchema, OwnCaseSchema
from provinces.models import Corregimiento, District, Entity, Province, reads_english

PublicOrOwn = PolymorphicProxySerializer(
    component_name="PublicOrOwnCase",
    serializers=[CaseSchema, OwnCaseSchema],
    resource_type_field_name=None,
)


class CaseView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        parameters=[
            OpenApiParameter("pin", str, description="Six digits."),
            OpenApiParameter("X-Case-Pin", str, OpenApiParameter.HEADER),
            IF_NONE_MATCH,
        ],
        responses={200: PublicOrOwn, **NOT_MODIFIED},
    )
    def get(self, request: Request, number: str) -> HttpResponseBase:
        """The public view of a case; with its PIN, everything the reporter may know."""
        pin = request.headers.get("X-Case-Pin") or request.query_params.get("pin")
        if pin:
            case = own_case(number, pin, key_of_range(request))
            answer = own_view(case, request)
            return unless_seen(request, case, answer, {"Cache-Control": "no-store"})
        case = public_case(number)
        # The same address answers otherwise to who sends a pin.
        headers = {
            "Cache-Control": "public, max-age=30",
            "Vary": "X-Case-Pin, Accept-Language, Cookie",
        }
        return unless_seen(request, case, public_view(case, request), headers)


def public_view(case: Case, request: Request) -> dict[str, Any]:
    """What anyone may know: an allow-list, field by field."""
    point = case.public_location
    return {
        "number": case.number,
        "version": case.version,
        "status": case.status,
        "status_name": case.get_status_display(),
        "open": case.is_open,
        "category": case.category_id,
        "category_name": str(case.category),
        "group": case.category.group_id,
        "description": case.public_description,
        "entity": named_entity(case.entity),
        "province": named(case.province),
        "district": named(case.district),
        # Without a public point, nothing smaller than the district either.
        "corregimiento": named(case.corregimiento) if point else None,
        "location": PointField().to_representation(point) if point else None,
        "precision": case.category.precision,
        "filed_at": in_panama(case.filed_at),
        "due_at": in_panama(case.due_at),
        "updated_at": in_panama(case.updated_at),
        "resolved_at": in_panama(case.resolved_at),
        "history": [public_line(line) for line in case.history.all()],
        "photos": [photo_of(photo, request) for photo in shown(case)],
        "supports": supports_of(case),
        "demo": case.demo,
        "url": url_of_case(case, request),
    }


def own_view(case: Case, request: Request) -> dict[str, Any]:
    """What the reporter may know besides."""
    return {
        **public_view(case, request),
        "description": case.description,
        "place_hint": case.place_hint,
        "act": case.act,
        "location": PointField().to_representation(case.location),
        "accuracy": case.accuracy,
        "captured_at": in_panama(case.captured_at),
        "corregimiento": named(case.corregimiento),
        **doubts_about_place(case),
        "history": [
            {**public_line(line), "note": line.note} for line in case.history.all()
        ],
        "photos": [photo_of(photo, request) for photo in shown(case, own=True)],
        "can": possible(case),
        "question": question_to(case),
        "contact": own_contact(reporter_of(case)),
    }


def own_contact(reporter: Reporter | None) -> dict[str, Any] | None:
    """`unavailable` where the contact is there, but cannot be read now."""
    contact = contact_data(reporter)
    return contact and {**contact, "consent": reporter and reporter.consent}


def public_line(line: StatusChange) -> dict[str, Any]:
    return {
        "status": line.status,
        "status_name": line.get_status_display(),
        "note": line.public_note,
        "changed_at": in_panama(line.changed_at),
    }


def photo_of(photo: Photo, request: Request) -> dict[str, Any]:
    ready = photo.state == Photo.State.READY
    image, thumbnail = (
        request.build_absolute_uri(url_of(photo, thumbnail=small)) if ready else None
        for small in (False, True)
    )
    return {
        "id": str(photo.pk),
        "state": photo.state,
        "url": image,
        "thumbnail": thumbnail,
        "width": photo.width,
        "height": photo.height,
        "of": photo.change.status if photo.change else Status.RECEIVED,
    }


def doubts_about_place(case: Case) -> dict[str, Any]:
    """`snapped` in metres, and the district that may be meant instead, where so."""
    doubts: dict[str, Any] = {}
    if case.snapped is not None:
        doubts["snapped"] = case.snapped
    if case.near_border:
        doubts["near_border"] = {
            **named(case.near_border),
            "distance": case.near_border_metres,
        }
    return doubts


def named(place: Province | District | Corregimiento | None) -> Any:
    return place and {"code": place.code, "name": place.name}


def named_entity(entity: Entity | None) -> dict[str, str] | None:
    if entity is None:
        return None
    english = reads_english() and entity.name_en
    return {"code": entity.code, "name": english or entity.name}


def in_panama(moment: datetime | None) -> str | None:
    return moment.astimezone(PANAMA).isoformat(timespec="seconds") if moment else None


def url_of_case(case: Case, request: Request) -> str:
    return request.build_absolute_uri(f"/casos/{case.number}")
