"""When a case is due.

Working days are Monday to Friday but for the days off (Ley 38 de 2000, art. 67: terms in
days count working days); which those are, `days_off.py` knows. A case filed on a Saturday
counts from Monday. The promise ends with the day, at 23:59:59 in Panama; hours run on.
While the citizen is asked something it rests.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

PANAMA = ZoneInfo("America/Panama")
END_OF_DAY = time(23, 59, 59)
SATURDAY = 5


class Unit(StrEnum):
    HOURS = "hours"
    WORKING_DAYS = "working_days"
    CALENDAR_DAYS = "calendar_days"


def due_at(
    filed_at: datetime, amount: int, unit: Unit, days_off: Container[date] = ()
) -> datetime:
    """The last moment of the promise, in Panama's time, for an aware `filed_at`."""
    here = filed_at.astimezone(PANAMA)
    match unit:
        case Unit.HOURS:
            return here + timedelta(hours=amount)
        case Unit.CALENDAR_DAYS:
            last = here.date() + timedelta(days=amount)
        case Unit.WORKING_DAYS:
            last = after_working_days(here.date(), amount, days_off)
    return end_of(last)


def put_off(
    due: datetime,
    asked_at: datetime,
    answered_at: datetime,
    unit: Unit,
    days_off: Container[date] = (),
) -> datetime:
    """The last moment of a promise that rested between the two: as much later.

    Of terms in days, the days (or working days) that began meanwhile are given back.
    """
    due, asked, answered = (
        moment.astimezone(PANAMA) for moment in (due, asked_at, answered_at)
    )
    if answered <= asked:
        return due
    match unit:
        case Unit.HOURS:
            return due + (answered - asked)
        case Unit.CALENDAR_DAYS:
            last = due.date() + (answered.date() - asked.date())
        case Unit.WORKING_DAYS:
            rested = working_days(asked.date(), answered.date(), days_off)
            last = after_working_days(due.date(), rested, days_off)
    return end_of(last)


def end_of(day: date) -> datetime:
    return datetime.combine(day, END_OF_DAY, tzinfo=PANAMA)


def after_working_days(day: date, amount: int, days_off: Container[date] = ()) -> date:
    """The day on which so many working days after `day` have passed."""
    while amount > 0:
        day += timedelta(days=1)
        if is_working_day(day, days_off):
            amount -= 1
    return day


def working_days(after: date, until: date, days_off: Container[date] = ()) -> int:
    """How many there are after the one day, until the other and with it."""
    days = (after + timedelta(days=n + 1) for n in range((until - after).days))
    return sum(is_working_day(day, days_off) for day in days)


def is_working_day(day: date, days_off: Container[date] = ()) -> bool:
    return day.weekday() < SATURDAY and day not in days_off
