"""What a case holds of who reported it: taken along, or erased, with its PIN."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.accounts.addresses import key_of_range
from backend.cases.access import WrongPin, own_case, public_case
from backend.cases.models import Case
from backend.cases.my_data import export_my_data
from backend.cases.personal_data import erase_me
from mobile_api.my_data_schemas import MyDataSchema

PIN = OpenApiParameter("X-Case-Pin", str, OpenApiParameter.HEADER, required=True)
NO_STORE = {"Cache-Control": "no-store"}


class MyDataView(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(parameters=[PIN], responses=MyDataSchema)
    def get(self, request: Request, number: str) -> Response:
        """All that is held of the person in this case, as a file."""
        case = case_of_pin(request, number)
        name = f"mis-datos-{case.number}.json"
        return Response(
            export_my_data(case, timezone.now()),
            headers={
                **NO_STORE,
                "Content-Disposition": f'attachment; filename="{name}"',
            },
        )

    @extend_schema(parameters=[PIN], responses={204: None})
    def delete(self, request: Request, number: str) -> Response:
        """The person goes, for good; the case stays."""
        erase_me(case_of_pin(request, number), timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT, headers=NO_STORE)


def case_of_pin(request: Request, number: str) -> Case:
    """By header alone: what stands in an address is kept in many places.

    Raises WrongPin, NoSuchCase, TooMany, NotANumber, WrongDigit.
    """
    pin = request.headers.get("X-Case-Pin")
    if not pin:
        public_case(number)  # no guess, and no word of a private case
        raise WrongPin
    return own_case(number, pin, key_of_range(request))
