"""An upload made upright, small and free of metadata; and what the metadata said."""

from __future__ import annotations

import base64
import random
import struct
import subprocess
import sys
import zlib
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from django.conf import settings
from hypothesis import given, note
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms, ImageDraw, PngImagePlugin

from backend.cases import photo_cleaning
from backend.cases.photo_cleaning import (
    LARGEST_SIDE,
    THUMBNAIL_SIDE,
    CleanPhoto,
    clean_photo,
)
from backend.cases.photo_doubts import NEAR_BITS
from backend.cases.photo_headers import (
    MOST_PIXELS,
    MOST_PIXELS_WHOLE,
    ImageTooLarge,
    NotAnImage,
)
from tests.factories import make_photo

# Pillow has things to say of damaged files; a server goes on after them.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

FORMATS = ["JPEG", "PNG", "WEBP"]
MOST_GROWTH_MB = 150
CORNERS = ["red", "lime", "blue", "yellow"]
XMP = (
    b"<?xpacket begin=''?><x:xmpmeta xmlns:x='adobe:ns:meta/' "
    b"xmlns:GPS='http://ns.adobe.com/exif/1.0/'>SECRET-XMP</x:xmpmeta>"
)
SECRETS = [
    b"SECRET",
    b"Exif",
    b"http://ns.adobe",
    b"ICC_PROFILE",
    b"8BIM",
    b"xpacket",
    b"<script",
    b"GPS",
]


def test_a_photo_comes_back_as_a_jpeg_with_a_thumbnail():
    upload = make_photo((4000, 3000))
    clean = clean_photo(upload)
    assert (clean.width, clean.height) == (1600, 1200)
    assert opened(clean.image).size == (1600, 1200)
    assert opened(clean.thumbnail).size == (320, 240)


@pytest.mark.parametrize("format", FORMATS)
def test_the_content_decides_and_not_the_name(format, tmp_path):
    path = tmp_path / "hueco.txt"
    path.write_bytes(make_photo(format=format).getvalue())
    with path.open("rb") as upload:
        assert opened(clean_photo(upload).image).format == "JPEG"


@pytest.mark.parametrize(
    ("size", "published", "thumbnail"),
    [
        ((1800, 2400), (1200, 1600), (240, 320)),
        ((1601, 1601), (1600, 1600), (320, 320)),
        ((1600, 900), (1600, 900), (320, 180)),
        ((640, 480), (640, 480), (320, 240)),
        ((300, 200), (300, 200), (300, 200)),
        ((1, 1), (1, 1), (1, 1)),
        ((9000, 3), (1600, 1), (320, 1)),
        ((3, 9000), (1, 1600), (1, 320)),
    ],
)
@pytest.mark.parametrize("format", FORMATS)
def test_a_photo_is_made_smaller_and_never_larger(format, size, published, thumbnail):
    clean = clean_photo(make_photo(size, format=format))
    assert opened(clean.image).size == (clean.width, clean.height) == published
    assert opened(clean.thumbnail).size == thumbnail


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", FORMATS)
def test_a_photo_is_upright_however_the_phone_was_held(format, orientation):
    """Drawn as each orientation stores it, it must come back as it was seen."""
    seen = quarters((800, 400))
    stored_as = {
        1: [],
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.ROTATE_270, Image.Transpose.FLIP_LEFT_RIGHT],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.ROTATE_90, Image.Transpose.FLIP_LEFT_RIGHT],
        8: [Image.Transpose.ROTATE_270],
    }
    picture = seen
    for turn in stored_as[orientation]:
        picture = picture.transpose(turn)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    clean = clean_photo(saved(picture, format, exif=exif.tobytes()))
    assert (clean.width, clean.height) == (800, 400)
    assert corners(clean.image) == CORNERS
    assert corners(clean.thumbnail) == CORNERS


@pytest.mark.parametrize("upload", ["jpeg", "png", "webp"])
def test_nothing_but_pixels_is_published(upload):
    sent = full_of_secrets()[upload]
    assert b"SECRET" in sent
    clean = clean_photo(BytesIO(sent))
    for published in (clean.image, clean.thumbnail):
        assert [secret for secret in SECRETS if secret in published] == []
        picture = opened(published)
        assert dict(picture.getexif()) == {}
        assert set(picture.info) <= {
            "jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi",
            "progressive", "progression",
        }  # fmt: skip


