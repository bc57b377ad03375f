"""Vector tiles for maps of others' making, with the filters of the heat."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from geo import heatmap
from geo.filters import Filters
from geo.tiles import ZOOMS, cases_tile, heat_tile, places_tile, version_of_places
from map_views.current import answered
from map_views.parameters import InvalidParameters, Parameters
from map_views.problems import problem

MVT = "application/vnd.mapbox-vector-tile"
LAYERS = ("heat", "cases", "places")


@require_safe
@gzip_page
def tile(request: HttpRequest, layer: str, zoom: int, x: int, y: int) -> HttpResponse:
    """One tile of a layer; where there is nothing, one without a byte."""
    side = 1 << zoom if zoom in ZOOMS else 0
    if layer not in LAYERS or x >= side or y >= side:
        return no_such_tile()
    parameters = Parameters(request.GET)
    filters = parameters.filters()
    try:
        parameters.check()
    except InvalidParameters as invalid:
        return invalid.response()

    def make() -> HttpResponse:
        return HttpResponse(drawn(layer, filters, zoom, x, y), content_type=MVT)

    version = version_of_places if layer == "places" else heatmap.version
    return answered(request, filters, version, make)


def drawn(layer: str, filters: Filters, zoom: int, x: int, y: int) -> bytes:
    match layer:
        case "heat":
            return heat_tile(filters, zoom, x, y)
        case "cases":
            return cases_tile(filters, zoom, x, y)
        case _places:
            return places_tile(zoom, x, y)


def no_such_tile() -> HttpResponse:
    detail = _(
        "Son heat, cases o places, con zoom de %(first)s a %(last)s,"
        " y columna y fila dentro de él."
    ) % {"first": ZOOMS[0], "last": ZOOMS[-1]}
    return problem(404, "not-found", _("No hay tal tesela."), detail)
