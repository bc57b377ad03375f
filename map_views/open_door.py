"""Open data, /data/ and /ogc/: read by the pages of any site, changed by nobody."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext as _

from geo.sql import TooLong
from map_views.parameters import InvalidParameters
from map_views.problems import problem

DOORS = re.compile(r"/(data|ogc)(/|$)")
READING = "GET, HEAD, OPTIONS"
TO_ALL = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": (
        "Content-Crs, Content-Disposition, Content-Range, ETag, Link, Retry-After, "
        "X-Data-As-Of"
    ),
}
# What a browser asks before it sends a header of the page's own.
PREFLIGHT = {
    "Allow": READING,
    "Access-Control-Allow-Methods": READING,
    "Access-Control-Allow-Headers": (
        "Accept, Accept-Language, If-Modified-Since, If-None-Match, If-Range, Range"
    ),
    "Access-Control-Max-Age": "86400",
}


class OpenDoorMiddleware:
    """Around everything that may answer, so that a page can read each refusal too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not DOORS.match(request.path_info):
            return self.get_response(request)
        if request.method == "OPTIONS":
            return HttpResponse(status=204, headers={**TO_ALL, **PREFLIGHT})
        response = self.get_response(request)
        for name, value in TO_ALL.items():
            response[name] = value
        return response


def attempt(
    view: Callable[..., HttpResponseBase],
    request: HttpRequest,
    parts: Mapping[str, Any],
) -> HttpResponseBase:
    """What the view answers, or the problem that it has."""
    if request.method not in {"GET", "HEAD"}:
        refusal = problem(405, "read-only", _("Aquí solo se lee."))
        refusal["Allow"] = READING
        return refusal
    try:
        return view(request, **parts)
    except InvalidParameters as invalid:
        return invalid.response()
    except Http404:
        return problem(404, "not-found", _("Aquí no hay nada con ese nombre."))
    except TooLong:
        title = _("La pregunta tarda demasiado: pida un área o un período menor.")
        return problem(503, "too-long", title)


def conditional(
    request: HttpRequest, etag: str, response: HttpResponse | None = None
) -> HttpResponse | None:
    """The response; or that it is still what the reader has, or is no longer."""
    found: HttpResponse | None = get_conditional_response(
        request, etag=etag, response=response
    )
    if found is None or found.status_code != 412:
        return found
    title = _("Lo que hay ya no es lo que usted tenía.")
    return problem(412, "precondition-failed", title)
