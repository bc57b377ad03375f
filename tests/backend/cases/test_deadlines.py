"""When a case is due."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backend.cases.deadlines import (
    PANAMA,
    Unit,
    after_working_days,
    due_at,
    put_off,
    working_days,
)

MOMENTS = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    datetime(2040, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from([UTC, PANAMA, ZoneInfo("Pacific/Auckland")]),
)
AMOUNTS = st.integers(0, 90)
DAYS = st.dates(date(2020, 1, 1), date(2040, 1, 1))
DAYS_OFF = st.sets(st.dates(date(2026, 1, 1), date(2026, 12, 31)), max_size=60)
IN_2026 = st.datetimes(
    datetime(2026, 1, 1),  # noqa: DTZ001
    datetime(2026, 11, 1),  # noqa: DTZ001
    timezones=st.just(PANAMA),
)
# The first moment of summer time: an hour of the clock on the wall is missing before it.
AFTER_A_GAP = datetime(2026, 9, 27, 3, tzinfo=ZoneInfo("Pacific/Auckland"))
# Its end: such a moment equals none of another zone's in Python, be it the same instant.
AN_HOUR_TWICE = datetime(2026, 4, 5, 2, tzinfo=ZoneInfo("Pacific/Auckland"))


def at(day: int, hour: int = 12, minute: int = 0) -> datetime:
    """A moment of November 2026 in Panama; its first day is a Sunday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=PANAMA)


def end_of(day: int) -> datetime:
    return datetime(2026, 11, day, 23, 59, 59, tzinfo=PANAMA)


def in_utc(moment: datetime) -> datetime:
    """Within one zone Python compares clocks on the wall, and counts by them."""
    return moment.astimezone(UTC)


def test_three_working_days_from_a_monday_end_with_thursday():
    assert due_at(at(2), 3, Unit.WORKING_DAYS) == end_of(5)


@pytest.mark.parametrize(
    ("filed", "amount", "due"),
    [
        (at(6), 1, 9),  # a Friday: the next working day is Monday
        (at(7), 1, 9),  # a Saturday counts from Monday
        (at(8), 1, 9),  # and so does a Sunday
        (at(5), 2, 9),
        (at(2), 5, 9),
        (at(2), 10, 16),
        (at(2), 0, 2),
    ],
)
def test_weekends_do_not_count_as_working_days(filed, amount, due):
    assert due_at(filed, amount, Unit.WORKING_DAYS) == end_of(due)


def test_calendar_days_count_weekends():
    assert due_at(at(6), 3, Unit.CALENDAR_DAYS) == end_of(9)


def test_hours_run_through_nights_and_weekends():
    assert due_at(at(6, 22, 15), 48, Unit.HOURS) == at(8, 22, 15)


def test_the_day_is_panamas_and_not_utcs():
    late_on_friday = datetime(2026, 11, 7, 4, 30, tzinfo=UTC)  # 23:30 of the 6th here
    assert due_at(late_on_friday, 1, Unit.WORKING_DAYS) == end_of(9)
    assert due_at(late_on_friday, 1, Unit.CALENDAR_DAYS) == end_of(7)
    late_on_thursday = datetime(2026, 11, 6, 4, 30, tzinfo=UTC)
    assert due_at(late_on_thursday, 1, Unit.WORKING_DAYS) == end_of(6)


@given(MOMENTS, AMOUNTS, st.sampled_from(Unit))
@example(AFTER_A_GAP, 0, Unit.HOURS)
def test_the_promise_is_in_panamas_time_and_never_before_the_filing(
    filed, amount, unit
):
    due = due_at(filed, amount, unit)
    assert due.tzinfo is PANAMA
    assert due > in_utc(filed) - timedelta(seconds=1)


@given(MOMENTS, AMOUNTS, AMOUNTS, st.sampled_from(Unit))
def test_a_longer_promise_never_ends_earlier(filed, amount, other, unit):
    shorter, longer = sorted([amount, other])
    assert due_at(filed, shorter, unit) <= due_at(filed, longer, unit)


