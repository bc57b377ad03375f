"""The days on which no public office works, and no term in working days goes on.

National holidays are the law's (Código de Trabajo, arts. 46 and 47; Ley 55 de 2001; Ley
291 de 2022): when one falls on a Sunday, Monday is off. What is decreed from year to year,
a bridge or a day that is worked after all, the authority adds to the table `DayOff`.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache

from dateutil.easter import easter

from backend.cases.deadlines import Unit, due_at, put_off
from backend.cases.models import Category, DayOff
from provinces.editions import Edition, edition_in_force

SUNDAY = 6
# Month and day, and the first year.
FIXED = (
    ((1, 1), 0),  # Año Nuevo
    ((1, 9), 1972),  # Día de los Mártires
    ((5, 1), 0),  # Día del Trabajo
    ((11, 3), 0),  # Separación de Panamá de Colombia
    ((11, 5), 2002),  # Día de Colón
    ((11, 10), 1969),  # Primer Grito de Independencia
    ((11, 28), 0),  # Independencia de Panamá de España
    ((12, 8), 0),  # Día de la Madre
    ((12, 20), 2022),  # Día de Duelo Nacional
    ((12, 25), 0),  # Navidad
)
BEFORE_EASTER = (47, 2)  # Martes de Carnaval, Viernes Santo
# A President takes office on the first of July, every five years.
TAKES_OFFICE, ONE_TERM = 2024, 5


@lru_cache(maxsize=64)
def holidays_of(year: int) -> frozenset[date]:
    """The law's, with the Mondays after those that fall on a Sunday."""
    days = {date(year, *day) for day, since in FIXED if year >= since}
    days |= {day + timedelta(days=1) for day in days if day.weekday() == SUNDAY}
    days |= {easter(year) - timedelta(days=before) for before in BEFORE_EASTER}
    if (year - TAKES_OFFICE) % ONE_TERM == 0:
        days.add(date(year, 7, 1))
    return frozenset(days)


class DaysOff:
    """The law's holidays as the authority has changed them; a container of days."""

    def __init__(self, decreed: dict[date, bool]) -> None:
        self._is_worked = decreed

    def __contains__(self, day: object) -> bool:
        if not isinstance(day, date):
            return False
        worked = self._is_worked.get(day)
        return day in holidays_of(day.year) if worked is None else not worked


def days_off(edition: Edition | None = None) -> DaysOff:
    """Those of now, in memory: a change is seen by the next call."""
    return days_off_of((edition or edition_in_force()).rules)


@lru_cache(maxsize=2)
def days_off_of(rules: int) -> DaysOff:
    return DaysOff(dict(DayOff.objects.values_list("day", "worked")))


# ── What a category promises ─────────────────────────────────────────────────────


def promised(
    category: Category, filed_at: datetime, edition: Edition | None = None
) -> datetime:
    """When a report that is filed then is due."""
    unit = Unit(category.sla_unit)
    return due_at(filed_at, category.sla_amount, unit, days_off(edition))


def promised_after_asking(
    category: Category, due: datetime, asked_at: datetime, answered_at: datetime
) -> datetime:
    """When it is due once the citizen has answered what was asked."""
    return put_off(due, asked_at, answered_at, Unit(category.sla_unit), days_off())
