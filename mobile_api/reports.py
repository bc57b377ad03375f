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

from backend.accounts.models import Device
from backend.cases.categories import category_of
from backend.cases.filing import Contact, Report, file_case
from backend.cases.models import Case, Category
from backend.cases.photo_headers import MOST_PHOTOS
from backend.cases.workflow import Status
from mobile_api.callers import DeviceAuthentication, device_of_request
from mobile_api.cases import (
    doubts_about_place,
    in_panama,
    named,
    named_entity,
    url_of_case,
)
from mobile_api.fields import (
    FARTHEST_ACCURACY_METRES,
    LONGEST_SECONDS,
    PHONE_NUMBER,
    FiniteFloatField,
    MomentField,
    PointField,
    TextUUIDField,
    from_form,
)
from mobile_api.parsers import PhotosParser, StrictJSONParser
from mobile_api.schemas import FiledSchema, ReportFormSchema, ReportSchema
from mobile_api.throttles import Taken, What, limit
from provinces.editions import edition_in_force

# Nobody takes a photo, places a pin and says what is wrong in less.
SOONEST_SECONDS = 3.0


class ContactSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=160)
    phone = serializers.RegexField(
        PHONE_NUMBER, max_length=30, required=False, allow_blank=True
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
    # The side of a border that was chosen: a district's code.
    district = serializers.CharField(max_length=4, allow_blank=True, default="")
    # A field that no person sees, and how long the form was open, in seconds.
    website = serializers.CharField(max_length=300, allow_blank=True, default="")
    elapsed = FiniteFloatField(
        min_value=0, max_value=LONGEST_SECONDS, allow_null=True, default=None
    )
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


# Made once, for a form takes longer to make than to use: nothing of a report stays in it.
FORM = ReportSerializer()


def looks_automatic(sent: dict[str, Any]) -> bool:
    hasty = sent["elapsed"] is not None and sent["elapsed"] < SOONEST_SECONDS
    return bool(sent["website"]) or hasty


def report_of(sent: dict[str, Any], device: Device | None) -> Report:
    """Raises UnknownCategory."""
    contact = sent["contact"]
    edition = edition_in_force()
    return Report(
        id=sent["id"],
        category=category_of(sent["category"], edition),
        location=sent["location"],
        accuracy=sent["accuracy"],
        description=sent["description"],
        place_hint=sent["place_hint"],
        act=sent["act"],
        contact=Contact(**contact, consent=sent["consent"]) if contact else None,
        captured_at=sent["captured_at"],
        language=sent["language"],
        photos=[photo.file for photo in sent["photo"]],
        district=sent["district"],
        device=device,
        edition=edition,
    )


class ReportsView(APIView):
    authentication_classes = (DeviceAuthentication,)
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
        sent = FORM.run_validation(plain_body(request, ["location", "contact"]))
        report = report_of(sent, device_of_request(request))
        used: list[Taken] = []

        def admit() -> None:
            phone = report.contact.phone if report.contact else ""
            suspicious = looks_automatic(sent)
            used.append(limit(request, What.REPORT, 1, phone, suspicious))

        filed = file_case(report, admit=admit)
        if used and not filed.is_new:
            used.pop().give_back()  # sent twice at once
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
