"""A span of time as whole months, which are counted already, and what is left over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from backend.cases.deadlines import PANAMA

# No case was filed earlier or will be filed later: what is asked beyond is asked there.
EARLIEST = datetime(1970, 1, 1, tzinfo=PANAMA)
LATEST = datetime(2500, 1, 1, tzinfo=PANAMA)


class Days(NamedTuple):
    """Days of a month from `first` to before `end`, counted from 1."""

    month: int
    first: int
    end: int


Span = tuple[datetime, datetime]


class Period(NamedTuple):
    """Months from `first` to before `end`, None being no limit; and parts of others.

    Months are counted from January of 1970, in Panama. A part lies within one month.
    """

    first: int | None
    end: int | None
    parts: list[Span]

    @property
    def has_months(self) -> bool:
        return self.first is None or self.end is None or self.first < self.end

    def by_days(self) -> tuple[list[Days], list[Span]]:
        """The parts as whole days, which are counted already too, and what is left."""
        days: list[Days] = []
        spans: list[Span] = []
        for since, until in self.parts:
            first, end = midnight_after(since), midnight_before(until)
            if first >= end:
                spans.append((since, until))
                continue
            month = month_of(first)
            days.append(Days(month, first.day, (end - start_of(month)).days + 1))
            spans += [(a, b) for a, b in ((since, first), (end, until)) if a < b]
        return days, spans


def period_of(since: datetime | None, until: datetime | None) -> Period:
    """From `since` to before `until`, aware both."""
    since = since and min(max(since, EARLIEST), LATEST)
    until = until and min(max(until, EARLIEST), LATEST)
    first = month_of(since) if since else None
    if since and first is not None and since != start_of(first):
        first += 1
    end = month_of(until) if until else None
    if since and until and first is not None and end is not None and first > end:
        return Period(first, end, [(since, until)] if since < until else [])
    edges = [
        (since, start_of(first) if first is not None else None),
        (start_of(end) if end is not None else None, until),
    ]
    return Period(first, end, [(a, b) for a, b in edges if a and b and a < b])


def midnight_before(moment: datetime) -> datetime:
    """The beginning of the moment's day in Panama, where no clock is ever changed."""
    return moment.astimezone(PANAMA).replace(hour=0, minute=0, second=0, microsecond=0)


def midnight_after(moment: datetime) -> datetime:
    """The first beginning of a day in Panama that is not before the moment."""
    midnight = midnight_before(moment)
    return midnight if midnight == moment else midnight + timedelta(days=1)


def month_of(moment: datetime) -> int:
    here = moment.astimezone(PANAMA)
    return (here.year - 1970) * 12 + here.month - 1


def start_of(month: int) -> datetime:
    year, index = divmod(month, 12)
    return datetime(1970 + year, index + 1, 1, tzinfo=PANAMA).astimezone(UTC)


def name_of(month: int) -> str:
    """As people write it: 2026-01."""
    year, index = divmod(month, 12)
    return f"{1970 + year}-{index + 1:02}"


def number_of(name: str) -> int:
    """A month's number, from how people write it."""
    return (int(name[:4]) - 1970) * 12 + int(name[5:]) - 1


def all_between(first: str, last: str) -> list[str]:
    """The names of the months from one to another, both included."""
    return [name_of(month) for month in range(number_of(first), number_of(last) + 1)]