def test_what_follows_the_photo_is_not_published():
    polyglot = make_photo().getvalue() + b"<script>alert(1)</script>"
    clean = clean_photo(BytesIO(polyglot))
    assert b"script" not in clean.image + clean.thumbnail


@pytest.mark.parametrize("damage", [b"Exif\0\0", b"Exif\0\0II*\0", b"Exif\0\0nonsense"])
def test_damaged_words_about_a_photo_do_not_cost_the_photo(damage):
    clean = clean_photo(saved(quarters((80, 40)), "JPEG", exif=damage))
    assert corners(clean.image) == CORNERS


def test_a_damaged_exif_directory_of_a_png_is_no_server_error():
    """Pillow reads it with a bare `struct.unpack`."""
    large_head = b"II+\0\x08\0\0\0" + b"\0" * 2
    clean = clean_photo(saved(quarters((80, 40)), "PNG", exif=large_head))
    assert corners(clean.image) == CORNERS


def test_what_was_transparent_is_white():
    picture = Image.new("RGBA", (100, 50), (255, 0, 0, 0))
    picture.paste((0, 0, 255, 255), (50, 0, 100, 50))
    for format in ("PNG", "WEBP"):
        clean = opened(clean_photo(saved(picture, format)).image)
        assert is_near(clean.getpixel((10, 25)), (255, 255, 255))
        assert is_near(clean.getpixel((90, 25)), (0, 0, 255))


@pytest.mark.parametrize(
    ("mode", "format", "colour", "seen"),
    [
        ("CMYK", "JPEG", (0, 255, 255, 0), (255, 0, 0)),
        ("L", "JPEG", 128, (128, 128, 128)),
        ("L", "PNG", 128, (128, 128, 128)),
        ("LA", "PNG", (0, 128), (127, 127, 127)),
        ("1", "PNG", 1, (255, 255, 255)),
        ("1", "PNG", 0, (0, 0, 0)),
        ("P", "PNG", 0, (0, 0, 0)),
        ("I;16", "PNG", 32768, (128, 128, 128)),
        ("I;16", "PNG", 300, (1, 1, 1)),
        ("RGBA", "WEBP", (0, 128, 0, 255), (0, 128, 0)),
    ],
)
def test_photos_of_every_kind_keep_their_colours(mode, format, colour, seen):
    picture = Image.new(mode, (60, 40), colour)
    clean = opened(clean_photo(saved(picture, format)).image)
    assert clean.mode == "RGB"
    assert is_near(clean.getpixel((30, 20)), seen)


def test_a_palette_with_a_transparent_colour_is_understood():
    picture = quarters((80, 40)).quantize(8)
    transparent = picture.getpixel((1, 1))
    clean = opened(clean_photo(saved(picture, "PNG", transparency=transparent)).image)
    assert is_near(clean.getpixel((5, 5)), (255, 255, 255))
    assert is_near(clean.getpixel((75, 5)), (0, 255, 0))


def test_a_large_picture_is_shrunk_without_seams():
    """It is shrunk band by band: a slope of grey must stay one."""
    slope = Image.linear_gradient("L").resize((700, 6501)).convert("RGB")
    for format in ("PNG", "JPEG"):
        clean = opened(clean_photo(saved(slope, format)).image)
        middle = clean.width // 2
        column = (
            clean.convert("L").crop((middle, 0, middle + 1, clean.height)).tobytes()
        )
        right = [255 * (y + 0.5) / clean.height for y in range(clean.height)]
        assert max(abs(a - b) for a, b in zip(column, right, strict=True)) <= 6


def test_a_large_white_picture_stays_white_to_its_edges():
    for size in ((700, 6501), (6501, 700)):
        upload = saved(Image.new("L", size, "white"), "PNG")
        clean = opened(clean_photo(upload).image)
        assert not any(clean.convert("L").histogram()[:250])


