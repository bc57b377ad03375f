"""A span of time as what is counted already, months and quarters of days, and the rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from backend.cases.deadlines import PANAMA

# No case was filed earlier or will be filed later: what is asked beyond is asked there.
EARLIEST = datetime(1970, 1, 1, tzinfo=PANAMA)
LATEST = datetime(2500, 1, 1, tzinfo=PANAMA)
# Of a day; a month begins with the first of them. See `cases_heat_quarter`.
QUARTER = timedelta(hours=6)
# As they are kept: quarters of eight days, and how many such days a month has. See `HeatDays`.
QUARTERS, DAYS_OF_A_MONTH = 32, 4


class Quarters(NamedTuple):
    """Quarters of a month's days from `first` to before `end`, counted from 0.

    With -1 they are taken away, from a month that is counted as a whole.
    """

    month: int
    first: int
    end: int
    sign: int = 1

    def days(self) -> range:
        """Which eight days have some of them, as `HeatDays` counts those."""
        start = self.month * DAYS_OF_A_MONTH
        return range(
            start + self.first // QUARTERS, start + (self.end - 1) // QUARTERS + 1
        )

    def of_days(self, days: int) -> tuple[int, int]:
        """Those of eight days that it has: from the one to before the other, from 0 to 32."""
        start = (days - self.month * DAYS_OF_A_MONTH) * QUARTERS
        return max(self.first - start, 0), min(self.end - start, QUARTERS)


class Hours(NamedTuple):
    """A part of a quarter, from `since` to before `until`: counted by hand, and added.

    With -1 it is taken away, from a quarter that is counted as a whole.
    """

    since: datetime
    until: datetime
    sign: int = 1


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

    def by_quarters(self) -> tuple[list[Quarters], list[Hours]]:
        """The parts as whole quarters, which are counted already too, and hours beside them.

        What is asked of a quarter, or what is not, is never more than half of it: and of
        one that goes on, next to nothing.
        """
        quarters: list[Quarters] = []
        hours: list[Hours] = []
        for since, until in self.parts:
            first, end = nearest_quarter(since), nearest_quarter(until)
            if until - since <= abs(first - since) + abs(until - end):
                hours.append(Hours(since, until))  # a few, quicker alone
                continue
            month = month_of(first)
            start = start_of(month)
            quarters.append(
                Quarters(month, (first - start) // QUARTER, (end - start) // QUARTER)
            )
            hours += [*hours_between(since, first), *hours_between(end, until)]
        return quarters, hours

    def with_fewest(self, quarters: list[Quarters]) -> tuple[Period, list[Quarters]]:
        """The same span: of a month that is mostly asked for, the rest is taken away.

        For what is counted one by one of quarters, and beforehand of months.
        """
        first, end = self.first, self.end
        fewest: list[Quarters] = []
        in_one_month = first is not None and end is not None and first > end
        for some in quarters:
            long = (start_of(some.month + 1) - start_of(some.month)) // QUARTER
            month, since, until, _ = some
            if in_one_month or 2 * (until - since) <= long:
                fewest.append(some)
            elif month + 1 == first and until == long:
                first = month
                fewest += [Quarters(month, 0, since, -1)] if since else []
            elif month == end and since == 0:
                end = month + 1
                fewest += [Quarters(month, until, long, -1)] if until < long else []
            else:
                fewest.append(some)
        return Period(first, end, self.parts), fewest


class Split(NamedTuple):
    """How the cases of a span of time are counted.

    Of `period` and of `quarters`, what waits to be folded in. Of what was: `months`
    beforehand, `parts` one by one, added or taken away. And `hours` by hand; None: all of it.
    """

    period: Period
    quarters: list[Quarters]
    months: Period
    parts: list[Quarters]
    hours: list[Hours] | None


NO_MONTHS = Period(0, 0, [])
BY_HAND = Split(NO_MONTHS, [], NO_MONTHS, [], None)


def split(since: datetime | None, until: datetime | None) -> Split:
    """From `since` to before `until`, aware both."""
    period = period_of(since, until)
    quarters, hours = period.by_quarters()
    months, parts = period.with_fewest(quarters)
    return Split(period, quarters, months, parts, hours)


def hours_between(moment: datetime, other: datetime) -> list[Hours]:
    """From the one to the other; to be taken away if that is backwards."""
    if moment == other:
        return []
    backwards = other < moment
    return [Hours(other, moment, -1) if backwards else Hours(moment, other)]


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


def nearest_quarter(moment: datetime) -> datetime:
    """The nearest beginning of a quarter in Panama, where no clock is ever changed."""
    here = moment.astimezone(PANAMA)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (here - midnight + QUARTER / 2) // QUARTER * QUARTER


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
