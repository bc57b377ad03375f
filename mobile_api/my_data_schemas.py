"""The shape of what a person takes along, for the OpenAPI document."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from backend.cases.models import Category
from backend.cases.workflow import Status
from mobile_api.schemas import (
    HistoryLineSchema,
    KeptContactSchema,
)


class HeldContactSchema(KeptContactSchema):
    unavailable = serializers.BooleanField(required=False)


class HeldConsentSchema(serializers.Serializer[Any]):
    version = serializers.CharField()
    accepted_at = serializers.DateTimeField()
    text = serializers.CharField(allow_null=True)


class HeldCaseSchema(serializers.Serializer[Any]):
    number = serializers.CharField()
    category = serializers.CharField()
    category_name = serializers.CharField()
    act = serializers.ChoiceField(Category.Act.choices)
    status = serializers.ChoiceField(Status.choices)
    status_name = serializers.CharField()
    filed_at = serializers.DateTimeField()


def degrees(**options: Any) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.FloatField(),
        min_length=2,
        max_length=2,
        help_text="Longitude, latitude: degrees, WGS 84.",
        **options,
    )


class HeldReportSchema(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    description = serializers.CharField()
    place_hint = serializers.CharField()
    location = degrees()
    accuracy = serializers.FloatField(allow_null=True, help_text="metres")
    captured_at = serializers.DateTimeField(allow_null=True)
    language = serializers.ChoiceField(["es", "en"])


class HeldPhotoSchema(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    state = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    added_at = serializers.DateTimeField()
    taken_at = serializers.DateTimeField(allow_null=True)
    taken_location = degrees(allow_null=True)
    doubts = serializers.ListField(child=serializers.CharField())
    original_kept = serializers.BooleanField()
    url = serializers.URLField(allow_null=True)


class HeldLineSchema(HistoryLineSchema):
    by_reporter = serializers.BooleanField()


class HeldDeviceSchema(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    made_at = serializers.DateTimeField()
    language = serializers.CharField()
    push_endpoint = serializers.CharField(allow_null=True)


class HeldFollowSchema(serializers.Serializer[Any]):
    channel = serializers.ChoiceField(["push", "email"])
    email = serializers.CharField(allow_blank=True)
    language = serializers.CharField()
    followed_at = serializers.DateTimeField()
    confirmed_at = serializers.DateTimeField(allow_null=True)


class HeldSupportSchema(serializers.Serializer[Any]):
    given_at = serializers.DateTimeField()


class HeldFlagSchema(serializers.Serializer[Any]):
    reason = serializers.CharField()
    note = serializers.CharField(allow_blank=True)
    raised_at = serializers.DateTimeField()


class HeldNoticeSchema(serializers.Serializer[Any]):
    channel = serializers.ChoiceField(["push", "email"])
    made_at = serializers.DateTimeField()
    sent_at = serializers.DateTimeField(allow_null=True)
    given_up = serializers.CharField(allow_blank=True)


class AccessSchema(serializers.Serializer[Any]):
    what = serializers.CharField()
    by = serializers.ChoiceField(["staff", "reporter"])
    why = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField()


class MyDataSchema(serializers.Serializer[Any]):
    """All that is held of a person in one case."""

    about = serializers.CharField()
    made_at = serializers.DateTimeField()
    forgotten_at = serializers.DateTimeField(allow_null=True)
    case = HeldCaseSchema()
    contact = HeldContactSchema(allow_null=True)
    consent = HeldConsentSchema(allow_null=True)
    report = HeldReportSchema()
    photos = HeldPhotoSchema(many=True)
    history = HeldLineSchema(many=True)
    device = HeldDeviceSchema(allow_null=True)
    follows = HeldFollowSchema(many=True)
    supports = HeldSupportSchema(many=True)
    flags = HeldFlagSchema(many=True)
    notices = HeldNoticeSchema(many=True)
    accesses = AccessSchema(many=True)
