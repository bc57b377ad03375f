"""The heat under the public map."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from geo.heatmap import heat
from map_views.parameters import ZOOMS, InvalidParameters, Parameters

DEFAULT_ZOOM = 8


@require_safe
@gzip_page
def heat_cells(request: HttpRequest) -> HttpResponse:
    """The cells of the view, as `[longitude, latitude, cases]`."""
    parameters = Parameters(request.GET)
    filters = parameters.filters()
    zoom = parameters.integer("zoom", DEFAULT_ZOOM, ZOOMS)
    try:
        parameters.check()
    except InvalidParameters as invalid:
        return invalid.response()
    found = heat(filters, zoom)
    return JsonResponse(
        {
            "cells": found.cells,
            "cell": found.cell,
            "total": found.total,
            "generated_at": timezone.localtime().isoformat(timespec="seconds"),
        },
        headers={"Cache-Control": "public, max-age=10"},
    )
