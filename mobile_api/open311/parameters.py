"""What a caller asks for or sends, read and checked once: all that is wrong is told."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta

from django.contrib.gis.geos import Point
from django.http import QueryDict
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from backend.cases.deadlines import PANAMA
from geo.filters import Box
from mobile_api.fields import WRITTEN
from mobile_api.open311.errors import Invalid, Wrong
from mobile_api.open311.formats import LINE_ENDS

MOST_CODES = 100
LONGEST_VALUE = 4_000
LONGEST_NUMBER = 40
LONG_AGO, FAR_OFF = datetime(1900, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)  # PostgreSQL's, too
# Control characters that no text of a person has; lines may end and be indented.
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class Parameters:
    """Reads a query or a form. An empty parameter is the same as none."""

    def __init__(self, sent: QueryDict) -> None:
        self.sent = sent
        self.wrong: list[Wrong] = []

    def check(self) -> None:
        """Raises Invalid, with all that was found wrong."""
        if self.wrong:
            raise Invalid(*self.wrong)

    def refuse(self, name: str, description: str | Promise) -> None:
        self.wrong.append(Wrong(name, description))

    def text(self, name: str, longest: int = LONGEST_VALUE) -> str:
        # A form ends lines with two characters where whoever wrote them counted one.
        value = LINE_ENDS.sub("\n", str(self.sent.get(name, ""))).strip()
        if len(value) > longest:
            self.refuse(
                name, _("no cabe: el máximo es de %s caracteres.") % f"{longest:,}"
            )
            return ""
        if CONTROL.search(value):
            self.refuse(name, _("tiene caracteres que no son texto."))
            return ""
        return value

    def required(self, name: str, longest: int = LONGEST_VALUE) -> str:
        value = self.text(name, longest)
        if not value and not any(wrong.name == name for wrong in self.wrong):
            self.refuse(name, _("falta."))
        return value

    def codes(self, name: str) -> list[str]:
        """A list with commas; the parameter may also come several times."""
        values = [value for value in map(str, self.sent.getlist(name)) if value.strip()]
        codes = {code.strip() for value in values for code in value.split(",")}
        found = sorted(code for code in codes if code)
        if len(found) > MOST_CODES or any(CONTROL.search(code) for code in found):
            self.refuse(name, _("no es una lista que se pueda buscar."))
            return []
        if values and not found:  # a comma alone names nothing, and is not "all"
            self.refuse(name, _("no nombra nada."))
        return found

    def number(self, name: str, least: float, most: float) -> float | None:
        text = self.text(name)
        if not text:
            return None
        if len(text) <= LONGEST_NUMBER and WRITTEN.fullmatch(text):
            number = float(text)
            if least <= number <= most:
                return number
        self.refuse(
            name,
            _("debe ser un número de %(least)s a %(most)s.")
            % {"least": f"{least:g}", "most": f"{most:g}"},
        )
        return None

    def integer(self, name: str, default: int, allowed: range) -> int:
        text = self.text(name)
        if not text:
            return default
        # Ten digits are more than any of these numbers has.
        if text.isascii() and text.isdigit() and len(text) < 10:
            number = int(text)
            if number in allowed:
                return number
        self.refuse(
            name,
            _("debe ser un número entero de %(first)s a %(last)s.")
            % {"first": allowed.start, "last": allowed.stop - 1},
        )
        return default

    def point(self) -> Point | None:
        """`lat` and `long` in degrees (WGS 84): both or none."""
        lat, lon = self.number("lat", -90, 90), self.number("long", -180, 180)
        for name, other in (("lat", "long"), ("long", "lat")):
            if not self.text(name) and self.text(other):
                self.refuse(name, _("falta: van juntas «lat» y «long»."))
        return None if lat is None or lon is None else Point(lon, lat, srid=4326)

    def box(self, name: str = "bbox") -> Box | None:
        text = self.text(name)
        if not text:
            return None
        parts = text.split(",")
        if len(parts) == 4 and all(
            len(part) <= LONGEST_NUMBER and WRITTEN.fullmatch(part) for part in parts
        ):
            box = Box(*map(float, parts))
            ordered = box.west <= box.east and box.south <= box.north
            on_earth = max(-box.west, box.east) <= 180 and box.south >= -90
            if ordered and on_earth and box.north <= 90:
                return box
        self.refuse(
            name, _("debe ser oeste,sur,este,norte en grados, de menor a mayor.")
        )
        return None

    def moment(self, name: str) -> datetime | None:
        """A moment in ISO 8601; without an offset, or as a day alone, Panama's."""
        found = self.moments(name)
        return found and found[0]

    def moments(self, name: str) -> tuple[datetime, datetime] | None:
        """The first and the last moment of what is written: see `read_moments`."""
        text = self.text(name, LONGEST_NUMBER)
        if not text:
            return None
        try:
            found = read_moments(text)
        except (ValueError, OverflowError):
            found = None
        if found is None:
            self.refuse(name, _("debe ser un momento: 2026-11-24T15:00:00-05:00."))
        return found

    def flag(self, name: str) -> bool:
        text = self.text(name).casefold()
        if text not in {"", "true", "false", "1", "0"}:
            self.refuse(name, _("debe ser «true» o «false»."))
        return text in {"true", "1"}


def read_moments(text: str) -> tuple[datetime, datetime] | None:
    """The first and the last moment of a day; of a second, where no fraction is written.

    As they are told, moments have none: who asks up to one of these means what it was
    told of, too. In UTC, for PostgreSQL takes no offset of sixteen hours or more.
    Raises ValueError, OverflowError.
    """
    # In an address a plus sign is a space, and clients forget it.
    text = re.sub(r" (\d\d:?\d\d)$", r"+\1", text)
    day = parse_date(text)
    moment = datetime.combine(day, time.min) if day else parse_datetime(text)
    if moment is None:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=PANAMA)
    first = moment.astimezone(UTC)
    if day:
        return first, last_of(first, timedelta(days=1))
    exact = re.search(r"[.,]\d", text)
    return first, first if exact else last_of(first, timedelta(seconds=1))


def last_of(first: datetime, length: timedelta) -> datetime:
    """The last moment of so long a time; of time itself, where that would be later."""
    end = datetime.max.replace(tzinfo=UTC)
    return end if first > end - length else first + length - TICK


def period(
    start: datetime | None,
    end: tuple[datetime, datetime] | None,
    longest: timedelta | None,
    now: datetime,
) -> tuple[datetime, datetime]:
    """Both ends of what is asked for; without one of them, the longest that may be.

    `end` is the first and the last moment of what is written: the period goes to the
    last, and is as long as it is written. With no `longest`, it may be all of time.
    Raises Invalid. Far ends of time are shortened, not refused: nothing is there.
    """
    if start and end:
        if end[1] < start:
            raise Invalid(Wrong("end_date", _("es anterior a «start_date».")))
        if longest and end[0] - start > longest:
            days = longest.days
            raise Invalid(Wrong("end_date", _("el período no pasa de %s días.") % days))
        return start, end[1]
    if longest is None:
        return start or LONG_AGO, end[1] if end else FAR_OFF
    if start:
        return start, min(start, FAR_OFF) + longest
    if end:
        return max(end[0], LONG_AGO) - longest, end[1]
    return now - longest, now
