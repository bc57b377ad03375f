"""/data/cases.<ext>: the public cases to take away, now or as a file that is made."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from datetime import UTC, datetime

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.vary import vary_on_headers

from geo import export
from geo.copying import Busy
from geo.sql import within
from map_views.data import build_pages
from map_views.data.answers import door
from map_views.data.encodings import Begun, best_encoding, compressed
from map_views.data.formats import FORMATS, LICENCE_LINK, Format, file_name
from map_views.parameters import MOST_FEATURES, Parameters
from map_views.problems import problem
from provinces.models import reads_english

RETRY_SECONDS = 30
# More than the map lists. So few are held until all of them are there, within a time: of a
# filter that finds fewer, PostgreSQL looks through all cases.
FEW_ROWS = 2_000
MILLISECONDS = 10_000
EVER = datetime.min.replace(tzinfo=UTC)


@door
@vary_on_headers("Accept-Language", "Cookie", "Accept-Encoding")
def cases(request: HttpRequest, extension: str) -> HttpResponseBase:
    """All public cases that the filters leave."""
    form = FORMATS.get(extension)
    if form is None:
        raise Http404
    if not form.is_here:
        return problem(
            501,
            "format-not-installed",
            _("Este servidor no tiene instalado lo que hace falta para ese formato."),
            _("Pida otro formato: GeoPackage, FlatGeobuf, GeoJSON o CSV."),
        )
    parameters = Parameters(request.GET)
    filters = parameters.filters()
    limit = parameters.integer("limit", 0, range(1, MOST_FEATURES + 1))
    parameters.refuse_the_rest()
    parameters.check()
    if request.method == "HEAD":
        return sent(request, form)
    if form.stream is None:
        return build_pages.asked_for(request, form, filters, limit or None)
    are_few = 0 < limit <= FEW_ROWS
    pieces = form.stream(
        filters,
        limit or None,
        english=reads_english(),
        # Few cases take no place of those who want all.
        places=None if are_few else settings.EXPORTS_AT_ONCE,
    )
    return streamed(request, form, made_now(pieces) if are_few else pieces)


@door
@vary_on_headers("Accept-Encoding")
def withdrawals(request: HttpRequest) -> HttpResponseBase:
    """The cases that are public no more: beside increments that have no place for them."""
    parameters = Parameters(request.GET)
    since = parameters.moment("changed_since") or EVER
    parameters.refuse_the_rest()
    parameters.check()
    if request.method == "HEAD":
        return sent(request, FORMATS["csv"], "retirados")
    pieces = export.withdrawals(since, places=settings.EXPORTS_AT_ONCE)
    return streamed(request, FORMATS["csv"], pieces, "retirados")


def made_now(pieces: Generator[bytes]) -> Generator[bytes]:
    """All of them, before there is an answer. Raises geo.sql.TooLong."""
    with within(MILLISECONDS):
        made = list(pieces)
    return (piece for piece in made)


def streamed(
    request: HttpRequest, form: Format, pieces: Generator[bytes], what: str = "casos"
) -> HttpResponseBase:
    """As PostGIS makes them. Raises what the database raises at once."""
    if encoding := best_encoding(request.headers.get("Accept-Encoding", "")):
        pieces = compressed(pieces, encoding)
    try:
        begun = Begun(pieces)
    except Busy:
        return problem(
            503,
            "busy",
            _("Ahora mismo se descargan los datos tantas veces como se puede."),
            _("Vuelva a pedirlos en medio minuto, o tome el archivo de cada noche."),
            retry=RETRY_SECONDS,
        )
    return sent(request, form, what, begun)


def sent(
    request: HttpRequest, form: Format, what: str = "casos", body: Iterable[bytes] = ()
) -> StreamingHttpResponse:
    """The body under its headers; without one, these are what was asked for."""
    headers = {
        "Content-Disposition": f'inline; filename="{file_name(form, what=what)}"',
        "Cache-Control": "public, max-age=10",
        "Link": LICENCE_LINK,
    }
    encoding = best_encoding(request.headers.get("Accept-Encoding", ""))
    if encoding and form.stream:
        headers["Content-Encoding"] = encoding
    return StreamingHttpResponse(body, content_type=form.media_type, headers=headers)
