"""The addresses of photos, and who may follow them."""

from __future__ import annotations

from django.core.signing import BadSignature, TimestampSigner
from django.urls import reverse

from backend.cases.models import Photo

VALID_SECONDS = 600


def url_of(photo: Photo, *, thumbnail: bool = False) -> str:
    """Where a photo is: if not for everybody's eyes, a link that soon expires."""
    name = photo.thumbnail if thumbnail else photo.image
    url = reverse("photo", args=[name])
    if is_public(photo):
        return url
    return f"{url}?s={signer().sign(name).removeprefix(f'{name}:')}"


def may_see(photo: Photo, name: str, signature: str) -> bool:
    """Whether a caller with this signature, perhaps none, may see the photo."""
    if is_public(photo):
        return True
    if not may_be_linked(photo):
        return False
    try:
        signer().unsign(f"{name}:{signature}", max_age=VALID_SECONDS)
    except BadSignature:
        return False
    return True


def is_public(photo: Photo) -> bool:
    return photo.case.is_public and photo.is_shown


def may_be_linked(photo: Photo) -> bool:
    """What is released; and what a reporter sent, for them: see `photos.shown`."""
    return photo.is_shown or photo.change_id is None


def signer() -> TimestampSigner:
    return TimestampSigner(salt="photo")
