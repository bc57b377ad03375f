"""Which days are off, by the law and by what the authority changes in it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from holidays.countries.panama import Panama

from backend.cases.days_off import DaysOff, days_off, holidays_of, promised
from backend.cases.deadlines import PANAMA
from backend.cases.models import Category, DayOff
from tests.factories import make_case, make_category, make_territory


def test_the_holidays_of_a_year_are_the_laws():
    assert sorted(holidays_of(2026)) == [
        date(2026, 1, 1),
        date(2026, 1, 9),
        date(2026, 2, 17),
        date(2026, 4, 3),
        date(2026, 5, 1),
        date(2026, 11, 3),
        date(2026, 11, 5),
        date(2026, 11, 10),
        date(2026, 11, 28),
        date(2026, 12, 8),
        date(2026, 12, 20),
        date(2026, 12, 21),  # for the Sunday before
        date(2026, 12, 25),
    ]


@pytest.mark.parametrize("year", range(2015, 2060))
def test_they_are_those_that_others_know(year):
    theirs = set(Panama(years=year))
    # A President takes office when one has been elected: they name three of the past.
    assert holidays_of(year) - {date(year, 7, 1)} == theirs - {date(year, 7, 1)}
    assert (date(year, 7, 1) in holidays_of(year)) == (year % 5 == 4)


@pytest.mark.parametrize("year", [2014, 2019, 2024])
def test_the_day_on_which_a_president_takes_office_is_off(year):
    assert date(year, 7, 1) in holidays_of(year)
    assert date(year, 7, 1) in Panama(years=year)


def test_the_authority_adds_a_day_and_takes_one_away():
    bridge, moved = date(2026, 11, 4), date(2026, 11, 5)
    known = DaysOff({bridge: False, moved: True})
    assert bridge in known
    assert moved not in known
    assert date(2026, 11, 3) in known
    assert date(2026, 11, 6) not in known
    assert "2026-11-03" not in known


# ── As it is stored ──────────────────────────────────────────────────────────────

MONDAY = datetime(2026, 11, 2, 9, tzinfo=PANAMA)


@pytest.fixture
def three_working_days(db) -> Category:
    make_territory()
    return make_category(sla_amount=3, sla_unit="working_days")


def test_a_term_passes_over_the_days_off(three_working_days):
    # Tuesday and Thursday are holidays: Wednesday, Friday and Monday count.
    assert promised(three_working_days, MONDAY).date() == date(2026, 11, 9)


def test_what_the_authority_writes_counts_from_the_next_report_on(three_working_days):
    before = days_off()
    DayOff.objects.create(day="2026-11-06", name_es="Puente", name_en="Bridge")
    assert days_off() is not before
    # Tuesday the tenth is another holiday.
    assert promised(three_working_days, MONDAY).date() == date(2026, 11, 11)
    DayOff.objects.create(
        day="2026-11-10", name_es="Se trabaja", name_en="Worked", worked=True
    )
    assert promised(three_working_days, MONDAY).date() == date(2026, 11, 10)
    DayOff.objects.all().delete()
    assert promised(three_working_days, MONDAY).date() == date(2026, 11, 9)


def test_a_case_is_due_when_its_category_promises(three_working_days):
    case = make_case(category=three_working_days, filed_at=MONDAY)
    assert case.due_at == promised(three_working_days, MONDAY)
    assert case.due_at - MONDAY > timedelta(days=6)
