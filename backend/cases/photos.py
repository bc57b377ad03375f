"""An upload made upright, small and free of metadata."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import BinaryIO
from uuid import UUID, uuid4

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import InterfaceError, OperationalError
from PIL import Image, ImageOps

FORMATS = ("JPEG", "PNG", "WEBP")
LARGEST_SIDE = 1600
THUMBNAIL_SIDE = 320
MOST_BYTES = 12 * 1024 * 1024
MOST_PIXELS = 50_000_000
MOST_PHOTOS = 4
QUALITY = 82

# Pillow refuses twice this, and warns above it: the warning is made an error below.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS


class NotAnImage(Exception):
    """The bytes are no whole JPEG, PNG or WebP."""


class ImageTooLarge(Exception):
    """More bytes or more pixels than a phone's photo has."""


@dataclass(frozen=True)
class CleanPhoto:
    """A photo as it will be published: new JPEGs, made from the pixels alone."""

    image: bytes
    thumbnail: bytes
    width: int
    height: int
    sha256: str  # of what was sent


@dataclass(frozen=True)
class StoredPhoto:
    """A clean photo whose files are on the disk, under names nobody can guess."""

    id: UUID
    photo: CleanPhoto
    image: str
    thumbnail: str


def digest_of(upload: BinaryIO) -> str:
    """SHA-256 of an upload, which is left at its start."""
    upload.seek(0)
    digest = hashlib.sha256(upload.read()).hexdigest()
    upload.seek(0)
    return digest


def clean_photo(upload: BinaryIO) -> CleanPhoto:
    """Decode a JPEG, PNG or WebP, whatever it is called, and draw it anew.

    Raises NotAnImage, ImageTooLarge.
    """
    upload.seek(0, 2)
    if upload.tell() > MOST_BYTES:
        raise ImageTooLarge
    digest = digest_of(upload)
    picture = decoded(upload)
    picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.LANCZOS)
    small = picture.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    return CleanPhoto(
        image=jpeg(picture),
        thumbnail=jpeg(small),
        width=picture.width,
        height=picture.height,
        sha256=digest,
    )


def decoded(upload: BinaryIO) -> Image.Image:
    """The pixels, upright, without a trace of what came beside them."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            with Image.open(upload, formats=FORMATS) as picture:
                refuse_animations(picture)
                # JPEG can be decoded at half or a quarter size, several times faster.
                picture.draft("RGB", (2 * LARGEST_SIDE, 2 * LARGEST_SIDE))
                picture.load()
                return flattened(ImageOps.exif_transpose(picture))
        except (Image.DecompressionBombError, Image.DecompressionBombWarning) as bomb:
            raise ImageTooLarge from bomb
        except (OSError, SyntaxError, ValueError, EOFError, IndexError) as broken:
            # The decoders have no one word for a damaged file.
            raise NotAnImage from broken


def refuse_animations(picture: Image.Image) -> None:
    if getattr(picture, "n_frames", 1) > 1:
        raise NotAnImage


def flattened(picture: Image.Image) -> Image.Image:
    """On white where it was transparent, in RGB, in a new image without `info`."""
    with_alpha = picture.convert("RGBA")
    plain = Image.new("RGB", picture.size, "white")
    plain.paste(with_alpha, mask=with_alpha.getchannel("A"))
    return plain


def jpeg(picture: Image.Image) -> bytes:
    file = BytesIO()
    picture.save(file, "JPEG", quality=QUALITY, progressive=True, optimize=True)
    return file.getvalue()


@contextmanager
def stored(photos: Iterable[CleanPhoto], at: datetime) -> Iterator[list[StoredPhoto]]:
    """Photos kept on the disk before the rows that name them are committed.

    If the body fails, their files are taken away again; not when the connection broke,
    for the commit may have happened: a file too many is better than one too few.
    """
    kept: list[StoredPhoto] = []
    try:
        for photo in photos:
            kept.append(store(photo, at))
        yield kept
    except (OperationalError, InterfaceError):
        raise
    except BaseException:
        discard(kept)
        raise


def discard(photos: Iterable[StoredPhoto]) -> None:
    for photo in photos:
        default_storage.delete(photo.image)
        default_storage.delete(photo.thumbnail)


def store(photo: CleanPhoto, at: datetime) -> StoredPhoto:
    key = uuid4()
    folder = f"{at:%Y/%m}"
    return StoredPhoto(
        id=key,
        photo=photo,
        image=default_storage.save(f"{folder}/{key}.jpg", ContentFile(photo.image)),
        thumbnail=default_storage.save(
            f"{folder}/{key}-{THUMBNAIL_SIDE}.jpg", ContentFile(photo.thumbnail)
        ),
    )