def test_of_a_phones_double_picture_the_first_is_the_photo():
    """Some phones keep depth, or a second view, behind the photo (MPO)."""
    depth = Image.new("RGB", (80, 40), "black")
    upload = saved(quarters((80, 40)), "MPO", save_all=True, append_images=[depth])
    assert corners(clean_photo(upload).image) == CORNERS


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_an_animation_is_no_photo(format):
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "blue")]
    upload = saved(frames[0], format, save_all=True, append_images=frames[1:])
    with pytest.raises(NotAnImage):
        clean_photo(upload)


@pytest.mark.parametrize("format", ["GIF", "TIFF", "BMP", "ICO", "PPM", "JPEG2000"])
def test_other_formats_are_refused(format):
    with pytest.raises(NotAnImage):
        clean_photo(make_photo((32, 32), format=format))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"<svg xmlns='http://www.w3.org/2000/svg'><rect width='9' height='9'/></svg>",
        b"<!doctype html><script>alert(1)</script>",
        b"%PDF-1.7\n",
        b"PK\x03\x04" + b"\0" * 40,
        b"\xff\xd8\xff\xe0<html>" * 50,
    ],
)
def test_what_is_no_photo_is_refused(content):
    with pytest.raises(NotAnImage):
        clean_photo(BytesIO(content))


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_half_a_photo_is_refused(format, share):
    whole = saved(Image.effect_noise((320, 240), 80), format).getvalue()
    with pytest.raises(NotAnImage):
        clean_photo(BytesIO(whole[: int(len(whole) * share)]))


def test_a_file_of_more_bytes_than_a_photo_is_refused(monkeypatch):
    upload = make_photo()
    size = len(upload.getvalue())
    monkeypatch.setattr(photo_cleaning, "MOST_BYTES", size)
    clean_photo(upload)
    monkeypatch.setattr(photo_cleaning, "MOST_BYTES", size - 1)
    with pytest.raises(ImageTooLarge):
        clean_photo(upload)


