"""A file that is being made: how far it is, and where it is once it is ready."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.vary import vary_on_headers
from whitenoise.responders import SlicedFile

from backend.accounts.addresses import key_of_range
from backend.accounts.limits import HOUR, Limit, give_back, take, wider
from backend.accounts.limits import TooMany as TooOften
from backend.cases.models import DataFile
from backend.cases.storage import opened
from geo.filters import Filters
from map_views.data import builds
from map_views.data.answers import door
from map_views.data.formats import FORMATS, LICENCE_LINK, Format
from map_views.data.parts import NoSuchPart, part_of
from map_views.open_door import conditional
from map_views.problems import problem
from provinces.models import reads_english

RETRY_SECONDS = 60
POLL_SECONDS = 2
NEW_FILES = 6
NO_STORE = {"Cache-Control": "no-store"}
A_NIGHTLY_ONE = "public, max-age=86400, immutable"


def asked_for(
    request: HttpRequest, form: Format, filters: Filters, limit: int | None
) -> HttpResponseBase:
    """To the file if it is there; else to the page that says how far it is."""
    what, at = builds.written(filters, limit, english=reads_english()), timezone.now()
    try:
        file = builds.there_is(form, what, at) or new_file(request, form, what, at)
    except TooOften as often:
        return problem(
            429,
            "too-many-requests",
            _("Desde su red ya se pidieron muchos archivos en esta hora."),
            _("Vuelva a pedirlo más tarde, o tome el archivo de cada noche."),
            retry=often.retry_after,
        )
    except builds.TooMany:
        return problem(
            503,
            "busy",
            _("Ya se preparan tantos archivos como se puede."),
            _("Vuelva a pedirlo en un minuto, o tome el archivo de cada noche."),
            retry=RETRY_SECONDS,
        )
    if file.state == DataFile.State.READY:
        return HttpResponseRedirect(builds.url_of(file), headers=NO_STORE)
    page = HttpResponse(status=303, headers={**NO_STORE, "Link": LICENCE_LINK})
    page["Location"] = reverse("data-build", args=[file.pk])
    page["Retry-After"] = str(POLL_SECONDS)
    return page


def new_file(request: HttpRequest, form: Format, what: str, at: datetime) -> DataFile:
    """One more to be made, of as many as each part of the network may have in an hour.

    Else a few would keep all others from theirs. Raises TooOften, builds.TooMany.
    """
    limit, who = Limit("data-file", wider(NEW_FILES), HOUR), key_of_range(request)
    take(limit, who)
    try:
        return builds.ask(form, what, at)
    except builds.TooMany:
        give_back(limit, who)
        raise


@door
@vary_on_headers("Accept-Language", "Cookie")
def build_page(request: HttpRequest, key: UUID) -> HttpResponse:
    """For people: it asks again by itself, with or without scripts."""
    file = wanted(key)
    context = {
        "file": file,
        "form": FORMATS[file.format],
        "url": builds.url_of(file) if file.state == DataFile.State.READY else "",
        "withdrawals": builds.withdrawals_url(file),
        "waits": file.state in builds.UNFINISHED,
        "poll_seconds": POLL_SECONDS,
    }
    page = render(request, "map_views/data_build.html", context)
    page["Cache-Control"] = "no-store"
    return page


@door
def build_state(request: HttpRequest, key: UUID) -> HttpResponse:
    """For programs."""
    file = wanted(key)
    ready = file.state == DataFile.State.READY
    waits = file.state in builds.UNFINISHED
    withdrawals = builds.withdrawals_url(file)
    return JsonResponse(
        {
            "state": file.state,
            "percent": file.percent,
            "file": request.build_absolute_uri(builds.url_of(file)) if ready else None,
            "withdrawals": request.build_absolute_uri(withdrawals)
            if withdrawals
            else None,
            "bytes": file.size if ready else None,
            "sha256": file.sha256 or None,
            "rows": file.rows if ready else None,
            "expires_at": timezone.localtime(file.expires_at).isoformat(
                timespec="seconds"
            ),
        },
        headers={**NO_STORE, **({"Retry-After": str(POLL_SECONDS)} if waits else {})},
    )


def wanted(key: UUID) -> DataFile:
    """Raises Http404 once it has expired."""
    return get_object_or_404(DataFile, pk=key, expires_at__gt=timezone.now())


@door
def data_file(request: HttpRequest, key: UUID, name: str) -> HttpResponseBase:
    """The bytes, for whoever has a link that has not expired."""
    file = wanted(key)
    is_it = file.state == DataFile.State.READY and name == builds.name_of(file)
    if not is_it or not builds.may_take(file, request.GET.get("s", "")):
        raise Http404
    if settings.S3_SIGNED_LINKS:
        return HttpResponseRedirect(signed_link(file), headers=NO_STORE)
    headers = {"Cache-Control": A_NIGHTLY_ONE} if file.nightly else NO_STORE
    etag = f'"{file.sha256}"'
    if unchanged := conditional(request, etag):
        return unchanged
    try:
        response = bytes_of(request, file, part_of(request, file.size, etag))
    except NoSuchPart:
        refusal = problem(416, "no-such-part", _("El archivo no tiene esos bytes."))
        refusal["Content-Range"] = f"bytes */{file.size}"
        return refusal
    except FileNotFoundError as lost:  # It expired this moment.
        raise Http404 from lost
    for header, value in {**headers, "ETag": etag, "Link": LICENCE_LINK}.items():
        response[header] = value
    return response


def bytes_of(
    request: HttpRequest, file: DataFile, part: range | None
) -> HttpResponseBase:
    """All of them, a part, or none for whoever asks for the headers alone."""
    content = BytesIO() if request.method == "HEAD" else opened(file.name)
    response = FileResponse(
        SlicedFile(content, part.start, part.stop - 1) if part else content,
        status=206 if part else 200,
        as_attachment=True,
        filename=builds.name_of(file),
        content_type=media_type(file),
    )
    response["Accept-Ranges"] = "bytes"
    response["Content-Length"] = str(len(part) if part else file.size)
    if part:
        last = part.stop - 1
        response["Content-Range"] = f"bytes {part.start}-{last}/{file.size}"
    return response


def media_type(file: DataFile) -> str:
    form = FORMATS[file.format]
    return "application/gzip" if form.stream else form.media_type


def signed_link(file: DataFile) -> str:
    name = builds.name_of(file)
    parameters = {
        "ResponseContentType": media_type(file),
        "ResponseContentDisposition": f'attachment; filename="{name}"',
    }
    return cast(Any, default_storage).url(file.name, parameters=parameters)  # type: ignore[no-any-return]
