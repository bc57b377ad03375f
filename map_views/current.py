"""Answers that caches keep: valid for as long as nothing changes on the map."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response

from geo.filters import Filters
from geo.sql import within

# A question of the map's takes some milliseconds; one that takes so long is given up,
# so that nobody keeps the database busy with what nobody waits for.
PATIENCE_MILLISECONDS = 2_000
# What is shown may be ten seconds old; a cache hands it on while it asks for a new one,
# and for a day while nobody answers.
FOR_A_MOMENT = "public, max-age=10, stale-while-revalidate=60, stale-if-error=86400"
# Another one when the answers to the same counts look different.
FORM = "1"


def answered(
    request: HttpRequest,
    filters: Filters,
    version: Callable[[], str],
    make: Callable[[], HttpResponse],
) -> HttpResponse:
    """What `make` says, or a 304 for whoever has it; the version is asked for first.

    So an answer may be newer than its tag says, which costs one more look, never older.
    What changed since a moment has no tag: a case may change, by a photo for example,
    and nothing that is counted of it.
    """
    tag = unchanged = None
    with within(PATIENCE_MILLISECONDS):
        if not filters.changed_since:
            tag = f'W/"{FORM}-{version()}"'
            unchanged = get_conditional_response(request, etag=tag)
        response = make() if unchanged is None else unchanged
    if tag:
        response["ETag"] = tag
    response["Cache-Control"] = FOR_A_MOMENT
    return response
