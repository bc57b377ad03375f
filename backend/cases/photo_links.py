"""The addresses of photos, and who may follow them."""

from __future__ import annotations

from django.core.signing import BadSignature, TimestampSigner
from django.urls import reverse

from backend.cases.models import Photo

VALID_SECONDS = 600


def url_of(photo: Photo, *, thumbnail: bool = False) -> str:
    """Where a photo is: for a case that is not public, a link that soon expires."""
    name = photo.thumbnail if thumbnail else photo.image
    url = reverse("photo", args=[name])
    if photo.case.is_public:
        return url
    return f"{url}?s={signer().sign(name).removeprefix(f'{name}:')}"


def may_see(photo: Photo, name: str, signature: str) -> bool:
    """Whether a caller with this signature, perhaps none, may see the photo."""
    if photo.case.is_public:
        return True
    try:
        signer().unsign(f"{name}:{signature}", max_age=VALID_SECONDS)
    except BadSignature:
        return False
    return True


def signer() -> TimestampSigner:
    return TimestampSigner(salt="photo")
