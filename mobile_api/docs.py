"""The page on which developers read the API, and try it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers


@require_safe
@vary_on_headers("Accept-Language", "Cookie")
@cache_control(public=True, max_age=300)
def docs(request: HttpRequest) -> HttpResponse:
    return render(request, "mobile_api/docs.html")
