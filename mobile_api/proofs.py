"""A proof of work to solve beforehand, by who expects to be asked for one."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.accounts.proofs import HASHES_AT_MOST, new_challenge
from mobile_api.throttles import What, limit


class ChallengeSchema(serializers.Serializer[Any]):
    """ALTCHA's: a `number` with `challenge` = SHA-256 of `salt` and the number."""

    algorithm = serializers.ChoiceField(["SHA-256"])
    challenge = serializers.CharField()
    salt = serializers.CharField()
    signature = serializers.CharField()
    maxnumber = serializers.IntegerField(max_value=HASHES_AT_MOST)


class ProofView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(responses=ChallengeSchema)
    def get(self, request: Request) -> Response:
        """A challenge; its answer, as ALTCHA's payload, goes into `X-Proof`, once."""
        limit(request, What.PROOF)
        return Response(new_challenge(), headers={"Cache-Control": "no-store"})
