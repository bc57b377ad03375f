"""A revocable token for crews and staff; it is stored hashed."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema
from knox.auth import TokenAuthentication as KnoxAuthentication
from knox.crypto import hash_token
from knox.models import get_token_model
from rest_framework import serializers, status
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.accounts.models import User
from backend.accounts.passwords import WrongPassword, signed_in

# Who calls and for whom they work, in one statement for each call of a crew's phone.
PERSON = """
    SELECT person.*, ARRAY(
        SELECT entity_id FROM accounts_membership WHERE user_id = person.id
    ) AS known_entities
    FROM knox_authtoken AS token JOIN accounts_user AS person ON person.id = token.user_id
    WHERE token.digest = %s AND (token.expiry IS NULL OR token.expiry >= %s)
"""


class TokenAuthentication(KnoxAuthentication):  # type: ignore[misc]
    """Knox's, with one statement: it would look at all of the person's tokens, too."""

    def authenticate_credentials(self, token: bytes) -> Any:
        if not token.isalnum():  # nor text that PostgreSQL can hold, perhaps
            raise AuthenticationFailed
        digest = hash_token(token.decode())
        for person in User.objects.raw(PERSON, [digest, timezone.now()]):
            kept = get_token_model().from_db(DEFAULT_DB_ALIAS, ["digest"], [digest])
            kept.user = person
            return self.validate_user(kept)
        raise AuthenticationFailed


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token …`, from `auth/token/`.",
        }


class Credentials(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=128, trim_whitespace=False)


class Token(serializers.Serializer[Any]):
    token = serializers.CharField()
    entities = serializers.ListField(child=serializers.CharField())


class TokenView(APIView):
    """Sign in with `POST`, sign out with `DELETE`."""

    authentication_classes = (TokenAuthentication,)

    def get_permissions(self) -> list[Any]:
        allowed = AllowAny if self.request.method == "POST" else IsAuthenticated
        return [allowed()]

    @extend_schema(request=Credentials, responses={201: Token})
    def post(self, request: Request) -> Response:
        """A revocable token for a member of a crew or of the staff."""
        credentials = Credentials(data=request.data)
        credentials.is_valid(raise_exception=True)
        try:
            user = signed_in(request._request, **credentials.validated_data)
        except WrongPassword as wrong:
            raise AuthenticationFailed(
                _("El usuario o la contraseña no es correcto.")
            ) from wrong
        _instance, token = get_token_model().objects.create(user=user)
        answer = {"token": token, "entities": user.entity_codes()}
        return Response(
            answer,
            status=status.HTTP_201_CREATED,
            headers={"Cache-Control": "no-store"},
        )

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Revoke the token that this call carries."""
        request.auth.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)
