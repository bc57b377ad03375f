"""What the phone must know of this installation before it sends anything."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.gzip import gzip_page
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from backend.accounts.encryption import DataKeyLost
from backend.cases.models import Case, ConsentText
from backend.cases.photo_headers import MOST_BYTES, MOST_PHOTOS
from backend.cases.push import public_key
from backend.cases.uploads import MOST_PIECE_BYTES
from mobile_api.cached import IF_NONE_MATCH, NOT_MODIFIED, same_for_all

FOR_FIVE_MINUTES = "public, max-age=300"

# Who helps at once, which no case does. They are the country's, not an installation's.
EMERGENCY_NUMBERS = [
    {"number": "911", "name_es": "Emergencias", "name_en": "Emergencies"},
    {"number": "104", "name_es": "Policía", "name_en": "Police"},
    {"number": "103", "name_es": "Bomberos", "name_en": "Fire service"},
    {"number": "*335", "name_es": "SINAPROC", "name_en": "Civil protection (SINAPROC)"},
]


class ConsentSchema(serializers.Serializer[Any]):
    version = serializers.CharField()
    text_es = serializers.CharField()
    text_en = serializers.CharField()


class PushServerSchema(serializers.Serializer[Any]):
    public_key = serializers.CharField(help_text="VAPID's; empty: no pushes.")


class SendingLimitsSchema(serializers.Serializer[Any]):
    photos = serializers.IntegerField(help_text="Of one report.")
    photo_bytes = serializers.IntegerField()
    chunk_bytes = serializers.IntegerField(help_text="Of one piece of a photo.")
    description = serializers.IntegerField(help_text="Characters.")


class EmergencyNumberSchema(serializers.Serializer[Any]):
    number = serializers.CharField()
    name_es = serializers.CharField()
    name_en = serializers.CharField()


class ConfigSchema(serializers.Serializer[Any]):
    consent = ConsentSchema(
        allow_null=True, help_text="What is accepted with a contact; null: no text yet."
    )
    push = PushServerSchema()
    limits = SendingLimitsSchema()
    emergency_numbers = EmergencyNumberSchema(many=True)


@method_decorator(gzip_page, name="dispatch")
class ConfigView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        parameters=[IF_NONE_MATCH], responses={200: ConfigSchema, **NOT_MODIFIED}
    )
    def get(self, request: Request) -> HttpResponse:
        """The text to consent to, the limits of what is sent, the numbers to call."""
        return same_for_all(request, config(), FOR_FIVE_MINUTES)


def config() -> dict[str, Any]:
    return {
        "consent": consent(),
        "push": {"public_key": push_key()},
        "limits": {
            "photos": MOST_PHOTOS,
            "photo_bytes": MOST_BYTES,
            "chunk_bytes": MOST_PIECE_BYTES,
            "description": Case._meta.get_field("description").max_length,
        },
        "emergency_numbers": EMERGENCY_NUMBERS,
    }


def push_key() -> str:
    """None while it cannot be read: phones are told all the rest."""
    try:
        return public_key()
    except DataKeyLost:
        return ""


def consent() -> dict[str, str] | None:
    """The newest text that is already valid; there may be none yet."""
    today = timezone.localdate()
    text = ConsentText.objects.filter(valid_from__lte=today).first()
    if text is None:
        return None
    return {
        "version": text.version,
        "text_es": text.text_es,
        "text_en": text.text_en,
    }
