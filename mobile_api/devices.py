"""A phone's own token, and where its browser takes pushes."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

import orjson
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicKey,
)
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.accounts.devices import issue_device, revoke
from backend.accounts.models import Device
from backend.cases.push import is_push_service
from mobile_api.callers import DeviceAuthentication, needed_device
from mobile_api.throttles import What, limit

NO_STORE = {"Cache-Control": "no-store"}
BASE64URL = re.compile(r"[A-Za-z0-9_-]+={0,2}", re.ASCII)
SECRET_BYTES = 16  # RFC 8291, 3.2


class PushKeysSerializer(serializers.Serializer[Any]):
    p256dh = serializers.CharField(max_length=100, help_text="The browser's key.")
    auth = serializers.CharField(max_length=40, help_text="The browser's secret.")

    def validate_p256dh(self, value: str) -> str:
        try:
            EllipticCurvePublicKey.from_encoded_point(SECP256R1(), plain_bytes(value))
        except ValueError as broken:
            raise serializers.ValidationError(
                _("No es una clave pública P-256."), code="not-a-key"
            ) from broken
        return value

    def validate_auth(self, value: str) -> str:
        try:
            secret = plain_bytes(value)
        except ValueError:
            secret = b""
        if len(secret) != SECRET_BYTES:
            raise serializers.ValidationError(
                _("Son 16 bytes en base64url."), code="not-a-secret"
            )
        return value


class PushSerializer(serializers.Serializer[Any]):
    """What the browser's `PushSubscription.toJSON()` says."""

    endpoint = serializers.CharField(max_length=1000)
    keys = PushKeysSerializer()

    def validate_endpoint(self, value: str) -> str:
        if not is_push_service(value):
            raise serializers.ValidationError(
                _("No es la dirección de un servicio de avisos conocido."),
                code="unknown-push-service",
            )
        return value


class NewDeviceSerializer(serializers.Serializer[Any]):
    language = serializers.ChoiceField(["es", "en"], default="es")


class DeviceChangeSerializer(serializers.Serializer[Any]):
    language = serializers.ChoiceField(["es", "en"], required=False)
    push = PushSerializer(
        required=False, allow_null=True, help_text="null: no more pushes."
    )


class IssuedSchema(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    token = serializers.CharField(help_text="Told once; the server keeps a digest.")


class DeviceSchema(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    language = serializers.ChoiceField(["es", "en"])
    push = serializers.BooleanField(help_text="Whether it takes pushes.")


class DevicesView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(request=NewDeviceSerializer, responses={201: IssuedSchema})
    def post(self, request: Request) -> Response:
        """A token for a phone: no account, no name, no number."""
        asked = NewDeviceSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        limit(request, What.DEVICE)
        issued = issue_device(asked.validated_data["language"])
        answer = {"id": str(issued.device.id), "token": issued.token}
        return Response(answer, status=status.HTTP_201_CREATED, headers=NO_STORE)


class OwnDeviceView(APIView):
    """What a phone may know and say of itself."""

    authentication_classes = (DeviceAuthentication,)
    permission_classes = (AllowAny,)

    @extend_schema(responses=DeviceSchema)
    def get(self, request: Request) -> Response:
        """What is kept of this phone."""
        return Response(view_of(needed_device(request)), headers=NO_STORE)

    @extend_schema(request=DeviceChangeSerializer, responses=DeviceSchema)
    def patch(self, request: Request) -> Response:
        """Its language, and where its browser takes pushes."""
        device = needed_device(request)
        asked = DeviceChangeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        limit(request, What.DEVICE)
        change(device, asked.validated_data)
        return Response(view_of(device), headers=NO_STORE)

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Revoke the token that this call carries, at once."""
        revoke(needed_device(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def change(device: Device, said: dict[str, Any]) -> None:
    values = dict(said)
    if "push" in values:
        push = values["push"]
        values["push"] = orjson.dumps(push).decode() if push else ""
    for name, value in values.items():
        setattr(device, name, value)
    if values:
        device.save(update_fields=list(values))


def view_of(device: Device) -> dict[str, Any]:
    return {
        "id": str(device.id),
        "language": device.language,
        "push": bool(device.push),
    }


def plain_bytes(text: str) -> bytes:
    """Base64url, with its padding or without. Raises ValueError."""
    if not BASE64URL.fullmatch(text):
        raise ValueError(text)
    bare = text.rstrip("=")
    try:
        return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
    except binascii.Error as broken:
        raise ValueError(text) from broken