@pytest.mark.parametrize(
    ("format", "width", "height"),
    [
        ("JPEG", 12_000, 9_000),
        ("JPEG", 65_535, 65_535),
        ("PNG", 12_000, 9_000),
        ("PNG", 2**31 - 1, 2**31 - 1),
        ("PNG", MOST_PIXELS_WHOLE + 1, 1),
        ("PNG", 4_000, MOST_PIXELS_WHOLE // 4_000 + 1),
        ("PNG", 1, 70_000),
        ("WEBP", 16_383, 16_383),
        ("WEBP", 4_000, MOST_PIXELS_WHOLE // 4_000 + 1),
    ],
)
def test_giants_are_refused_by_what_they_say_they_are(format, width, height):
    with pytest.raises(ImageTooLarge):
        clean_photo(BytesIO(with_size(format, width, height)))


def test_a_progressive_jpeg_is_held_whole_and_so_has_the_lower_limit():
    small = saved(Image.new("L", (16, 16)), "JPEG", progressive=True).getvalue()
    with pytest.raises(ImageTooLarge):
        clean_photo(BytesIO(resized_jpeg(small, 5_000, 4_000)))


def test_the_photo_of_a_fifty_megapixel_camera_is_taken():
    upload = saved(Image.new("L", (8_160, 6_120)), "JPEG")
    assert MOST_PIXELS >= 8_160 * 6_120
    assert clean_photo(upload).width == LARGEST_SIDE


def test_a_png_full_of_packed_words_is_refused():
    """Megabytes of text in a few kB: Pillow gives up beyond its own limit."""
    text = PngImagePlugin.PngInfo()
    for number in range(80):
        text.add_text(f"k{number}", "x" * 1_000_000, zip=True)
    with pytest.raises(NotAnImage):
        clean_photo(saved(Image.new("L", (8, 8)), "PNG", pnginfo=text))


# Bombs just above the limits, and the largest that are let in, of a few kB each.
BOMBS: dict[str, tuple[str, str, tuple[int, int], dict[str, Any]]] = {
    "JPEG at the limit": ("JPEG", "RGB", (8_160, 6_120), {}),
    "1-bit PNG of 108 megapixels": ("PNG", "1", (12_000, 9_000), {}),
    "tall PNG": ("PNG", "RGB", (200, 65_000), {}),
    "palette PNG at the limit": ("PNG", "P", (4_160, 3_120), {}),
    "transparent PNG at the limit": ("PNG", "RGBA", (4_160, 3_120), {}),
    "progressive JPEG": ("JPEG", "RGB", (4_160, 3_120), {"progressive": True}),
    "WebP at the limit": ("WEBP", "RGB", (4_160, 3_120), {"method": 0, "quality": 1}),
}
MEASURE = """
import resource, sys
from io import BytesIO
from pathlib import Path
from PIL import Image
from backend.cases.photo_cleaning import clean_photo
from backend.cases.photo_headers import ImageTooLarge

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

warm = BytesIO()
Image.new("RGB", (2000, 1500)).save(warm, "JPEG")
clean_photo(warm)
before = peak()
for path in sys.argv[1:]:
    try:
        clean_photo(BytesIO(Path(path).read_bytes()))
    except ImageTooLarge:
        pass
    print((peak() - before) // 1024)
"""


def test_no_upload_takes_much_memory(tmp_path):
    paths = []
    for number, (format, mode, size, options) in enumerate(BOMBS.values()):
        paths.append(tmp_path / str(number))
        bomb = saved(Image.new(mode, size), format, **options).getvalue()
        assert len(bomb) < 1_000_000
        paths[-1].write_bytes(bomb)
    # A process of its own: what it once took shows in its peak for ever.
    measured = subprocess.run(
        [sys.executable, "-c", MEASURE, *map(str, paths)],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    peaks = dict(zip(BOMBS, map(int, measured.stdout.split()), strict=True))
    assert max(peaks.values()) < MOST_GROWTH_MB, peaks
    # It is decoded near the size it will have, and never whole.
    assert peaks["JPEG at the limit"] < MOST_GROWTH_MB / 3, peaks


def test_a_refused_photo_lets_the_next_one_in():
    with pytest.raises(NotAnImage):
        clean_photo(BytesIO(b"no photo"))
    assert clean_photo(make_photo()).width == 640


MUTATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("flip"), st.integers(0, 1 << 20), st.integers(0, 7)),
        st.tuples(st.just("set"), st.integers(0, 1 << 20), st.integers(0, 255)),
        st.tuples(st.just("cut"), st.integers(0, 1 << 20), st.just(0)),
        st.tuples(st.just("drop"), st.integers(0, 1 << 20), st.integers(1, 40)),
        st.tuples(st.just("repeat"), st.integers(0, 1 << 20), st.integers(1, 40)),
    ),
    min_size=1,
    max_size=8,
)


@given(
    kind=st.sampled_from(["jpeg", "png", "webp", "mpo", "palette", "progressive"]),
    mutations=MUTATIONS,
    mend_checksums=st.booleans(),
)
@hypothesis_settings(max_examples=200, deadline=None)
def test_a_damaged_photo_is_refused_or_drawn_anew(kind, mutations, mend_checksums):
    content = bytearray(WHOLE[kind])
    for what, where, how in mutations:
        mutate(content, what, where, how)
    sent = with_right_checksums(bytes(content)) if mend_checksums else bytes(content)
    note(f"{len(sent)} bytes of {kind}")
    try:
        clean = clean_photo(BytesIO(sent))
    except (NotAnImage, ImageTooLarge):
        return
    assert_clean(clean)


def assert_clean(clean: CleanPhoto) -> None:
    for content, side in ((clean.image, LARGEST_SIDE), (clean.thumbnail, 320)):
        picture = opened(content)
        assert (picture.format, picture.mode) == ("JPEG", "RGB")
        assert max(picture.size) <= side
        assert [secret for secret in SECRETS if secret in content] == []
    assert THUMBNAIL_SIDE == 320


# ── What it says of itself, and what it looks like ───────────────────────────────


def test_where_and_when_a_photo_was_taken_is_read_before_it_is_thrown_away():
    clean = clean_photo(taken((8.0, 58.0, 30.0), "N", (79.0, 31.0, 12.0), "W"))
    assert clean.taken_location == pytest.approx((-79.52, 8.975))
    assert clean.taken_at == datetime(2026, 11, 20, 8, 15, 30)  # noqa: DTZ001 - no offset


