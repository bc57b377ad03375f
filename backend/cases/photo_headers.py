"""What a file says it is, read from its first bytes: no decoder is asked."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from typing import BinaryIO, NamedTuple

# A JPEG is decoded at a half, a quarter or an eighth of its size; the others, and a
# progressive JPEG, only whole, at up to 16 bytes a pixel; a HEIC whole, at fewer bytes.
MOST_PIXELS = 50_000_000
MOST_PIXELS_WHOLE = 13_000_000
MOST_PIXELS_HEIC = 25_000_000
MOST_PIXELS_A_SIDE = 65_535  # a JPEG's own limit: a row costs memory, however short
MOST_BYTES = 12 * 1024 * 1024
MOST_PHOTOS = 4

JPEG = b"\xff\xd8\xff"
PNG = b"\x89PNG\r\n\x1a\n"
END_OF_JPEG = b"\xff\xd9"
START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
DRAWN_IN_ONE_GO = frozenset({0xC0, 0xC1})  # baseline and extended: row after row
WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})
START_OF_SCAN = 0xDA
MOST_SEGMENTS = 5_000  # before the pixels; a phone writes some dozens
HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1"})
# As many bytes as tell the format, whatever it is.
TELLING = 16


class NotAnImage(Exception):
    """The bytes are no whole JPEG, PNG or WebP."""


class HeicNotRead(NotAnImage):
    """A HEIC, and the optional decoder is not installed."""


class ImageTooLarge(Exception):
    """More bytes or more pixels than a phone's photo has."""


class Header(NamedTuple):
    format: str
    width: int
    height: int
    in_one_go: bool = False


def looked_at(upload: BinaryIO) -> Header:
    """What an upload says it is; it is left at its start.

    Raises NotAnImage where already its outside shows that it is none, or not a whole
    one; ImageTooLarge by what it says of itself. The pixels are the job's to judge.
    """
    upload.seek(0, 2)
    if upload.tell() > MOST_BYTES:
        raise ImageTooLarge
    upload.seek(0)
    content = upload.read()
    upload.seek(0)
    header = header_of(content)
    refuse_giants(header)
    return header


def format_of(start: bytes) -> str:
    """The format that a file's first bytes claim. Raises NotAnImage."""
    if start.startswith(JPEG):
        return "JPEG"
    if start.startswith(PNG):
        return "PNG"
    if start.startswith(b"RIFF") and start[8:12] == b"WEBP":
        return "WEBP"
    if start[4:8] == b"ftyp" and start[8:12] in HEIC_BRANDS:
        if not reads_heic():
            raise HeicNotRead
        return "HEIF"
    raise NotAnImage


def reads_heic() -> bool:
    return find_spec("pi_heif") is not None


def header_of(content: bytes) -> Header:
    read = {"JPEG": of_jpeg, "PNG": of_png, "WEBP": of_webp, "HEIF": of_heic}
    try:
        header = read[format_of(content[:TELLING])](content)
    except (IndexError, ValueError) as broken:
        raise NotAnImage from broken
    if not (header.width and header.height):
        raise NotAnImage
    return header


def refuse_giants(header: Header) -> None:
    most = MOST_PIXELS if header.in_one_go else MOST_PIXELS_WHOLE
    if header.format == "HEIF":
        most = MOST_PIXELS_HEIC
    if header.width * header.height > most:
        raise ImageTooLarge
    if max(header.width, header.height) > MOST_PIXELS_A_SIDE:
        raise ImageTooLarge


def of_jpeg(content: bytes) -> Header:
    header = None
    for marker, at in segments(content):
        if marker in START_OF_FRAME and header is None:
            height, width = number(content, at + 3, 2), number(content, at + 5, 2)
            header = Header("JPEG", width, height, marker in DRAWN_IN_ONE_GO)
        if marker == START_OF_SCAN and header:
            # Within the pixels every 0xFF is followed by a zero: this is the end. Sought
            # from there, where it nearly always is.
            if content.rfind(END_OF_JPEG, at) < 0:
                raise NotAnImage
            return header
    raise NotAnImage


def segments(content: bytes) -> Iterator[tuple[int, int]]:
    """The markers of a JPEG, and where what they say begins."""
    at = 2
    for _ in range(MOST_SEGMENTS):
        at = content.index(b"\xff", at)
        marker = content[at + 1]
        if marker in (0x00, 0xFF):
            at += 1
        elif marker in WITHOUT_LENGTH:
            at += 2
        else:
            yield marker, at + 2
            at += 2 + number(content, at + 2, 2)


def of_png(content: bytes) -> Header:
    if content[12:16] != b"IHDR" or content.find(b"IEND", 33) < 0:
        raise NotAnImage
    return Header("PNG", number(content, 16, 4), number(content, 20, 4))


def of_webp(content: bytes) -> Header:
    if int.from_bytes(content[4:8], "little") + 8 > len(content):
        raise NotAnImage
    kind, at = content[12:16], 20
    if kind == b"VP8X":
        return Header(
            "WEBP", little(content, at + 4, 3) + 1, little(content, at + 7, 3) + 1
        )
    if kind == b"VP8L" and content[at] == 0x2F:
        sides = little(content, at + 1, 4)
        return Header("WEBP", (sides & 0x3FFF) + 1, (sides >> 14 & 0x3FFF) + 1)
    if kind == b"VP8 " and content[at + 3 : at + 6] == b"\x9d\x01\x2a":
        width, height = little(content, at + 6, 2), little(content, at + 8, 2)
        return Header("WEBP", width & 0x3FFF, height & 0x3FFF)
    raise NotAnImage


def of_heic(content: bytes) -> Header:
    """The largest of its pictures: the others are tiles of it, or its thumbnail."""
    properties = content
    for name, skipped in ((b"meta", 4), (b"iprp", 0), (b"ipco", 0)):
        properties = dict(boxes(properties)).get(name, b"")[skipped:]
    sizes = [
        (number(body, 4, 4), number(body, 8, 4))
        for kind, body in boxes(properties)
        if kind == b"ispe"
    ]
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    return Header("HEIF", width, height)


def boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The boxes of an ISO base media file (ISO/IEC 14496-12), one after the other."""
    at = 0
    while at + 8 <= len(content):
        length = number(content, at, 4)
        if length < 8:
            return  # The last one, to the end of the file.
        if at + length > len(content):
            raise NotAnImage
        yield content[at + 4 : at + 8], content[at + 8 : at + length]
        at += length


def number(content: bytes, at: int, length: int) -> int:
    return int.from_bytes(exactly(content, at, length), "big")


def little(content: bytes, at: int, length: int) -> int:
    return int.from_bytes(exactly(content, at, length), "little")


def exactly(content: bytes, at: int, length: int) -> bytes:
    found = content[at : at + length]
    if len(found) < length:
        raise NotAnImage
    return found
