"""Answers that are the same for everybody: kept by phones, asked for again in vain."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request

# For the document: what the phone may say, and what it is then told.
IF_NONE_MATCH = OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER)
NOT_MODIFIED = {304: OpenApiResponse()}


def same_for_all(request: Request, answer: Any, cache_control: str) -> HttpResponse:
    """The answer as JSON with its ETag, or 304 to who has it already."""
    body = orjson.dumps(answer)
    response = HttpResponse(body, content_type="application/json")
    response["Cache-Control"] = cache_control
    response["ETag"] = f'"{tag_of(body)}"'
    plain: HttpRequest = request._request
    conditional = get_conditional_response(plain, response["ETag"], None, response)
    assert isinstance(conditional, HttpResponse)  # noqa: S101 - it is given one
    return conditional


def tag_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:24]
