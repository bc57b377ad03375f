"""What a reader of the map asks for: box, dates, zoom, filters, read and checked once."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from math import isfinite
from typing import Any

from django.http import HttpResponse, QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _

from geo.filters import PLACE_COLUMNS, STATES, Box, Filters
from map_views.problems import problem

ZOOMS = range(4, 19)
MOST_FEATURES = 100_000
MOST_CODES = 100
LONGEST_VALUE = 2_000
# As people and programs write one; Python's own reader takes 8_0 and ٨٠ too.
NUMBER = re.compile(r"\s*-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.ASCII | re.IGNORECASE)
LOST_PLUS = re.compile(r"(:[\d.]+) (\d\d:?\d\d)$", re.ASCII)


class InvalidParameters(Exception):
    """What is wrong, by the name of the parameter."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(problems)
        self.problems = problems

    def response(self) -> HttpResponse:
        errors: list[dict[str, Any]] = [
            {"pointer": f"?{name}", "code": "invalid", "detail": text}
            for name, text in self.problems.items()
        ]
        title = _("La dirección tiene parámetros que no valen.")
        return problem(400, "invalid-parameters", title, errors=errors)


class Parameters:
    """Reads a query, collecting everything that is wrong with it."""

    def __init__(self, query: QueryDict) -> None:
        self.query = query
        self.read: set[str] = set()
        self.problems: dict[str, str] = {}

    def check(self) -> None:
        """Raises InvalidParameters with all that was found wrong."""
        if self.problems:
            raise InvalidParameters(self.problems)

    def refuse_the_rest(self) -> None:
        """What was not read is a mistake: a misspelt filter would leave all cases in."""
        for name in self.query.keys() - self.read:
            self.problems[name] = _("No hay tal parámetro aquí.")

    def text(self, name: str) -> str:
        self.read.add(name)
        if len(self.query.getlist(name)) > 1:
            self.problems[name] = _("Debe tener un valor, y uno solo.")
            return ""
        value = self.query.get(name, "").strip()
        if len(value) > LONGEST_VALUE or "\0" in value:
            self.problems[name] = _("No es un valor que se pueda buscar.")
            return ""
        return value

    def filters(self) -> Filters:
        since = self.moment("since")
        until = self.moment("until", end_of_day=True)
        if since and until and until <= since:
            self.problems["until"] = _("El último día es anterior al primero.")
        return Filters(
            state=self.state(),
            box=self.box(),
            categories=self.codes("category"),
            groups=self.codes("group"),
            entity=self.text("entity"),
            place=self.place(),
            since=since,
            until=until,
            changed_since=self.moment("changed_since"),
        )

    def state(self) -> str:
        return self.one_of("state", "all", tuple(STATES))

    def one_of(self, name: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self.text(name) or default
        if value not in allowed:
            self.problems[name] = _("Debe ser uno de: %s.") % ", ".join(allowed)
            return default
        return value

    def box(self) -> Box | None:
        text = self.text("bbox")
        if not text:
            return None
        parts = text.split(",")
        if len(parts) != 4 or not all(NUMBER.fullmatch(part) for part in parts):
            parts = ["nan"] * 4
        west, south, east, north = map(float, parts)
        in_range = -180 <= west <= east <= 180 and -90 <= south <= north <= 90
        if not (in_range and isfinite(west + south + east + north)):
            self.problems["bbox"] = _(
                "Debe ser oeste,sur,este,norte en grados, de menor a mayor."
            )
            return None
        return Box(west, south, east, north)

    def codes(self, name: str) -> tuple[str, ...]:
        self.read.add(name)
        values = [value for value in self.query.getlist(name) if value.strip()]
        codes = [code.strip() for value in values for code in value.split(",")]
        codes = sorted({code for code in codes if code})
        if len(codes) > MOST_CODES or any("\0" in code for code in codes):
            self.problems[name] = _("No es un valor que se pueda buscar.")
            return ()
        if values and not codes:  # A comma alone names nothing, and is not "all".
            self.problems[name] = _("No es un valor que se pueda buscar.")
        return tuple(codes)

    def place(self) -> str:
        place = self.text("place")
        if place and len(place) not in PLACE_COLUMNS:
            self.problems["place"] = _(
                "Debe ser el código de una provincia (2), un distrito (4) "
                "o un corregimiento (6)."
            )
            return ""
        return place

    def moment(self, name: str, *, end_of_day: bool = False) -> datetime | None:
        """A moment, or a day in Panama: its first moment, or the end of it."""
        text = self.text(name)
        if not text:
            return None
        try:
            moment = read_moment(text, end_of_day=end_of_day)
        except (ValueError, OverflowError):
            moment = None
        if moment is None:
            self.problems[name] = _(
                "Debe ser un día (AAAA-MM-DD) o un momento ISO 8601."
            )
        return moment

    def integer(self, name: str, default: int, allowed: range) -> int:
        text = self.text(name)
        if not text:
            return default
        # Ten digits are more than any of these numbers has.
        if text.isascii() and text.isdigit() and len(text) < 10:
            number = int(text)
            if number in allowed:
                return number
        self.problems[name] = _(
            "Debe ser un número entero de %(first)s a %(last)s."
        ) % {
            "first": allowed.start,
            "last": allowed.stop - 1,
        }
        return default


def read_moment(text: str, *, end_of_day: bool) -> datetime | None:
    """In UTC, for PostgreSQL takes no offset of sixteen hours or more.

    Raises ValueError, OverflowError.
    """
    text = with_its_plus(text)
    day = parse_date(text)
    if day is None:
        moment = parse_datetime(text)
    else:
        moment = datetime.combine(day + timedelta(days=end_of_day), time.min)
    if moment and timezone.is_naive(moment):
        moment = timezone.make_aware(moment)
    return moment and moment.astimezone(UTC)


def with_its_plus(text: str) -> str:
    """In an address a plus sign is a blank, and programs forget it: `…:00 00:00`."""
    return LOST_PLUS.sub(r"\1+\2", text)
