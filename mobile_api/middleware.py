"""When the database is away, everybody is told to come back, in every door's words."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

log = logging.getLogger(__name__)
RETRY_AFTER = {"Retry-After": "2"}  # seconds
FOR_PROGRAMS = ("/api/", "/data/", "/ogc/", "/open311/", "/tiles/")


class DatabaseAwayMiddleware:
    """Answers 503 with `Retry-After`, so that phones keep the report and try again."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(
        self, request: HttpRequest, problem: Exception
    ) -> HttpResponse | None:
        if not isinstance(problem, OperationalError | InterfaceError):
            return None
        log.error("database away: %s", problem)
        if request.path.startswith(FOR_PROGRAMS):
            return database_away()
        page = render_to_string(
            "503.html"
        )  # without the context that asks the database
        return HttpResponse(page, status=503, headers=RETRY_AFTER)


def database_away() -> HttpResponse:
    return JsonResponse(
        {
            "type": "/problems/unavailable",
            "title": _("El servicio no está disponible por un momento."),
            "status": 503,
            "detail": _("Nada se perdió: vuelva a intentarlo en unos segundos."),
        },
        status=503,
        content_type="application/problem+json",
        headers=RETRY_AFTER,
    )
