"""When a case is due.

Working days are Monday to Friday (Ley 38 de 2000, art. 67: terms in days count working
days); the calendar of holidays is not known here yet. A case filed on a Saturday counts
from Monday. The promise ends with the day, at 23:59:59 in Panama; hours run on.
"""

from __future__ import annotations

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


def due_at(filed_at: datetime, amount: int, unit: Unit) -> datetime:
    """The last moment of the promise, in Panama's time, for an aware `filed_at`."""
    here = filed_at.astimezone(PANAMA)
    match unit:
        case Unit.HOURS:
            return here + timedelta(hours=amount)
        case Unit.CALENDAR_DAYS:
            last = here.date() + timedelta(days=amount)
        case Unit.WORKING_DAYS:
            last = after_working_days(here.date(), amount)
    return datetime.combine(last, END_OF_DAY, tzinfo=PANAMA)


def after_working_days(day: date, amount: int) -> date:
    """The day on which so many working days after `day` have passed."""
    while amount > 0:
        day += timedelta(days=1)
        if is_working_day(day):
            amount -= 1
    return day


def is_working_day(day: date) -> bool:
    return day.weekday() < SATURDAY
