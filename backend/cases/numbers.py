"""Case numbers that can be read out on the telephone: 26-0000123-2."""

from __future__ import annotations

import re

# The quasigroup of order ten in Damm's thesis ("Total anti-symmetrische Quasigruppen",
# Marburg 2004): any one wrong digit and any swap of neighbours changes the check digit.
DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)
WRITTEN = re.compile(r"(\d{2})[\s.-]?(\d{7})[\s.-]?(\d)", re.ASCII)


class NotANumber(ValueError):
    """The text does not have the shape of a case number."""


class WrongDigit(ValueError):
    """The text has the shape of a case number, but a digit of it is wrong."""


def case_number(year: int, sequence: int) -> str:
    """The number of the n-th case of a year; the sequence wraps at ten million."""
    digits = f"{year % 100:02}{sequence % 10_000_000:07}"
    return f"{digits[:2]}-{digits[2:]}-{check_digit(digits)}"


def parse_case_number(text: str) -> str:
    """A number as a person wrote it, in its one form.

    Raises NotANumber, or WrongDigit when its check digit does not agree.
    """
    written = WRITTEN.fullmatch(text.strip())
    if written is None:
        raise NotANumber(text)
    year, sequence, check = written.groups()
    if check_digit(year + sequence) != int(check):
        raise WrongDigit(text)
    return f"{year}-{sequence}-{check}"


def beginning_of(text: str) -> str:
    """How the numbers begin of which a person wrote so much. Raises NotANumber."""
    digits = re.sub(r"[\s.-]", "", text)
    if not re.fullmatch(r"\d{1,10}", digits, re.ASCII):
        raise NotANumber(text)
    parts = digits[:2], digits[2:9], digits[9:]
    return "-".join(part for part in parts if part)


def check_digit(digits: str) -> int:
    interim = 0
    for digit in digits:
        interim = DAMM[interim][int(digit)]
    return interim
