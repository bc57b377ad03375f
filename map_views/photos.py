"""A photo of a case, for whoever may see it."""

from __future__ import annotations

import logging
from typing import Any, cast
from urllib.parse import quote

from django.conf import settings
from django.core.files.storage import default_storage
from django.db.models import Q
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponseBase,
    HttpResponseRedirect,
)
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from backend.cases.models import Photo
from backend.cases.photo_links import is_public, may_see
from backend.cases.storage import opened

log = logging.getLogger(__name__)

# Who keeps a photo asks each time whether it may still be seen: a picture that a person
# has just withheld must not live on in a cache. The answer is mostly a 304, of no bytes.
ASK_EACH_TIME = "public, no-cache"


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
    response = bytes_of(request, found, name)
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-site"
    response["X-Robots-Tag"] = "noindex"
    return response


def bytes_of(request: HttpRequest, found: Photo, name: str) -> HttpResponseBase:
    if settings.S3_SIGNED_LINKS:
        return HttpResponseRedirect(
            signed_link(name), headers={"Cache-Control": "no-store"}
        )
    # A name is never given to other bytes.
    etag = f'"{quote(name)}"'
    headers = {"Cache-Control": "no-store"}
    if is_public(found):
        headers = {"Cache-Control": ASK_EACH_TIME, "ETag": etag}
        unchanged = get_conditional_response(request, etag=etag)
        if unchanged is not None:
            unchanged["Cache-Control"], unchanged["ETag"] = ASK_EACH_TIME, etag
            return unchanged
    try:
        file = opened(name)
    except FileNotFoundError as lost:
        log.error("the file of photo %s is lost", found.pk)
        raise Http404 from lost
    return FileResponse(file, content_type="image/jpeg", headers=headers)


def signed_link(name: str) -> str:
    """A link into the S3 that expires, and that makes of the file a picture only."""
    parameters = {
        "ResponseContentType": "image/jpeg",
        "ResponseCacheControl": f"private, max-age={settings.S3_LINK_SECONDS}",
    }
    return cast(Any, default_storage).url(name, parameters=parameters)  # type: ignore[no-any-return]
