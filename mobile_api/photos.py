"""A photo's bytes arrive, apart from its report, whole or piece by piece."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backend.cases.models import Photo
from backend.cases.photo_headers import MOST_BYTES, ImageTooLarge
from backend.cases.uploads import (
    MOST_PIECE_BYTES,
    NoSuchReport,
    Piece,
    progress,
    receive,
    whole,
)
from mobile_api.bodies import body_of
from mobile_api.callers import DeviceAuthentication
from mobile_api.errors import BadRange, CutShort, PieceTooLarge
from mobile_api.schemas import UploadSchema
from mobile_api.throttles import What, limit

# RFC 9110, 14.4, with the length that is known; RFC 9530, 3.
RANGE = re.compile(r"bytes (\d{1,10})-(\d{1,10})/(\d{1,10})", re.ASCII)
DIGEST = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):\s*(?:,|;|$)")

PATH = [
    OpenApiParameter("report_id", OpenApiTypes.UUID, OpenApiParameter.PATH),
    OpenApiParameter("photo_id", OpenApiTypes.UUID, OpenApiParameter.PATH),
]
HEADERS = [
    OpenApiParameter(
        "Content-Range",
        str,
        OpenApiParameter.HEADER,
        description="Of a piece: `bytes 0-524287/1234567`, at most 524,288 bytes.",
    ),
    OpenApiParameter(
        "Repr-Digest",
        str,
        OpenApiParameter.HEADER,
        description="`sha-256=:…:` of the whole photo (RFC 9530); a piece needs it.",
    ),
]


class PhotoView(APIView):
    # Who has the report's id has made it: it is told to nobody else. A phone with a
    # token has wider limits.
    authentication_classes = (DeviceAuthentication,)
    permission_classes = (AllowAny,)

    @extend_schema(
        parameters=[*PATH, *HEADERS],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses={201: UploadSchema, 200: UploadSchema, 202: UploadSchema},
    )
    def put(self, request: Request, report_id: str, photo_id: str) -> Response:
        """Take a photo or a piece of it; sent again, it gets the same answer.

        202 while pieces are missing, 201 when it is whole and safe, 200 ever after.
        """
        report, photo = known(report_id), known(photo_id)
        progress(report, photo)  # before reading: a stranger's bytes are not wanted
        with piece_of(request) as piece:
            # What has come, not what was promised: a promise costs nothing, and many
            # of them would use up what all the neighbours may send.
            taken = limit(request, What.PHOTO, piece.length)
            arrived = receive(report, photo, piece)
        if not arrived.is_new:
            taken.give_back()
        return answer(arrived.photo, arrived.is_new)

    @extend_schema(parameters=PATH, responses=UploadSchema)
    def get(self, request: Request, report_id: str, photo_id: str) -> Response:
        """How much of a photo is here; of one that nobody has begun to send, nothing."""
        photo = progress(known(report_id), known(photo_id))
        return Response(upload_view(photo), headers={"Cache-Control": "no-store"})


def known(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as nothing:
        raise NoSuchReport from nothing


@contextmanager
def piece_of(request: Request) -> Iterator[Piece]:
    """Raises BadRange, PieceTooLarge, ImageTooLarge, CutShort."""
    digest = digest_in(request.headers.get("Repr-Digest"))
    written = request.headers.get("Content-Range")
    if written is None:
        with body_of(request._request, MOST_BYTES, ImageTooLarge) as (content, length):
            yield whole(content, length, digest)
        return
    match = RANGE.fullmatch(written.strip())
    if match is None or digest is None:
        raise BadRange
    start, last, size = map(int, match.groups())
    if not start <= last < size:
        raise BadRange
    if size > MOST_BYTES:
        raise ImageTooLarge
    length = last + 1 - start
    if length > MOST_PIECE_BYTES:
        raise PieceTooLarge
    with body_of(request._request, length, BadRange) as (content, arrived):
        if arrived != length:
            raise CutShort
        yield Piece(content, start, length, size, digest)


def digest_in(written: str | None) -> str | None:
    """The SHA-256 among the digests of a header, in hex. Raises BadRange."""
    if written is None:
        return None
    match = DIGEST.search(written)
    if match is None:
        raise BadRange
    return base64.b64decode(match[1]).hex()


def answer(photo: Photo, is_new: bool) -> Response:
    headers = {"Cache-Control": "no-store"}
    if photo.state == Photo.State.UPLOADING:
        return Response(upload_view(photo), status.HTTP_202_ACCEPTED, headers=headers)
    if is_new:
        return Response(upload_view(photo), status.HTTP_201_CREATED, headers=headers)
    headers["Idempotent-Replayed"] = "true"
    return Response(upload_view(photo), headers=headers)


def upload_view(photo: Photo) -> dict[str, Any]:
    return {
        "id": str(photo.pk),
        "size": photo.size,
        "received": photo.received,
        "state": photo.state,
        "sha256": photo.sha256,
    }
