"""What a file says it is, read from its first bytes."""

from __future__ import annotations

import struct
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from backend.cases import photo_headers
from backend.cases.photo_headers import (
    MOST_PIXELS_HEIC,
    MOST_PIXELS_WHOLE,
    MOST_SEGMENTS,
    Header,
    HeicNotRead,
    ImageTooLarge,
    NotAnImage,
    looked_at,
)
from tests.backend.cases.test_photo_cleaning import (
    FORMATS,
    MUTATIONS,
    WHOLE,
    full_of_secrets,
    mutate,
    resized_jpeg,
    saved,
    with_size,
)
from tests.factories import make_photo


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("size", [(640, 480), (1, 1), (300, 4000)])
def test_a_photo_says_its_format_and_its_size(format, size):
    upload = make_photo(size, format=format)
    upload.seek(7)
    assert looked_at(upload)[:3] == (format, *size)
    assert upload.tell() == 0


@pytest.mark.parametrize(
    "options", [{"lossless": True}, {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"}]
)
def test_every_kind_of_webp_says_its_size(options):
    upload = saved(Image.new("RGBA", (321, 123), (9, 9, 9, 9)), "WEBP", **options)
    assert looked_at(upload)[:3] == ("WEBP", 321, 123)


def test_what_stands_before_the_pixels_is_passed_over():
    for content in (*full_of_secrets().values(), *WHOLE.values()):
        assert looked_at(BytesIO(content)).width in (200, 40)


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_says_whether_it_is_held_whole(progressive):
    upload = saved(Image.new("L", (16, 16)), "JPEG", progressive=progressive)
    assert looked_at(upload).in_one_go != progressive
    large = BytesIO(resized_jpeg(upload.getvalue(), 5_000, 4_000))
    if progressive:
        with pytest.raises(ImageTooLarge):
            looked_at(large)
    else:
        assert looked_at(large).width == 5_000


@pytest.mark.parametrize(
    ("format", "width", "height"),
    [
        ("JPEG", 12_000, 9_000),
        ("JPEG", 65_535, 65_535),
        ("PNG", 2**31 - 1, 2**31 - 1),
        ("PNG", MOST_PIXELS_WHOLE + 1, 1),
        ("PNG", 1, 70_000),
        ("WEBP", 16_383, 16_383),
    ],
)
def test_giants_are_refused_before_anything_is_decoded(format, width, height):
    with pytest.raises(ImageTooLarge):
        looked_at(BytesIO(with_size(format, width, height)))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_half_a_photo_is_refused(format, share):
    whole = saved(Image.effect_noise((320, 240), 80), format).getvalue()
    with pytest.raises(NotAnImage):
        looked_at(BytesIO(whole[: int(len(whole) * share)]))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a" + b"\0" * 60,
        b"\xff\xd8\xff\xe0<html>" * 50,
        b"\xff\xd8" + b"\xff\xe0\0\2" * (MOST_SEGMENTS + 1),
        b"\xff\xd8" + b"\xff" * 5_000_000,
        with_size("PNG", 0, 16),
    ],
)
def test_what_is_no_photo_is_refused(content):
    with pytest.raises(NotAnImage):
        looked_at(BytesIO(content))


@given(kind=st.sampled_from(sorted(WHOLE)), mutations=MUTATIONS)
@hypothesis_settings(max_examples=150, deadline=None)
def test_a_damaged_file_is_let_in_or_refused_and_nothing_else(kind, mutations):
    content = bytearray(WHOLE[kind])
    for what, where, how in mutations:
        mutate(content, what, where, how)
    try:
        header = looked_at(BytesIO(content))
    except (NotAnImage, ImageTooLarge):
        return
    assert header.width * header.height > 0


# ── HEIC ─────────────────────────────────────────────────────────────────────────


def test_a_heic_says_the_size_of_its_largest_picture():
    assert looked_at(heic((160, 120), (4032, 3024))) == Header("HEIF", 4032, 3024)
    with pytest.raises(ImageTooLarge):
        looked_at(heic((6_000, MOST_PIXELS_HEIC // 6_000 + 1)))


def test_without_its_decoder_a_heic_is_no_photo_and_the_person_is_told_why(monkeypatch):
    monkeypatch.setattr(photo_headers, "reads_heic", lambda: False)
    with pytest.raises(HeicNotRead):
        looked_at(heic((160, 120)))


@pytest.mark.parametrize("cut", [20, 40, 60, 80])
def test_half_a_heic_is_refused(cut):
    with pytest.raises(NotAnImage):
        looked_at(BytesIO(heic((160, 120)).getvalue()[:cut]))


def heic(*sizes: tuple[int, int]) -> BytesIO:
    """The outside of a HEIC; there are no pixels in it."""
    said = b"".join(
        box(b"ispe", b"\0\0\0\0" + struct.pack(">II", *size)) for size in sizes
    )
    properties = box(b"iprp", box(b"ipco", said))
    return BytesIO(
        box(b"ftyp", b"heic\0\0\0\0mif1heic")
        + box(b"meta", b"\0\0\0\0" + properties)
        + box(b"mdat", b"pixels")
    )


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + kind + content
