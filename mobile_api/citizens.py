"""What citizens do with a case, from their phones."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.accounts.addresses import key_of_range
from backend.cases import citizens
from backend.cases.access import own_case, public_case
from backend.cases.citizens import Complaint, step_of, take_step
from backend.cases.handling import Changed
from backend.cases.models import Case, Flag
from mobile_api.callers import DeviceAuthentication, needed_device
from mobile_api.cases import in_panama
from mobile_api.errors import PinRequired
from mobile_api.etags import IF_MATCH, version_tag, versions_meant
from mobile_api.fields import TextUUIDField
from mobile_api.schemas import (
    FlaggedSchema,
    FlagSchema,
    FollowingSchema,
    FollowSchema,
    NotedStepSchema,
    SteppedSchema,
    StepSchema,
    SupportedSchema,
    SupportSchema,
)
from mobile_api.throttles import What, limit
from provinces.models import reads_english

PIN = OpenApiParameter("X-Case-Pin", str, OpenApiParameter.HEADER)
NEEDED_PIN = OpenApiParameter("X-Case-Pin", str, OpenApiParameter.HEADER, required=True)
NOT_KEPT = {"Cache-Control": "no-store"}


class CitizensView(APIView):
    authentication_classes = (DeviceAuthentication,)
    permission_classes = (AllowAny,)


# ── Anybody with a phone ─────────────────────────────────────────────────────────


class SupportSerializer(serializers.Serializer[Any]):
    id = TextUUIDField()


class SupportView(CitizensView):
    @extend_schema(
        parameters=[PIN],
        request=SupportSchema,
        responses={201: SupportedSchema, 200: SupportedSchema},
    )
    def post(self, request: Request, number: str) -> Response:
        """It affects me too: counted once per phone, which follows the case from now."""
        device = needed_device(request)
        checked(SupportSerializer, request)  # Once per phone, whatever the id.
        taken = limit(request, What.SUPPORT)
        case, own = case_for(request, number)
        is_new = citizens.support(case, device, own=own)
        if not is_new:
            taken.give_back()
        return answered(
            {
                "supports": citizens.supports_of(case),
                "following": citizens.follows(case, device),
            },
            is_new=is_new,
        )


class FollowSerializer(serializers.Serializer[Any]):
    id = TextUUIDField()
    on = serializers.BooleanField()
    email = serializers.EmailField(max_length=254, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "email" in attrs and not attrs["on"]:
            raise serializers.ValidationError(
                {
                    "email": _(
                        "Para dejar de seguirlo, use el enlace que trae cada correo."
                    )
                },
                code="only-to-follow",
            )
        return attrs


class FollowView(CitizensView):
    @extend_schema(
        parameters=[PIN],
        request=FollowSchema,
        responses={201: FollowingSchema, 200: FollowingSchema},
    )
    def post(self, request: Request, number: str) -> Response:
        """Be told on this phone, or not; or ask an address whether it wants to be told."""
        device = needed_device(request)
        sent = checked(FollowSerializer, request)
        taken = limit(request, What.FOLLOW)
        case, own = case_for(request, number)
        email = sent.get("email")
        is_new = False
        if email:
            citizens.invite(case, email, language_asked(), own=own)
        elif sent["on"]:
            is_new = citizens.follow(case, device, own=own)
            if not is_new:
                taken.give_back()
        else:
            citizens.unfollow(case, device)
        return answered(
            {
                "following": citizens.follows(case, device),
                "email_pending": bool(email),
            },
            # Nor does the status tell what an address followed before.
            is_new=is_new,
        )


class FlagSerializer(serializers.Serializer[Any]):
    id = TextUUIDField()
    reason = serializers.ChoiceField(Flag.Reason.choices)
    note = serializers.CharField(max_length=1000, allow_blank=True, default="")
    photo = TextUUIDField(allow_null=True, default=None)


class FlagView(CitizensView):
    @extend_schema(
        parameters=[PIN],
        request=FlagSchema,
        responses={201: FlaggedSchema, 200: FlaggedSchema},
    )
    def post(self, request: Request, number: str) -> Response:
        """Say that a case, or a photo of it, shows what it should not: a person looks."""
        device = needed_device(request)
        complaint = Complaint(**checked(FlagSerializer, request))
        taken = limit(request, What.FLAG)
        case, _own = case_for(request, number)
        is_new = citizens.flag(case, device, complaint)
        if not is_new:
            taken.give_back()
        return answered({"flagged": True}, is_new=is_new)


# ── Whoever reported it ──────────────────────────────────────────────────────────


class StepSerializer(serializers.Serializer[Any]):
    id = TextUUIDField()
    note = serializers.CharField(max_length=4000, allow_blank=True, default="")


class StepView(CitizensView):
    action: ClassVar[str]

    def post(self, request: Request, number: str) -> Response:
        sent = checked(StepSerializer, request)
        taken = limit(request, What.ACT)
        case = case_by_pin(request, number)
        step = step_of(self.action, sent["id"], sent["note"])
        changed = take_step(case, step, meant_for=versions_meant(request))
        if not changed.is_new:
            taken.give_back()
        return answered(
            stepped_view(case, changed),
            is_new=changed.is_new,
            headers={"ETag": version_tag(changed.version)},
        )


def described(said: str, body: type[serializers.Serializer[Any]]) -> Any:
    return extend_schema_view(
        post=extend_schema(
            description=said,
            parameters=[NEEDED_PIN, IF_MATCH],
            request=body,
            responses={201: SteppedSchema, 200: SteppedSchema},
        )
    )


@described("It is done: a resolved case is closed for good.", StepSchema)
class ConfirmView(StepView):
    action = "confirm"


@described(
    "It is not done: the note says what is missing. Not long after it was closed.",
    NotedStepSchema,
)
class ReopenView(StepView):
    action = "reopen"


@described("What was asked is in the note.", NotedStepSchema)
class AnswerView(StepView):
    action = "answer"


@described("Withdraw an open case.", StepSchema)
class CancelView(StepView):
    action = "cancel"


def stepped_view(case: Case, changed: Changed) -> dict[str, Any]:
    return {
        "number": case.number,
        "status": changed.change.status,
        "status_name": changed.change.get_status_display(),
        "version": changed.version,
        "changed_at": in_panama(changed.change.changed_at),
    }


# ── What all of them share ───────────────────────────────────────────────────────


def checked(serializer: type[serializers.Serializer[Any]], request: Request) -> Any:
    read = serializer(data=request.data)
    read.is_valid(raise_exception=True)
    return read.validated_data


def case_for(request: Request, number: str) -> tuple[Case, bool]:
    """A case that the caller may see, and whether it is their own."""
    pin = request.headers.get("X-Case-Pin")
    return (
        (own_case(number, pin, key_of_range(request)), True)
        if pin
        else (public_case(number), False)
    )


def case_by_pin(request: Request, number: str) -> Case:
    pin = request.headers.get("X-Case-Pin")
    if not pin:
        public_case(number)  # A private one is not there.
        raise PinRequired
    return own_case(number, pin, key_of_range(request))


def language_asked() -> str:
    return "en" if reads_english() else "es"


def answered(
    answer: dict[str, Any], *, is_new: bool, headers: dict[str, str] | None = None
) -> Response:
    return Response(
        answer,
        status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK,
        headers={**NOT_KEPT, **(headers or {})},
    )
