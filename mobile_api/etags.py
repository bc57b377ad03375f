"""Which version of a case a phone has, and which one it means (RFC 9110, 8.8.3, 13.1)."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from django.http import HttpResponseBase, HttpResponseNotModified
from django.utils.http import parse_etags
from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.response import Response

from backend.cases.models import Case
from mobile_api.renderers import JSONRenderer

# A proxy that compresses an answer makes its tag weak: the version in it is the same.
TAG = re.compile(r'(?:W/)?"(?P<version>\d{1,9})(?:-[0-9a-f]+)?"', re.ASCII)
DIGITS = 24
IF_MATCH = OpenApiParameter(
    "If-Match",
    str,
    OpenApiParameter.HEADER,
    description='The version that the step is meant for: `"3"`, or a view\'s tag.',
)


def etag_of(case: Case, answer: dict[str, Any]) -> str:
    """A strong tag of this view of a case, which begins with the case's version.

    The rest is a digest of all that is said: to whom, in which language, and whatever
    changes that is no line of the history, as supports and photos are.
    """
    digest = hashlib.sha256(JSONRenderer().render(answer)).hexdigest()
    return f'"{case.version}-{digest[:DIGITS]}"'


def version_tag(version: int) -> str:
    """A tag to mean this version by; no view has it, so the next look is a new one."""
    return f'"{version}"'


def unless_seen(
    request: Request, case: Case, answer: dict[str, Any], headers: dict[str, str]
) -> HttpResponseBase:
    """The answer, or a 304 to who has it already."""
    headers = {**headers, "ETag": etag_of(case, answer)}
    seen = parse_etags(request.headers.get("If-None-Match", ""))
    if "*" in seen or headers["ETag"] in {tag.removeprefix("W/") for tag in seen}:
        return HttpResponseNotModified(headers=headers)
    return Response(answer, headers=headers)


def versions_meant(request: Request) -> frozenset[int] | None:
    """The versions that `If-Match` names; none of its own, when it does not matter.

    Only the versions: what others did that is no line of the history, as supporting the
    case, is no reason to refuse. A tag that is not of ours matches no version.
    """
    tags = parse_etags(request.headers.get("If-Match", "*"))
    if "*" in tags:
        return None
    found = (TAG.fullmatch(tag) for tag in tags)
    return frozenset(int(match["version"]) for match in found if match)
