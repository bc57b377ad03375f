"""The public cases to take away."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing

from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import get_language
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from geo.export import geojson
from map_views.parameters import MOST_FEATURES, InvalidParameters, Parameters


@require_safe
@vary_on_headers("Accept-Language", "Cookie")
@gzip_page
def cases_geojson(request: HttpRequest) -> HttpResponseBase:
    """All public cases that the filters leave, as they come from PostGIS."""
    parameters = Parameters(request.GET)
    filters = parameters.filters()
    limit = parameters.integer("limit", 0, range(1, MOST_FEATURES + 1))
    try:
        parameters.check()
    except InvalidParameters as invalid:
        return invalid.response()
    english = (get_language() or "").startswith("en")
    return StreamingHttpResponse(
        begun(geojson(filters, limit or None, english=english)),
        content_type="application/geo+json",
        headers={
            "Content-Disposition": 'inline; filename="311-movil-casos.geojson"',
            "Cache-Control": "public, max-age=10",
        },
    )


def begun(pieces: Generator[str]) -> Iterator[str]:
    """The pieces, the first of them made now: while it can still be said that it fails."""
    return resumed(next(pieces), pieces)


def resumed(first: str, pieces: Generator[str]) -> Iterator[str]:
    with closing(pieces):
        yield first
        yield from pieces
