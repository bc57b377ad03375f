"""What a line of the log says: everything but what is somebody's.

The code writes no personal data into the log; but what it calls may: PostgreSQL quotes
the row that it refuses, a library the text that it cannot read. So every line passes
here, with its traceback.
"""

from __future__ import annotations

import logging
import re
from types import TracebackType

TAKEN_OUT = "[…]"

# Each keeps its groups and loses the rest.
IN_ANY_CASE = [
    # Headers, and what stands in an address after the question mark.
    r"(authorization['\"]?\]?\s*[:=]\s*['\"]?)[^'\"\n,}]*",
    r"(\b(?:Token|Device|Bearer|Basic)\s+)(?=[\w.~+/=-]*\d)[\w.~+/=-]{8,}",
    r"((?<![^\W_])pin['\"]?\]?\s*[:=]\s*['\"]?)[^'\"\s&,;})]+",
    r"(cookie['\"]?\]?\s*[:=]\s*['\"]?)[^'\"\n}]*",
    r"([?&][\w.\[\]-]+=)[^&\s'\"<>]+",
]
AS_WRITTEN = [
    # PostgreSQL's quotes, in the language of its server: the refused row, the key that
    # is there already, the line of SQL (DETAIL, DETALLE, LINE 1 …); what is no number.
    r"(?m)^([A-ZÁÉÍÓÚÑ]{4,}(?::[ ]{2}|[ ]\d+:[ ]))[^\n]*",
    r"(?m)(:[ ])[\"«][^\n]*[\"»]$",
    # E-mail addresses; UUIDs, which open reports and photos to who knows them.
    r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    r"\b[0-9a-fA-F]{8}(?:-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}\b",
    # Digests, tokens, shapes in hexadecimal, what is encrypted.
    r"\b(?:[0-9a-fA-F]{2}){16,}\b",
    r"(?<![\w-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])(?=[\w-]*\d)[\w-]{32,}={0,2}",
    # Coordinates in and around Panama, with the precision that finds a house.
    r"(?<![\d.:])-?(?:0?[6-9]|1[0-2]|7[5-9]|8[0-5])\.\d{3,}(?![\d.])",
]
MASKS = [re.compile(pattern, re.IGNORECASE) for pattern in IN_ANY_CASE] + [
    re.compile(pattern) for pattern in AS_WRITTEN
]
# Read from left to right; the first that fits decides. Moments and the numbers of
# cases stay, which an operator needs.
NUMBERS = re.compile(
    r"""
    (?P<stays> (?<![\d-]) \d{2}-\d{7}-\d (?![\d-])
             | (?<!\d) (?:19|20)\d\d-[01]\d-[0-3]\d (?!\d)
             | (?<!\d) [0-2]?\d:[0-5]\d (?: :[0-5]\d (?: [.,]\d{1,9} )? )? (?!\d) )
    # An identity card.
  | \b (?: PE | E | N | \d{1,2} (?: -?(?:AV|PI) )? )
    [-\u2010-\u2015]\d{1,4}[-\u2010-\u2015]\d{1,6} \b
    # A telephone, or whatever else has seven digits or more.
  | \+? \(? \d (?: (?: [^\S\n] | [.()\u2010-\u2015-] ){0,4} \d ){6,}
    """,
    re.VERBOSE | re.IGNORECASE,
)


class MaskedFormatter(logging.Formatter):
    """Writes a record's message, traceback and stack without what is somebody's."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = masked(record.message)
        return super().formatMessage(record)

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None]
        | tuple[None, None, None],
    ) -> str:
        return masked(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:
        return masked(super().formatStack(stack_info))


def masked(text: str) -> str:
    """The text without what could be somebody's data, or open it."""
    for mask in MASKS:
        text = mask.sub(kept, text)
    return NUMBERS.sub(lambda found: found["stays"] or TAKEN_OUT, text)


def kept(found: re.Match[str]) -> str:
    return "".join([*filter(None, found.groups()), TAKEN_OUT])
