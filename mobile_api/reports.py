"""A report arrives."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.cases.filing import Contact, Report, file_case
from backend.cases.models import Case, Category
from backend.cases.photos import MOST_PHOTOS
from backend.cases.workflow import Status
from mobile_api.cases import (
    doubts_about_place,
    in_panama,
    named,
    named_entity,
    url_of_case,
)
from mobile_api.errors import UnknownCategory
from mobile_api.fields import (
    FiniteFloatField,
    MomentField,
    PointField,
    TextUUIDField,
    from_form,
)
from mobile_api.parsers import PhotosParser, StrictJSONParser
from mobile_api.schemas import FiledSchema, ReportFormSchema, ReportSchema

FARTHEST_ACCURACY_METRES = 100_000


class ContactSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=160)
    phone = serializers.RegexField(
        r"^\+?[\d\s().-]{7,30}$", max_length=30, required=False, allow_blank=True
    )
    email = serializers.EmailField(required=False, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.get("phone") and not attrs.get("email"):
            raise serializers.ValidationError(
                _("Hace falta un teléfono o un correo."), code="phone-or-email"
            )
        return attrs


class ReportSerializer(serializers.Serializer[Any]):
    id = TextUUIDField()
    category = serializers.CharField(max_length=8)
    location = PointField()
    accuracy = FiniteFloatField(
        min_value=0, max_value=FARTHEST_ACCURACY_METRES, allow_null=True, default=None
    )
    captured_at = MomentField(allow_null=True, default=None)
    description = serializers.CharField(max_length=4000, allow_blank=True, default="")
    place_hint = serializers.CharField(max_length=300, allow_blank=True, default="")
    act = serializers.ChoiceField(Category.Act.choices, allow_blank=True, default="")
    contact = ContactSerializer(required=False, allow_null=True, default=None)
    consent = serializers.CharField(max_length=40, allow_blank=True, default="")
    # Not the language of the headers: the same body under other headers is the same.
    language = serializers.ChoiceField(["es", "en"], default="es")
    photo = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True),
        max_length=MOST_PHOTOS,
        default=list,
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["contact"] and not attrs["consent"]:
            raise serializers.ValidationError(
                {"consent": _("Con un contacto hace falta el consentimiento.")},
                code="required",
            )
        return attrs

    def to_report(self) -> Report:
        """Raises UnknownCategory."""
        sent = self.validated_data
        contact = sent["contact"]
        return Report(
            id=sent["id"],
            category=category_of(sent["category"]),
            location=sent["location"],
            accuracy=sent["accuracy"],
            description=sent["description"],
            place_hint=sent["place_hint"],
            act=sent["act"],
            contact=Contact(**contact, consent=sent["consent"]) if contact else None,
            captured_at=sent["captured_at"],
            language=sent["language"],
            photos=[photo.file for photo in sent["photo"]],
        )


class ReportsView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    parser_classes = (StrictJSONParser, PhotosParser)

    @extend_schema(
        request={
            "application/json": ReportSchema,
            "multipart/form-data": ReportFormSchema,
        },
        responses={201: FiledSchema, 200: FiledSchema},
    )
    def post(self, request: Request) -> Response:
        """File a report, once per id: sent again, it gets the same answer with 200."""
        serializer = ReportSerializer(data=plain_body(request, ["location", "contact"]))
        serializer.is_valid(raise_exception=True)
        filed = file_case(serializer.to_report())
        code = status.HTTP_201_CREATED if filed.is_new else status.HTTP_200_OK
        headers = {"Cache-Control": "no-store"}
        if not filed.is_new:
            headers["Idempotent-Replayed"] = "true"
        return Response(receipt(filed.case, request), status=code, headers=headers)


def plain_body(request: Request, written_as_json: list[str]) -> Any:
    """The body as one shape, whether it came as JSON or as a form with photos."""
    body: Any = request.data
    if not hasattr(body, "getlist"):
        return body
    fields: dict[str, Any] = {name: body.get(name) for name in body}
    for name in written_as_json:
        if name in fields:
            fields[name] = from_form(fields[name])
    # Also what came as text, to be refused: it would be a photo lost without a word.
    fields["photo"] = [*body.getlist("photo"), *body.getlist("photos")]
    return fields


def category_of(code: str) -> Category:
    try:
        return Category.objects.select_related("duty", "group").get(
            code=code, active=True
        )
    except Category.DoesNotExist as unknown:
        raise UnknownCategory(code) from unknown


def receipt(case: Case, request: Request) -> dict[str, Any]:
    """What was filed, as it was then: the same however often the phone asks."""
    return {
        "number": case.number,
        "pin": case.pin,
        "status": Status.RECEIVED,
        "category": case.category_id,
        "category_name": str(case.category),
        "entity": named_entity(case.entity),
        "province": named(case.province),
        "district": named(case.district),
        "corregimiento": named(case.corregimiento),
        **doubts_about_place(case),
        "filed_at": in_panama(case.filed_at),
        "due_at": in_panama(case.due_at),
        "url": url_of_case(case, request),
    }