def test_an_offset_that_the_camera_knows_counts():
    clean = clean_photo(taken(offset="-03:30"))
    assert clean.taken_at == datetime(2026, 11, 20, 11, 45, 30, tzinfo=UTC)


@pytest.mark.parametrize("format", FORMATS)
def test_a_photo_that_says_nothing_of_itself_is_just_as_good(format):
    clean = clean_photo(make_photo(format=format))
    assert (clean.taken_at, clean.taken_location) == (None, None)


WORDS = st.sampled_from(
    ["2026:11:20 08:15:30", "0000:00:00 00:00:00", "9999:12:31 23:59:59", "", "ayer"]
)
PARTS = st.one_of(
    st.tuples(*[st.integers(0, 2**32 - 1)] * 3),
    st.lists(st.floats(0, 400), max_size=4).map(tuple),
)


@given(
    lat=PARTS, lon=PARTS, south=st.text("NSEWx\0", max_size=2), when=WORDS,
    offset=st.sampled_from(["", "-05:00", "+99:99", "Z", "x"]),
)  # fmt: skip
@hypothesis_settings(max_examples=60, deadline=None)
def test_whatever_it_says_of_itself_is_a_place_on_earth_and_a_likely_year_or_nothing(
    lat, lon, south, when, offset
):
    clean = clean_photo(taken(lat, south, lon, "W", when, offset))
    if clean.taken_location:
        lon_, lat_ = clean.taken_location
        assert -180 <= lon_ <= 180
        assert -90 <= lat_ <= 90
    if clean.taken_at:
        assert 1990 <= clean.taken_at.year < 2100


def test_the_same_scene_again_is_nearly_the_same_fingerprint():
    scene = scenery(1)
    first = clean_photo(saved(scene, "JPEG", quality=90)).fingerprint
    smaller = scene.resize((410, 300)).point(lambda value: value * 0.9)
    again = clean_photo(saved(smaller, "JPEG", quality=40)).fingerprint
    other = clean_photo(saved(scenery(2), "JPEG")).fingerprint
    assert bits_between(first, again) <= NEAR_BITS
    assert bits_between(first, other) > 2 * NEAR_BITS
    for known in (first, again, other):
        assert known is not None
        assert -(2**63) <= known < 2**63  # a bigint


@pytest.mark.parametrize("colour", ["black", "white", "teal"])
def test_a_picture_of_nothing_has_no_fingerprint(colour):
    """Or every photo of the night would be one that has been seen before."""
    assert clean_photo(make_photo(colour=colour)).fingerprint is None


def test_a_heic_is_drawn_anew_where_its_decoder_is_installed():
    """As iPhones keep photos. Its EXIF is read, and goes like that of the others."""
    pytest.importorskip("pi_heif")
    clean = clean_photo(BytesIO(HEIC))
    assert opened(clean.image).format == "JPEG"
    assert (clean.width, clean.height) == (80, 40)
    assert corners(clean.image) == CORNERS
    assert clean.taken_location == pytest.approx((-79.52, 8.975))
    assert not [secret for secret in SECRETS if secret in clean.image]
    for share in (0.3, 0.9):
        with pytest.raises(NotAnImage):
            clean_photo(BytesIO(HEIC[: int(len(HEIC) * share)]))


def bits_between(one: int | None, other: int | None) -> int:
    assert one is not None
    assert other is not None
    return ((one ^ other) & (2**64 - 1)).bit_count()


# ── What the tests are made of ────────────────────────────────────────────────────


def opened(content: bytes) -> Image.Image:
    picture = Image.open(BytesIO(content))
    picture.load()
    return picture


def saved(picture: Image.Image, format: str, **options: Any) -> BytesIO:
    file = BytesIO()
    picture.save(file, format, **options)
    file.seek(0)
    return file


