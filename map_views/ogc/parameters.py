"""What a reader of features asks for. What is not understood is refused, never ignored."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from math import isfinite

from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _

from geo.cells import common
from geo.features import Area, Frame, Layer, Question, is_yes_or_no, place_after
from geo.filters import Box
from map_views.ogc.collections import CRS84, FRAMES
from map_views.parameters import NUMBER, Parameters, with_its_plus
from provinces.models import reads_english

DEFAULT_LIMIT = 100
MOST = 10_000
FORMS = ("json", "html")
OF_A_FEATURE = ("f", "crs")
OF_FEATURES = (
    "f",
    "limit",
    "after",
    "bbox",
    "bbox-crs",
    "datetime",
    "crs",
)
MOMENT = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE
)
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
OPEN_END = ("", "..")
# GDAL hands its users' conditions on as 1 and 0, and counts nothing if that is refused.
YES_OR_NO = {"true": True, "false": False, "1": True, "0": False}
# Moments are published to the second: one without a fraction means all of its second.
SECOND = timedelta(seconds=1)


class Query(Parameters):
    """A query of which each part has one value and is one of those allowed."""

    def __init__(self, query: QueryDict, allowed: Iterable[str]) -> None:
        super().__init__(query)
        names = set(allowed)
        for name, values in query.lists():
            if name not in names:
                self.problems[name] = _("No hay tal parámetro aquí.")
            elif len(values) != 1 or not values[0].strip():
                self.problems[name] = _("Debe tener un valor, y uno solo.")

    def form(self) -> str:
        form = self.text("f")
        if form and form not in FORMS:
            self.problems["f"] = _("Debe ser uno de: %s.") % ", ".join(FORMS)
        return form

    def frame(self, name: str) -> Frame:
        uri = self.text(name) or CRS84
        if uri not in FRAMES:
            self.problems[name] = _("Debe ser uno de: %s.") % ", ".join(FRAMES)
            uri = CRS84
        return FRAMES[uri]

    def question(self, layer: Layer) -> Question:
        since, until = self.period()
        question = Question(
            limit=self.limit(),
            after=self.text("after"),
            area=self.area(),
            since=since,
            until=until,
            equal=self.equal(layer),
            frame=self.frame("crs"),
            english=reads_english(),
        )
        if question.after:
            self.check_after(layer, question)
        return question

    def check_after(self, layer: Layer, question: Question) -> None:
        try:
            place_after(layer, question)
        except ValueError:
            self.problems["after"] = _(
                "Debe venir del enlace «next» de esta misma pregunta."
            )

    def limit(self) -> int:
        """More than is ever given is no mistake: what is given is given."""
        text = self.text("limit") or str(DEFAULT_LIMIT)
        if not (text.isascii() and text.isdigit()) or not text.strip("0"):
            self.problems["limit"] = _("Debe ser un número entero de 1 en adelante.")
            return DEFAULT_LIMIT
        # Not read when it is long: Python takes its time with thousands of digits.
        return min(int(text.lstrip("0")[:9]), MOST)

    def equal(self, layer: Layer) -> dict[str, str | bool]:
        values: dict[str, str | bool] = {}
        for name in layer.filters:
            text = self.text(name)
            if not text:
                continue
            if not is_yes_or_no(layer, name):
                values[name] = text
            elif text in YES_OR_NO:
                values[name] = YES_OR_NO[text]
            else:
                self.problems[name] = _("Debe ser uno de: %s.") % ", ".join(YES_OR_NO)
        return values

    def area(self) -> Area | None:
        """Corners in the order of the axes of `bbox-crs`; heights change nothing."""
        frame = self.frame("bbox-crs")
        text = self.text("bbox")
        if not text:
            return None
        try:
            return area_of(text, frame)
        except ValueError:
            self.problems["bbox"] = _(
                "Deben ser las cuatro o seis coordenadas de dos esquinas, la menor "
                "primero, en el orden de los ejes de bbox-crs y dentro de su alcance."
            )
            return None

    def period(self) -> tuple[datetime | None, datetime | None]:
        """From when, and until when (the first moment that is no longer in it)."""
        text = self.text("datetime")
        if not text:
            return None, None
        try:
            return period_of(text)
        except ValueError:
            self.problems["datetime"] = _(
                "Debe ser un momento RFC 3339, un día, o un intervalo a/b, ../b o a/.."
            )
            return None, None


def area_of(text: str, frame: Frame) -> Area:
    """Raises ValueError."""
    corners = corners_of(text)
    if frame.latitude_first:
        corners = [corners[1], corners[0], corners[3], corners[2]]
    west, south, east, north = corners
    reach = frame.reach
    if south > north:
        raise ValueError(text)
    if frame.srid != FRAMES[CRS84].srid:
        if west > east:
            raise ValueError(text)
        seen = common(Box(*corners), reach)
        # Beyond its reach, nothing lies that could be asked for.
        return Area(frame, (seen,) if seen else ())
    if min(west, east) < reach.west or max(west, east) > reach.east:
        raise ValueError(text)
    if south < reach.south or north > reach.north:
        raise ValueError(text)
    if west <= east:
        return Area(frame, (Box(*corners),))
    # Across the line of dates.
    return Area(
        frame,
        (Box(west, south, reach.east, north), Box(reach.west, south, east, north)),
    )


def corners_of(text: str) -> list[float]:
    """Two corners without their heights. Raises ValueError."""
    parts = text.split(",")
    if len(parts) not in {4, 6} or not all(NUMBER.fullmatch(part) for part in parts):
        raise ValueError(text)
    numbers = [float(part) for part in parts]
    if not all(isfinite(number) for number in numbers):
        raise ValueError(text)
    if len(numbers) == 4:
        return numbers
    if numbers[2] > numbers[5]:
        raise ValueError(text)
    return [*numbers[0:2], *numbers[3:5]]


def period_of(text: str) -> tuple[datetime | None, datetime | None]:
    """Raises ValueError."""
    begin, slash, end = text.partition("/")
    if not slash:
        return moments(text)
    if begin in OPEN_END and end in OPEN_END:
        raise ValueError(text)
    since = None if begin in OPEN_END else moments(begin)[0]
    until = None if end in OPEN_END else moments(end)[1]
    if since and until and since >= until:
        raise ValueError(text)
    return since, until


def moments(text: str) -> tuple[datetime, datetime]:
    """The first moment of what is written, and the first after it. Raises ValueError."""
    if DAY.fullmatch(text):
        day = date.fromisoformat(text)
        first = timezone.make_aware(datetime.combine(day, time.min))
        return in_utc(first), later(first, timedelta(days=1))
    text = with_its_plus(text)
    if not MOMENT.fullmatch(text):
        raise ValueError(text)
    moment = datetime.fromisoformat(text.upper())
    exact = "." in text
    return in_utc(moment), later(moment, timedelta(microseconds=1) if exact else SECOND)


def in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # within a day of the first or the last year there is
        return moment.replace(tzinfo=UTC)


def later(moment: datetime, by: timedelta) -> datetime:
    try:
        return in_utc(moment) + by
    except OverflowError:  # the end of time, as programs write it
        return datetime.max.replace(tzinfo=UTC)
