"""What stands for a report until it has a number: never anything here."""

from __future__ import annotations

from typing import Any, NoReturn

from django.http import HttpRequest

from mobile_api.open311.door import Door
from mobile_api.open311.errors import NothingHere


class TokenView(Door):
    root = "service_requests"

    def read(self, request: HttpRequest, **path: Any) -> NoReturn:
        """A report has its number from its first instant: no token is ever given."""
        raise NothingHere
