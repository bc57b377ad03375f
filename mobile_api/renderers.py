"""JSON written by orjson, in UTF-8."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson
from django.utils.functional import Promise
from rest_framework.renderers import BaseRenderer


class JSONRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None  # JSON is UTF-8: RFC 8259, 8.1

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        body = b"" if data is None else orjson.dumps(data, default=plain)
        let_go((renderer_context or {}).get("response"))
        return body


def let_go(response: Any) -> None:
    """View, request and response hold each other until the garbage collector comes.

    What was said is written by now: it goes at once, and nobody waits for thousands of
    rows of earlier answers to be collected.
    """
    if response is not None:
        response.data = None


def plain(value: object) -> object:
    if isinstance(value, Promise | Decimal):
        return str(value)
    if isinstance(value, dict):
        return dict(value)
    raise TypeError(type(value))
