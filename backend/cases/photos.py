"""An upload made upright, small and free of metadata."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from math import ceil
from threading import Lock
from typing import BinaryIO
from uuid import UUID, uuid4

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import InterfaceError, OperationalError
from PIL import ExifTags, Image

FORMATS = ("JPEG", "PNG", "WEBP")
# A JPEG is decoded at a half, a quarter or an eighth of its size; the others, and a
# progressive JPEG, only whole, at up to 16 bytes a pixel.
MOST_PIXELS = 50_000_000
MOST_PIXELS_WHOLE = 13_000_000
MOST_PIXELS_A_SIDE = 65_535  # a JPEG's own limit: a row costs memory, however short
LARGEST_SIDE = 1600
THUMBNAIL_SIDE = 320
MOST_BYTES = 12 * 1024 * 1024
MOST_PHOTOS = 4
QUALITY = 82
ROWS_AT_ONCE = 128

# Pillow warns above this, and refuses twice as much before it makes room for it.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS

# One photo at a time in each process: decoding is work for the processor, not waiting,
# and the memory of one is then the memory of all.
decoding = Lock()

# The decoders have no one word for a damaged file.
BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error)

# How to turn a picture that the EXIF orientation calls not upright.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


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
    """A clean photo and where its files are kept, under names nobody can guess."""

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
    with decoding:
        picture = decoded(upload)
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
    """The pixels, upright and small, without a trace of what came beside them."""
    try:
        with Image.open(upload, formats=FORMATS) as picture:
            refuse_giants(picture)
            refuse_animations(picture)
            picture.draft("RGB", fitted(picture))
            picture.load()
            plain = flattened(picture)
            plain.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.LANCZOS)
            return upright(plain, picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as bomb:
        raise ImageTooLarge from bomb
    except BROKEN as broken:
        raise NotAnImage from broken


def refuse_giants(picture: Image.Image) -> None:
    whole = picture.format in {"PNG", "WEBP"} or "progressive" in picture.info
    most = MOST_PIXELS_WHOLE if whole else MOST_PIXELS
    if picture.width * picture.height > most:
        raise ImageTooLarge
    if max(picture.size) > MOST_PIXELS_A_SIDE:
        raise ImageTooLarge


def refuse_animations(picture: Image.Image) -> None:
    # What follows a phone's JPEG (MPO) is its depth or a second view: not wanted.
    if picture.format != "MPO" and getattr(picture, "n_frames", 1) > 1:
        raise NotAnImage


def fitted(picture: Image.Image) -> tuple[int, int]:
    """The size it will have: a JPEG is decoded near it, in a fraction of the time."""
    scale = min(1, LARGEST_SIDE / max(picture.size))
    return ceil(picture.width * scale), ceil(picture.height * scale)


def flattened(picture: Image.Image) -> Image.Image:
    """On white where it was transparent, in RGB, in a new image without `info`.

    Of a picture far too large only every so many pixels' mean, and band by band: a file
    of a few kB can hold millions of pixels.
    """
    factor = max(1, max(picture.size) // (2 * LARGEST_SIDE))
    size = ceil(picture.width / factor), ceil(picture.height / factor)
    plain = Image.new("RGB", size)
    for top in range(0, picture.height, ROWS_AT_ONCE * factor):
        bottom = min(top + ROWS_AT_ONCE * factor, picture.height)
        band = picture.crop((0, top, picture.width, bottom))
        plain.paste(on_white(band).reduce(factor), (0, top // factor))
    return plain


def on_white(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I;16"):
        # Pillow would cut off all above 255 instead of dividing.
        picture = picture.point(lambda value: value / 256).convert("L")
    with_alpha = picture.convert("RGBA")
    plain = Image.new("RGB", picture.size, "white")
    plain.paste(with_alpha, mask=with_alpha.getchannel("A"))
    return plain


def upright(plain: Image.Image, original: Image.Image) -> Image.Image:
    try:
        turn = TURNS.get(original.getexif().get(ExifTags.Base.Orientation, 1))
    except BROKEN:
        return plain  # The pixels are whole: damaged words about them cost no photo.
    return plain if turn is None else plain.transpose(turn)


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
            kept.append(named(photo, at))
            store(kept[-1])
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


def named(photo: CleanPhoto, at: datetime) -> StoredPhoto:
    key = uuid4()
    folder = f"{at:%Y/%m}"
    return StoredPhoto(
        id=key,
        photo=photo,
        image=f"{folder}/{key}.jpg",
        thumbnail=f"{folder}/{key}-{THUMBNAIL_SIDE}.jpg",
    )


def store(kept: StoredPhoto) -> None:
    default_storage.save(kept.image, ContentFile(kept.photo.image))
    default_storage.save(kept.thumbnail, ContentFile(kept.photo.thumbnail))
