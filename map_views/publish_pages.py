"""The page where an analyst asks for a map of their own, and the file that it gives.

The file is built while one waits: it reads sums and a bounded number of cases, so that
it takes a second or two whatever is stored. How often is limited for all together.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from backend.accounts.limits import Limit, TooMany, take
from geo.sql import TooLong, within
from map_views.cases import too_many
from map_views.pages import categories_on_the_map, groups_on_the_map
from map_views.parameters import InvalidParameters
from map_views.publishing import file_name, publish, read
from provinces.models import Entity, Province

FOR_A_MINUTE = "public, max-age=60"
# Each file costs a second of a core: half a core at most, whoever asks.
FILES = Limit("analyst-map", times=60, seconds=120)
# And a question of it so much of the database, that looks through all cases for those
# which a filter leaves.
MILLISECONDS = 5_000
LANGUAGES = {"es": "Español", "en": "English"}


@require_safe
@vary_on_headers("Accept-Language", "Cookie")
def publish_map(request: HttpRequest) -> HttpResponse:
    """The form; it needs no script."""
    response = form(request, request.GET, {})
    response["Cache-Control"] = FOR_A_MINUTE
    return response


@require_safe
@gzip_page
@vary_on_headers("Accept-Language", "Cookie")
def published_map(request: HttpRequest) -> HttpResponse:
    """The file, in the language that the form says."""
    asked_for = request.GET.get("language", "")
    language = asked_for if asked_for in LANGUAGES else (get_language() or "es")
    with translation.override(language):
        try:
            asked = read(request.GET)
        except InvalidParameters as invalid:
            return form(request, request.GET, invalid.problems, status=400)
        try:
            take(FILES, "all")
        except TooMany as limit:
            return too_many(request, limit.retry_after)
        try:
            with within(MILLISECONDS):
                page = publish(asked, quietly)
        except TooLong:
            told = _("La pregunta tarda demasiado: pida un área o un período menor.")
            return form(request, request.GET, {"place": told}, status=503)
        return HttpResponse(
            page,
            headers={
                "Content-Disposition": f'attachment; filename="{file_name()}"',
                "Cache-Control": FOR_A_MINUTE,
            },
        )


def quietly(items: Iterable[Any], what: str) -> Iterable[Any]:
    return items


def form(
    request: HttpRequest, query: QueryDict, problems: dict[str, str], status: int = 200
) -> HttpResponse:
    context = {
        "asked": {
            "state": query.get("state", "all"),
            "language": query.get("language", get_language()),
            "groups": query.getlist("group"),
            "categories": query.getlist("category"),
            **{name: query.get(name, "") for name in ("entity", "place")},
            **{name: query.get(name, "") for name in ("since", "until")},
        },
        "groups": groups_on_the_map(),
        "categories": categories_on_the_map()
        .select_related("group")
        .order_by("group", "code"),
        "entities": Entity.objects.order_by("name"),
        "provinces": Province.objects.prefetch_related("districts"),
        "languages": LANGUAGES,
        "problems": problems,
    }
    return render(request, "map_views/publish.html", context, status=status)
