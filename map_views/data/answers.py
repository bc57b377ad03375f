"""How this door refuses: programs hear a problem, people read a page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.views.decorators.csrf import csrf_exempt
from django.views.defaults import page_not_found

from map_views.open_door import attempt

View = Callable[..., HttpResponseBase]
PROBLEM = "application/problem+json"


def door(view: View) -> View:
    """For reading only, by whoever asks."""

    # Nothing is changed here, and a POST is to hear that and not that it lacks a token.
    @csrf_exempt
    @wraps(view)
    def answered(request: HttpRequest, **parts: Any) -> HttpResponseBase:
        response = attempt(view, request, parts)
        if response.status_code == 404:
            if is_person(request):
                response = page_not_found(request, Http404())
            patch_vary_headers(response, ["Accept"])
        return response

    return answered


def is_person(request: HttpRequest) -> bool:
    """Browsers ask for HTML first; a program that takes anything does not."""
    return request.get_preferred_type([PROBLEM, "text/html"]) == "text/html"


@door
def nothing(request: HttpRequest, rest: str) -> HttpResponseBase:
    raise Http404
