"""What of a report the public may see: the point, and the words."""

from __future__ import annotations

import re
from math import floor

from django.contrib.gis.geos import Point

from backend.accounts.encryption import fingerprint_of
from backend.cases.models import Category
from backend.cases.numbers import parse_case_number

# The public grid: about 100 m a side in Panama (99.5 m north-south, 98.4 m east-west at
# 8.5° N). Fixed, never random: the mean of many random points would give the place away.
GRID_DEGREES = 0.0009

# Before a blurred digest: no other has this letter in it.
BLURRED = "x"

# What is taken out is marked, so that the reader knows.
TAKEN_OUT = "[…]"
EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
# Read from left to right; the first that fits decides. A date of day 10 to 13 with
# hyphens could be an identity card of that province: the card wins.
NUMBERS = re.compile(
    r"""
    (?P<case>  (?<![\d-]) \d{2}-\d{7}-\d (?![\d-]) )
  | (?P<date>  (?<![\d./-])
               (?: (?:19|20)\d\d - (?:0[1-9]|1[0-2]) - (?:0[1-9]|[12]\d|3[01])
                 | (?:0[1-9]|1[4-9]|2\d|3[01]) - (?:0[1-9]|1[0-2]) - (?:19|20)\d\d
                 | (?:0?[1-9]|[12]\d|3[01]) ([./]) (?:0?[1-9]|1[0-2]) \3 (?:19|20)\d\d
               )
               (?! \d | [./-]\d ) )
    # A Panamanian identity card: 8-123-4567, PE-12-345, E-8-12345, 8-AV-12-345;
    # a telephone's keyboard may have made the hyphens longer.
  | (?P<card>  \b (?: PE | E | N | \d{1,2} (?: -?(?:AV|PI) )? )
               [-\u2010-\u2015]\d{1,4}[-\u2010-\u2015]\d{1,6} \b )
    # A telephone, or whatever else has seven digits or more, in any usual spelling.
  | (?P<phone> \+? \(? \d (?: (?: [^\S\n] | [.()\u2010-\u2015-] ){0,4} \d ){6,} )
    """,
    re.VERBOSE | re.IGNORECASE,
)


# What of a category decides how its cases are public.
SHOWN_BY = ("precision", "private")


def shown_as(category: Category) -> tuple[object, ...]:
    return tuple(getattr(category, name) for name in SHOWN_BY)


def public_point(location: Point, category: Category) -> Point | None:
    """A point (WGS 84) at the category's public precision, or none."""
    match category.precision:
        case Category.Precision.EXACT:
            return Point(round(location.x, 6), round(location.y, 6), srid=4326)
        case Category.Precision.GRID:
            return Point(centre(location.x), centre(location.y), srid=4326)
    return None


def centre(degrees: float) -> float:
    """The middle of the grid's cell, to six decimals."""
    return round((floor(degrees / GRID_DEGREES) + 0.5) * GRID_DEGREES, 6)


def without_personal_data(text: str) -> str:
    """The text with e-mail addresses, identity cards and telephone numbers taken out.

    Dates and the numbers of cases stay.
    """
    return NUMBERS.sub(what_stays, EMAIL.sub(TAKEN_OUT, text))


def what_stays(found: re.Match[str]) -> str:
    written = found.group()
    stays = found["date"] or (found["case"] and is_case_number(written))
    return written if stays else TAKEN_OUT


def is_case_number(text: str) -> bool:
    try:
        parse_case_number(text)
    except ValueError:
        return False
    return True


def blurred(digest: str) -> str:
    """A digest of words, for the time after the words are gone.

    From SHA-256 alone, a telephone number in known words would be found by trying all.
    """
    if digest.startswith(BLURRED) or not digest:
        return digest
    return BLURRED + fingerprint_of(digest, "digest")[len(BLURRED) :]


def is_digest(stored: str, digest: str) -> bool:
    """Whether what is stored, perhaps blurred since, is of the words with this digest."""
    return stored in {digest, blurred(digest)}
