"""A photo of a case, for whoever may see it."""

from __future__ import annotations

import logging

from django.core.files.storage import default_storage
from django.db.models import Q
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from backend.cases.models import Photo
from backend.cases.photo_links import may_see

log = logging.getLogger(__name__)


@require_safe
def photo(request: HttpRequest, name: str) -> HttpResponseBase:
    """A cleaned photo by its unguessable name: nothing else of the storage is here."""
    if "\0" in name:
        raise Http404
    found = (
        Photo.objects.select_related("case")
        .filter(Q(image=name) | Q(thumbnail=name))
        .first()
    )
    if found is None or not may_see(found, name, request.GET.get("s", "")):
        raise Http404
    public = found.case.is_public
    try:
        file = default_storage.open(name)
    except FileNotFoundError as lost:
        log.error("the file of photo %s is lost", found.pk)
        raise Http404 from lost
    return FileResponse(
        file,
        content_type="image/jpeg",
        headers={
            "Cache-Control": "public, max-age=3600" if public else "no-store",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "Cross-Origin-Resource-Policy": "same-site",
        },
    )
