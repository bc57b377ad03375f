"""A span of time comes apart into months, days and what is left, each moment once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from backend.cases.deadlines import PANAMA
from geo.periods import (
    QUARTER,
    Hours,
    Period,
    Quarters,
    month_of,
    period_of,
    start_of,
)

JANUARY, MARCH = 56 * 12, 56 * 12 + 2  # of 2026

moments = st.integers(0, 180 * 24 * 60).map(
    lambda minutes: datetime(2025, 11, 1, tzinfo=PANAMA) + timedelta(minutes=minutes)
)
# As often as not where a quarter begins.
edges = moments | moments.map(
    lambda moment: moment.replace(hour=moment.hour // 6 * 6, minute=0)
)


def here(year: int, month: int, day: int, hour: int = 0) -> datetime:
    return datetime(year, month, day, hour, tzinfo=PANAMA)


def test_a_span_is_months_and_quarters_of_days_and_the_hours_that_are_left():
    period = period_of(here(2026, 1, 17, 16), here(2026, 3, 10, 8))
    assert (period.first, period.end) == (JANUARY + 1, MARCH)
    quarters, hours = period.by_quarters()
    assert quarters == [
        Quarters(JANUARY, 16 * 4 + 3, 31 * 4),
        Quarters(MARCH, 0, 9 * 4 + 1),
    ]
    assert hours == [
        Hours(here(2026, 1, 17, 16), here(2026, 1, 17, 18)),
        Hours(here(2026, 3, 10, 6), here(2026, 3, 10, 8)),
    ]


def test_of_a_quarter_that_is_mostly_asked_for_the_rest_is_taken_away():
    span = (here(2026, 1, 17, 8), here(2026, 1, 31, 22))
    quarters, hours = period_of(*span).by_quarters()
    assert quarters == [Quarters(JANUARY, 16 * 4 + 1, 31 * 4)]
    assert hours == [
        Hours(here(2026, 1, 17, 6), here(2026, 1, 17, 8), -1),
        Hours(here(2026, 1, 31, 22), here(2026, 2, 1), -1),
    ]


def test_whole_quarters_leave_nothing_to_count_by_hand():
    span = (here(2026, 1, 5), here(2026, 1, 20, 18))
    assert period_of(*span).by_quarters() == ([Quarters(JANUARY, 16, 79)], [])


def test_a_few_hours_are_counted_by_hand():
    span = (here(2026, 1, 5, 8), here(2026, 1, 5, 9))
    assert period_of(*span).by_quarters() == ([], [Hours(*span)])
    over_midnight = (here(2026, 1, 5, 23), here(2026, 1, 6, 1))
    assert period_of(*over_midnight).by_quarters() == ([], [Hours(*over_midnight)])


def test_whole_months_have_no_quarters():
    period = period_of(here(2026, 1, 1), here(2026, 3, 1))
    assert period.by_quarters() == ([], [])
    assert period.has_months


@given(since=st.none() | edges, until=st.none() | edges, moment=edges)
def test_each_moment_of_a_span_is_counted_once_and_no_other(since, until, moment):
    period = period_of(since, until)
    quarters, hours = period.by_quarters()
    month = month_of(moment)
    quarter = (moment - start_of(month)) // QUARTER
    times = int(
        period.has_months
        and (period.first is None or period.first <= month)
        and (period.end is None or month < period.end)
    )
    times += sum(
        some.month == month and some.first <= quarter < some.end for some in quarters
    )
    times += sum(some.sign for some in hours if some.since <= moment < some.until)
    asked = (since is None or since <= moment) and (until is None or moment < until)
    assert times == int(asked)


@given(since=edges, until=edges)
def test_quarters_are_quarters_of_their_month(since, until):
    for some in period_of(since, until).by_quarters()[0]:
        long = (start_of(some.month + 1) - start_of(some.month)) // QUARTER
        assert 0 <= some.first < some.end <= long


def test_of_a_month_that_is_mostly_asked_for_the_rest_is_taken_away():
    period = period_of(here(2026, 1, 9), here(2026, 3, 29))
    months, parts = period.with_fewest(period.by_quarters()[0])
    assert (months.first, months.end) == (JANUARY, MARCH + 1)
    assert parts == [
        Quarters(JANUARY, 0, 8 * 4, -1),
        Quarters(MARCH, 28 * 4, 31 * 4, -1),
    ]


def test_within_one_month_nothing_is_taken_away():
    period = period_of(here(2026, 1, 2), here(2026, 1, 31))
    quarters, _ = period.by_quarters()
    assert period.with_fewest(quarters) == (period, quarters)


@given(since=st.none() | edges, until=st.none() | edges, moment=edges)
def test_with_the_fewest_parts_each_quarter_is_counted_as_before(since, until, moment):
    period = period_of(since, until)
    quarters, _ = period.by_quarters()
    month = month_of(moment)
    quarter = (moment - start_of(month)) // QUARTER

    def times(months: Period, parts: list[Quarters]) -> int:
        in_months = months.has_months and (
            (months.first is None or months.first <= month)
            and (months.end is None or month < months.end)
        )
        return in_months + sum(
            some.sign
            for some in parts
            if some.month == month and some.first <= quarter < some.end
        )

    assert times(*period.with_fewest(quarters)) == times(period, quarters)


@given(since=edges, until=edges)
def test_of_two_months_no_more_than_half_of_each_is_looked_at(since, until):
    period = period_of(since, until)
    _, parts = period.with_fewest(period.by_quarters()[0])
    if month_of(since) < month_of(until):
        for some in parts:
            long = (start_of(some.month + 1) - start_of(some.month)) // QUARTER
            assert 2 * (some.end - some.first) <= long
            assert some.first < some.end


@given(since=edges, until=edges)
def test_no_more_than_half_a_quarter_is_counted_by_hand_at_an_end(since, until):
    quarters, hours = period_of(since, until).by_quarters()
    for some in hours:
        long = some.until - some.since
        assert timedelta(0) < long <= timedelta(hours=3 if quarters else 6)


def test_a_day_begins_in_panama():
    since = datetime(2026, 1, 5, 5, tzinfo=UTC)
    quarters, hours = period_of(since, since + timedelta(days=1)).by_quarters()
    assert (quarters, hours) == ([Quarters(JANUARY, 16, 20)], [])