@given(MOMENTS, MOMENTS, AMOUNTS, st.sampled_from(Unit))
@example(AFTER_A_GAP, AFTER_A_GAP - timedelta(minutes=1), 0, Unit.HOURS)
def test_whoever_files_later_is_not_answered_earlier(one, other, amount, unit):
    earlier, later = sorted([one, other], key=in_utc)
    assert due_at(earlier, amount, unit) <= due_at(later, amount, unit)


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.integers(1, 90))
def test_exactly_so_many_working_days_lie_between(day, amount):
    last = after_working_days(day, amount)
    between = [day + timedelta(days=n + 1) for n in range((last - day).days)]
    # An independent count: `isoweekday` is 6 and 7 at the weekend.
    assert sum(one.isoweekday() <= 5 for one in between) == amount
    assert last.isoweekday() <= 5


# ── Days off ─────────────────────────────────────────────────────────────────────


def test_a_day_off_is_no_working_day():
    off = {date(2026, 11, 3), date(2026, 11, 5)}
    assert due_at(at(2), 3, Unit.WORKING_DAYS, off) == end_of(9)
    assert due_at(at(2), 1, Unit.WORKING_DAYS, off) == end_of(4)
    assert due_at(at(2), 3, Unit.CALENDAR_DAYS, off) == end_of(5)
    assert due_at(at(2, 8), 24, Unit.HOURS, off) == at(3, 8)


@given(IN_2026, AMOUNTS, DAYS_OFF)
def test_exactly_so_many_days_are_neither_off_nor_a_weekend(filed, amount, off):
    due = due_at(filed, amount, Unit.WORKING_DAYS, off).date()
    days = {
        filed.date() + timedelta(days=n + 1) for n in range((due - filed.date()).days)
    }
    assert len({day for day in days - off if day.isoweekday() <= 5}) == amount


# ── While the citizen is asked ───────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("unit", "asked", "answered", "due"),
    [
        (Unit.WORKING_DAYS, at(3), at(4), end_of(6)),
        (Unit.WORKING_DAYS, at(3, 8), at(3, 20), end_of(5)),  # the same day
        (Unit.WORKING_DAYS, at(6), at(8), end_of(5)),  # over a weekend
        (Unit.WORKING_DAYS, at(3), at(9), end_of(11)),
        (Unit.CALENDAR_DAYS, at(6), at(8), end_of(7)),
        (Unit.HOURS, at(3, 8), at(4, 9, 30), end_of(5) + timedelta(hours=25.5)),
    ],
)
def test_a_term_that_rested_ends_as_much_later(unit, asked, answered, due):
    assert put_off(end_of(5), asked, answered, unit) == due


def test_days_off_while_it_rested_are_not_given_back_and_those_after_do_not_count():
    off = {date(2026, 11, 3), date(2026, 11, 5)}
    # Of Tuesday to Thursday only Wednesday was a working day; Thursday is off again.
    assert put_off(end_of(4), at(2), at(5), Unit.WORKING_DAYS, off) == end_of(6)


@given(MOMENTS, MOMENTS, MOMENTS, st.sampled_from(Unit), DAYS_OFF)
@example(AN_HOUR_TWICE, at(3), at(3), Unit.HOURS, set())
def test_nobody_loses_time_by_being_asked(due, asked, answered, unit, off):
    later = in_utc(put_off(due, asked, answered, unit, off))
    assert later >= in_utc(due)
    if in_utc(answered) <= in_utc(asked):
        assert later == in_utc(due)


@given(IN_2026, AMOUNTS, st.integers(0, 40), st.integers(0, 40), DAYS_OFF)
def test_a_term_that_rested_leaves_as_many_working_days_as_were_left(
    filed, amount, before, waited, off
):
    asked = filed + timedelta(days=before)
    answered = asked + timedelta(days=waited)
    due = due_at(filed, amount, Unit.WORKING_DAYS, off)
    later = put_off(due, asked, answered, Unit.WORKING_DAYS, off)
    if asked.date() <= due.date() and later.date() >= answered.date():
        left = working_days(asked.date(), due.date(), off)
        assert working_days(answered.date(), later.date(), off) == left
