"""An upload made upright, small and free of metadata; and what the metadata said."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import datetime, timezone
from io import BytesIO
from math import ceil, isfinite
from typing import Any, BinaryIO

from PIL import ExifTags, Image

from backend.cases.photo_headers import (
    MOST_BYTES,
    MOST_PIXELS,
    TELLING,
    Header,
    ImageTooLarge,
    NotAnImage,
    format_of,
    refuse_giants,
)

LARGEST_SIDE = 1600
THUMBNAIL_SIDE = 320
QUALITY = 82
ROWS_AT_ONCE = 128

# Pillow warns above this, and refuses twice as much before it makes room for it.
Image.MAX_IMAGE_PIXELS = MOST_PIXELS

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


# A picture of hardly any structure (a wall, the night) is like all others of its kind.
LEAST_BITS, MOST_BITS = 6, 58
# Of what a camera's clock may say, what is no broken clock.
YEARS = range(1990, 2100)


@dataclass(frozen=True)
class CleanPhoto:
    """A photo as it will be published: new JPEGs, made from the pixels alone.

    Beside them what nobody is shown: `fingerprint`, 64 bits that change little when the
    picture does; when and where its EXIF says that it was taken, the moment without
    offset where the camera knew none, the place as longitude and latitude (WGS 84).
    """

    image: bytes
    thumbnail: bytes
    width: int
    height: int
    fingerprint: int | None = None
    taken_at: datetime | None = None
    taken_location: tuple[float, float] | None = None


def clean_photo(upload: BinaryIO) -> CleanPhoto:
    """Decode a JPEG, PNG or WebP, whatever it is called, and draw it anew.

    Also a HEIC, where its decoder is installed. Raises NotAnImage, ImageTooLarge.
    """
    upload.seek(0, 2)
    if upload.tell() > MOST_BYTES:
        raise ImageTooLarge
    picture, exif = decoded(upload)
    small = picture.copy()
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    return CleanPhoto(
        image=jpeg(picture),
        thumbnail=jpeg(small),
        width=picture.width,
        height=picture.height,
        fingerprint=fingerprint_of(small),
        taken_at=taken_at(exif),
        taken_location=taken_location(exif),
    )


def decoded(upload: BinaryIO) -> tuple[Image.Image, Image.Exif]:
    """The pixels, upright and small, without a trace of what came beside them; that."""
    try:
        with Image.open(upload, formats=(claimed(upload),)) as picture:
            refuse_giants(header(picture))
            refuse_animations(picture)
            picture.draft("RGB", fitted(picture))
            picture.load()
            plain = flattened(picture)
            plain.thumbnail((LARGEST_SIDE, LARGEST_SIDE), Image.Resampling.LANCZOS)
            exif = exif_of(picture)
            return upright(plain, exif), exif
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as bomb:
        raise ImageTooLarge from bomb
    except BROKEN as broken:
        raise NotAnImage from broken


def claimed(upload: BinaryIO) -> str:
    """The one decoder that a file asks for, and gets."""
    upload.seek(0)
    format = format_of(upload.read(TELLING))
    upload.seek(0)
    if format == "HEIF":
        from pi_heif import register_heif_opener

        # One thread, and the photo alone: no thumbnail, no depth, no other views.
        register_heif_opener(
            decode_threads=1, thumbnails=False, depth_images=False, aux_images=False
        )
    return format


def header(picture: Image.Image) -> Header:
    in_one_go = picture.format in {"JPEG", "MPO"} and "progressive" not in picture.info
    return Header(picture.format or "", *picture.size, in_one_go)


def exif_of(picture: Image.Image) -> Image.Exif:
    try:
        exif = picture.getexif()
        exif.get(ExifTags.Base.Orientation)
    except BROKEN:
        return Image.Exif()  # The pixels are whole: damaged words cost no photo.
    return exif


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


def upright(plain: Image.Image, exif: Image.Exif) -> Image.Image:
    try:
        turn = TURNS.get(exif.get(ExifTags.Base.Orientation, 1))
    except TypeError:  # a list of orientations
        return plain
    return plain if turn is None else plain.transpose(turn)


def jpeg(picture: Image.Image) -> bytes:
    file = BytesIO()
    picture.save(file, "JPEG", quality=QUALITY, progressive=True, optimize=True)
    return file.getvalue()


def fingerprint_of(picture: Image.Image) -> int | None:
    """A perceptual hash (dHash): 64 bits, each whether a spot is darker than the next.

    As a signed number, as the database keeps it. None of a picture without structure.
    """
    tiny = picture.convert("L").resize((9, 8), Image.Resampling.BOX).tobytes()
    bits = 0
    for row in range(8):
        for left in range(row * 9, row * 9 + 8):
            bits = bits << 1 | (tiny[left] < tiny[left + 1])
    if not LEAST_BITS <= bits.bit_count() <= MOST_BITS:
        return None
    return bits - (1 << 64) if bits >> 63 else bits


def taken_at(exif: Image.Exif) -> datetime | None:
    """When the camera's clock says that the photo was taken."""
    said = directory(exif, ExifTags.IFD.Exif)
    text: Any = said.get(ExifTags.Base.DateTimeOriginal)
    text = text or exif.get(ExifTags.Base.DateTime)
    offset = said.get(ExifTags.Base.OffsetTimeOriginal)
    try:
        moment = datetime.strptime(text, "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - local
        zone = datetime.strptime(offset, "%z").utcoffset() if offset else None
    except (TypeError, ValueError):
        return None
    if moment.year not in YEARS:
        return None
    return moment.replace(tzinfo=timezone(zone)) if zone is not None else moment


def taken_location(exif: Image.Exif) -> tuple[float, float] | None:
    """Where the camera says that the photo was taken: longitude and latitude."""
    said = directory(exif, ExifTags.IFD.GPSInfo)
    try:
        lon = degrees(
            said[ExifTags.GPS.GPSLongitude], said[ExifTags.GPS.GPSLongitudeRef], "EW"
        )
        lat = degrees(
            said[ExifTags.GPS.GPSLatitude], said[ExifTags.GPS.GPSLatitudeRef], "NS"
        )
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return None
    if not (abs(lon) <= 180 and abs(lat) <= 90) or lon == lat == 0:
        return None  # Where a camera is that does not know where it is: 0, 0.
    return lon, lat


def degrees(parts: Any, side: Any, sides: str) -> float:
    """Raises ValueError, and what the arithmetic of strangers' fractions raises."""
    whole, minutes, seconds = map(float, parts)
    value = whole + minutes / 60 + seconds / 3600
    if not isfinite(value) or side not in tuple(sides):
        raise ValueError(side)
    return value if side == sides[0] else -value


def directory(exif: Image.Exif, which: int) -> dict[int, Any]:
    try:
        return exif.get_ifd(which)
    except BROKEN:
        return {}
