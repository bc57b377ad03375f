"""JSON read strictly: UTF-8, no NaN, no bottomless nesting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

import orjson
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, MultiPartParser

from backend.cases.photo_headers import MOST_BYTES, MOST_PHOTOS


class StrictJSONParser(BaseParser):
    """orjson refuses with an error what the standard library's reader chokes on."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise RequestDataTooBig
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as broken:
            raise ParseError from broken


class PhotosParser(MultiPartParser):
    """A form with photos, refused before it is read when it says that it is too long."""

    longest = MOST_PHOTOS * MOST_BYTES + 1024 * 1024

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        request = (parser_context or {})["request"]
        if int(request.META.get("CONTENT_LENGTH") or 0) > self.longest:
            raise RequestDataTooBig
        return super().parse(stream, media_type, parser_context)