def quarters(size: tuple[int, int]) -> Image.Image:
    """Red, green, blue and yellow, read as one reads a page."""
    width, height = size
    picture = Image.new("RGB", size)
    draw = ImageDraw.Draw(picture)
    for number, colour in enumerate(CORNERS):
        left, top = number % 2 * width // 2, number // 2 * height // 2
        draw.rectangle((left, top, left + width // 2, top + height // 2), colour)
    return picture


def corners(content: bytes) -> list[str]:
    picture = opened(content)
    w, h = picture.size
    spots = [(w // 8, h // 8), (w * 7 // 8, h // 8)]
    spots += [(w // 8, h * 7 // 8), (w * 7 // 8, h * 7 // 8)]
    palette = {
        colour: Image.new("RGB", (1, 1), colour).getpixel((0, 0)) for colour in CORNERS
    }
    return [
        next(
            (
                name
                for name, rgb in palette.items()
                if is_near(picture.getpixel(spot), rgb)
            ),
            str(picture.getpixel(spot)),
        )
        for spot in spots
    ]


def is_near(one: Any, other: Any, tolerance: int = 12) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(one, other, strict=True))


# `quarters((80, 40))` with EXIF, written by libheif's heif-enc: no encoder is installed.
HEIC = base64.b64decode(
    "AAAAGGZ0eXBoZWljAAAAAG1pZjFoZWljAAAB4W1ldGEAAAAAAAAAIWhkbHIAAAAAAAAAAHBpY3QAAAAA"
    "AAAAAAAAAAAAAAAADnBpdG0AAAAAAAIAAAAQaWRhdAAAAAAAUAAoAAAATGlsb2MBAAAAREAAAwABAAAA"
    "AAAAAgEAAQAAAAAAAACmAAIAAQAAAAAAAAABAAAAAAAAAAgAAwAAAAAAAAKnAAEAAAAAAAAAkAAAAE1p"
    "aW5mAAAAAAADAAAAFWluZmUCAAABAAEAAGh2YzEAAAAAFWluZmUCAAAAAAIAAGdyaWQAAAAAFWluZmUC"
    "AAABAAMAAEV4aWYAAAAA1WlwcnAAAACzaXBjbwAAAHNodmNDAQNwAAAAAAAAAAAAHvAA/P34+AAADwMg"
    "AAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQCEAAQAnQgEBA3AAAAMAkAAAAwAAAwAeoCiBBZbq5Ka5"
    "sCAAAAMAIAAAAwAhIgABAAZEAcFzwYkAAAAUaXNwZQAAAAAAAABQAAAAQAAAABRpc3BlAAAAAAAAAFAA"
    "AAAoAAAAEHBpeGkAAAAAAwgICAAAABppcG1hAAAAAAAAAAIAAQKBAgACAgOEAAAAKGlyZWYAAAAAAAAA"
    "DmRpbWcAAgABAAEAAAAOY2RzYwADAAEAAgAAAT5tZGF0AAAAoigBrwnR80AjNS3/7tn//v1vIewnpHZ3"
    "KZ/3O6j0BxwP2t3IOTAMQ7WZWdHXfqH7wG/p1oT9BF3V2idWoQXuRy7u0/SRF5ORxEoSD7KAmQkweOe8"
    "iEGb8u207gAcP3z+6xQ+fGvG/GXblV0FAUj67y1mcSQLrWpJ0rGRC8+Fg0ThTTZX35qijoqG21DPQAVM"
    "/SCDJQNrsPgoIGoYQ0MCVW7daAAAAABNTQAqAAAACAACARIAAwAAAAEAAQAAiCUABAAAAAEAAAAmAAAA"
    "AAAEAAEAAgAAAAJOAAAAAAIABQAAAAMAAABcAAMAAgAAAAJXAAAAAAQABQAAAAMAAAB0AAAAAAAAAAgA"
    "AAABAAAAOgAAAAEAAAAeAAAAAQAAAE8AAAABAAAAHwAAAAEAAAAMAAAAAQ=="
)


def full_of_secrets() -> dict[str, bytes]:
    picture = quarters((200, 100))
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "SECRET-PLAIN")
    text.add_text("Author", "SECRET-PACKED", zip=True)
    text.add_itxt("XML:com.adobe.xmp", XMP.decode())
    jpeg = saved(
        picture, "JPEG", exif=exif_with_gps(), icc_profile=icc, xmp=XMP,
        comment=b"SECRET-COMMENT",
    ).getvalue()  # fmt: skip
    # Photoshop's segment, which Pillow reads but does not write.
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0eSECRET-CAPTION"
    segment = b"\xff\xed" + struct.pack(">H", len(iptc) + 2) + iptc
    return {
        "jpeg": jpeg[:2] + segment + jpeg[2:] + b"SECRET-AFTER",
        "png": saved(
            picture, "PNG", exif=exif_with_gps(), icc_profile=icc, pnginfo=text
        ).getvalue()
        + b"SECRET-AFTER",
        "webp": saved(
            picture, "WEBP", exif=exif_with_gps(), icc_profile=icc, xmp=XMP
        ).getvalue(),
    }


def scenery(seed: int) -> Image.Image:
    """Blots of grey, others for another seed."""
    noise = random.Random(seed).randbytes(9 * 8)  # noqa: S311 - no secret
    return Image.frombytes("L", (9, 8), noise).resize((820, 600)).convert("RGB")


def taken(
    lat: Any = (8.0, 58.0, 30.0),
    lat_side: str = "N",
    lon: Any = (79.0, 31.0, 12.0),
    lon_side: str = "W",
    when: str = "2026:11:20 08:15:30",
    offset: str = "",
) -> BytesIO:
    """A photo whose camera says where and when it was taken."""
    exif = Image.Exif()
    said = exif.get_ifd(ExifTags.IFD.Exif)
    said[ExifTags.Base.DateTimeOriginal] = when
    if offset:
        said[ExifTags.Base.OffsetTimeOriginal] = offset
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef], gps[ExifTags.GPS.GPSLatitude] = lat_side, lat
    gps[ExifTags.GPS.GPSLongitudeRef], gps[ExifTags.GPS.GPSLongitude] = lon_side, lon
    return saved(Image.new("RGB", (40, 30)), "JPEG", exif=exif)


def exif_with_gps() -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SECRET-PHONE"
    exif[ExifTags.Base.Orientation] = 1
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef] = "N"
    gps[ExifTags.GPS.GPSLatitude] = (8.0, 58.0, 30.0)
    gps[ExifTags.GPS.GPSMapDatum] = "SECRET-GPS"
    return exif


def with_size(format: str, width: int, height: int) -> bytes:
    """A small file whose header says another size."""
    small = saved(Image.new("L" if format != "WEBP" else "RGB", (16, 16)), format)
    content = small.getvalue()
    if format == "JPEG":
        return resized_jpeg(content, width, height)
    if format == "PNG":
        return with_right_checksums(
            content[:16] + struct.pack(">II", width, height) + content[24:]
        )
    at = content.index(b"\x9d\x01\x2a") + 3
    return content[:at] + struct.pack("<HH", width, height) + content[at + 4 :]


def resized_jpeg(content: bytes, width: int, height: int) -> bytes:
    frame = content.find(b"\xff\xc0")
    frame = frame if frame >= 0 else content.index(b"\xff\xc2")
    at = frame + 5
    return content[:at] + struct.pack(">HH", height, width) + content[at + 4 :]


def with_right_checksums(content: bytes) -> bytes:
    """A changed PNG whose chunks agree with themselves, to reach what reads them."""
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        return content
    mended, at = bytearray(content[:8]), 8
    while at + 12 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        end = at + 8 + length
        if end + 4 > len(content):
            break
        chunk = content[at + 4 : end]
        mended += content[at : at + 4] + chunk + struct.pack(">I", zlib.crc32(chunk))
        at = end + 4
    return bytes(mended) + content[at:]


def mutate(content: bytearray, what: str, where: int, how: int) -> None:
    at = where % max(1, len(content))
    if what == "cut":
        del content[at:]
    elif what == "drop":
        del content[at : at + how]
    elif what == "repeat":
        content[at:at] = content[at : at + how]
    elif content:
        content[at] = content[at] ^ (1 << how) if what == "flip" else how


WHOLE = {
    **full_of_secrets(),
    "mpo": saved(
        quarters((40, 20)), "MPO", save_all=True, append_images=[quarters((40, 20))]
    ).getvalue(),
    "palette": saved(quarters((40, 20)).quantize(8), "PNG", transparency=1).getvalue(),
    "progressive": saved(quarters((40, 20)), "JPEG", progressive=True).getvalue(),
}
