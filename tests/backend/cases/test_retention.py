"""What was kept long enough goes."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from backend.accounts.devices import issue_device, revoke
from backend.accounts.models import Allowance, Device
from backend.cases import retention
from backend.cases.citizens import confirm, follow, invite
from backend.cases.handling import Transition, change_status
from backend.cases.models import AccessLog, Case, Follow, Photo, Reporter
from backend.cases.personal_data import DELETE_FILES, erase_me
from backend.cases.retention import Old, forget_old, what_is_old
from backend.cases.tasks import forget_old as nightly
from backend.cases.workflow import Status
from tests.backend.cases import people
from tests.backend.cases.people import FILED, WORDS, make_person, marks_left
from tests.factories import WEST, make_case, make_category
from tests.jobs import run_jobs

pytestmark = pytest.mark.usefixtures("squares")
CLOSED = FILED + timedelta(days=3)
SECOND = timedelta(seconds=1)


def days(number: int) -> timedelta:
    return timedelta(days=number)


def test_years_later_the_person_is_gone_and_the_case_is_there():
    make_category(contact_days=700, originals_days=30)
    case = make_person()
    digests = people.digests_of(case)
    everybody = marks_left(digests)
    assert everybody == {*WORDS, *digests, "where taken"}

    # An address whose owner did not say yes has gone long before.
    assert forget_old(CLOSED + days(30)) == Old(0, 0, 0, 1, 0, 0)
    # What was sent of the photos goes first; a photo that never came whole goes too.
    assert forget_old(CLOSED + days(30) + SECOND).photos == 2
    run_jobs(DELETE_FILES)
    sent = {"camera", "when taken", "where taken"}
    assert marks_left(digests) == everybody - sent

    assert forget_old(CLOSED + days(700)).cases == 0
    assert forget_old(CLOSED + days(700) + SECOND).cases == 1
    run_jobs(DELETE_FILES)
    assert marks_left(digests) == set()
    case.refresh_from_db()
    assert case.location.coords == WEST
    assert (case.category_id, case.status) == ("PRU-01", "resolved")
    assert case.forgotten_at == CLOSED + days(700) + SECOND
    # Nothing is left to do, then or ever.
    assert forget_old(CLOSED + days(7000)) == Old(0, 0, 0, 0, 0, 0)


def test_each_category_keeps_for_its_own_time():
    short = make_person(category=make_category("K-1", contact_days=10))
    long = make_category("K-2", contact_days=1000)
    other = make_case(category=long, filed_at=FILED, status=Status.REJECTED)
    forget_old(FILED + days(100))
    forgotten = Case.objects.exclude(forgotten_at=None)
    assert list(forgotten) == [short]
    forget_old(FILED + days(1001))
    assert set(forgotten.all()) == {short, other}


def test_an_open_case_is_kept_however_old():
    make_person(Status.ASSIGNED)
    assert what_is_old(FILED + days(10_000)).cases == 0
    forget_old(FILED + days(10_000))
    assert Reporter.objects.exists()


def test_the_time_runs_from_the_last_time_it_was_closed():
    case = make_person()
    change_status(case, Transition(Status.REOPENED, "Sigue"), None, CLOSED + days(300))
    change_status(case, Transition(Status.RESOLVED, "Ya"), None, CLOSED + days(310))
    assert what_is_old(CLOSED + days(400)).cases == 0
    assert what_is_old(CLOSED + days(310 + 366)).cases == 1


def test_what_came_after_it_was_forgotten_is_forgotten_in_its_turn():
    case = make_case(filed_at=FILED, status=Status.RESOLVED)
    forget_old(FILED + days(366))
    reopened = FILED + days(367)
    words = Transition(Status.REOPENED, "Soy 8-765-4321")
    change_status(case, words, None, reopened)
    change_status(case, Transition(Status.RESOLVED, "Ya"), None, reopened)
    assert what_is_old(reopened + days(365)).cases == 0
    assert forget_old(reopened + days(366)).cases == 1
    assert case.history.get(status="reopened").note == "Soy […]"
    # And not once more each night.
    assert forget_old(reopened + days(367)).cases == 0


def test_who_was_forgotten_while_the_case_was_open_is_forgotten_once_more():
    case = make_person(Status.ASSIGNED)
    erase_me(case, CLOSED)
    done = CLOSED + days(1)
    change_status(case, Transition(Status.RESOLVED, "Soy 8-765-4321"), None, done)
    nights = [forget_old(done + days(366 + night)).cases for night in range(3)]
    assert nights == [1, 0, 0]
    assert case.history.get(status="resolved").note == "Soy […]"


def test_only_of_cases_that_may_be_old_is_the_history_looked_at():
    make_case(filed_at=FILED, status=Status.RESOLVED)
    forget_old(FILED + days(366))
    make_case(filed_at=FILED + days(300), status=Status.RESOLVED)
    plan = retention.cases_to_forget(FILED + days(400)).explain(analyze=True)
    looks = [line for line in plan.splitlines() if "on cases_statuschange" in line]
    assert looks
    assert all("never executed" in look for look in looks)


def test_a_closed_denunciation_is_forgotten_like_any_other_case():
    denounced = make_category("PRU-09", act="denunciation")
    make_person(category=denounced)
    assert forget_old(CLOSED + days(366)).cases == 1
    assert not Reporter.objects.exists()


def test_a_case_reopened_meanwhile_is_left_alone():
    case = make_person()
    at = CLOSED + days(366)

    def reopened_first(items, what):
        if what == "cases":
            Case.objects.update(status=Status.REOPENED)
        return items

    assert forget_old(at, reopened_first).cases == 0
    assert Reporter.objects.filter(case=case).exists()


def test_stopped_half_way_the_rest_is_for_the_next_time(monkeypatch):
    cases = [make_case(filed_at=FILED, status=Status.RESOLVED) for _ in range(3)]
    at = FILED + days(366)

    def stopped(items, what):
        for number, item in enumerate(items):
            if what == "cases" and number == 2:
                raise KeyboardInterrupt
            yield item

    with pytest.raises(KeyboardInterrupt):
        forget_old(at, stopped)
    assert Case.objects.exclude(forgotten_at=None).count() == 2
    assert forget_old(at).cases == 1
    assert Case.objects.exclude(forgotten_at=None).count() == len(cases)


def test_photos_of_many_batches_lose_what_was_sent(monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    case = make_case(filed_at=FILED, status=Status.RESOLVED)
    for number in range(5):
        Photo.objects.create(
            case=case,
            state=Photo.State.REFUSED,
            original=people.saved(f"originals/{number}", b"x"),
            added_at=FILED,
        )
    assert forget_old(FILED + days(91)).photos == 5
    assert not Photo.objects.exclude(original="").exists()
    assert run_jobs(DELETE_FILES) == [DELETE_FILES] * 3


def test_what_nobody_uses_any_more_is_cleaned(settings):
    unused, in_use = issue_device().device, issue_device().device
    case = make_case(filed_at=FILED)
    Case.objects.filter(pk=case.pk).update(device=in_use)
    waiting = issue_device().device
    revoke(unused)
    revoke(in_use)
    now = timezone.now()
    Allowance.objects.create(key="spent", free_at=now - SECOND)
    Allowance.objects.create(key="hot", free_at=now + days(1))
    settings.ACCESS_LOG_DAYS = 10
    for age in (9, 11):
        AccessLog.objects.create(case=case, what="taken", at=now - days(age))
    assert what_is_old(now) == forget_old(now) == Old(0, 0, 1, 0, 1, 1)
    assert set(Device.objects.all()) == {in_use, waiting}
    assert Allowance.objects.get().key == "hot"
    assert AccessLog.objects.get().at == now - days(9)


def test_a_phone_that_never_did_anything_is_kept_for_a_year():
    made = timezone.now()
    idle, in_use, watching = (issue_device(at=made).device for _ in range(3))
    case = make_case(device=in_use)
    follow(case, watching)
    issue_device(at=made + days(1))
    assert what_is_old(made + days(365)).devices == 0
    later = made + days(365) + SECOND
    assert what_is_old(later).devices == forget_old(later).devices == 1
    assert not Device.objects.filter(pk=idle.pk).exists()
    assert Device.objects.filter(pk__in=[in_use.pk, watching.pk]).count() == 2


@pytest.mark.parametrize("by", ["follows", "supports", "flags"])
def test_what_a_phone_has_said_of_a_case_keeps_it(by):
    made = timezone.now()
    people.tie(issue_device(at=made).device, make_case(), by)
    assert what_is_old(made + days(366)).devices == 0


def test_of_very_many_phones_each_night_takes_a_part(monkeypatch):
    monkeypatch.setattr(retention, "MOST_PHONES", 3)
    made = timezone.now()
    for _ in range(5):
        issue_device(at=made)
    later = made + days(366)
    assert what_is_old(later).devices == 5
    assert [forget_old(later).devices for _night in range(3)] == [3, 2, 0]


def test_an_address_whose_owner_never_said_yes_is_not_kept():
    case = make_case(filed_at=FILED)
    for name in ("silent", "asked.again", "willing"):
        invite(case, f"{name}@example.com", "es", at=FILED)
    confirm(Follow.objects.order_by("pk")[2])
    Allowance.objects.all().delete()  # as days later
    invite(case, "asked.again@example.com", "es", at=FILED + days(5))
    follow(case, issue_device().device, at=FILED)
    assert forget_old(FILED + days(7)).invitations == 0
    assert forget_old(FILED + days(7) + SECOND).invitations == 1
    left = Follow.objects.exclude(email="").order_by("pk")
    assert [row.email for row in left] == [
        "asked.again@example.com",
        "willing@example.com",
    ]
    assert Follow.objects.filter(email="").count() == 1


def test_the_job_goes_by_the_moment_it_was_meant_for():
    make_person()
    nightly(int((CLOSED + days(365)).timestamp()))
    assert Reporter.objects.exists()
    nightly(int((CLOSED + days(366)).timestamp()))
    assert not Reporter.objects.exists()


def test_the_command_says_first_what_it_would_do():
    make_person()
    at = (CLOSED + days(365) + SECOND).isoformat()
    assert "0 casos" in said("--dry-run", "--at", at[:10])  # that day's midnight
    told = said("--dry-run", "--at", at)
    assert "1 casos sin su persona, 2 fotos sin su original" in told
    assert "Nada ha cambiado" in told
    assert Reporter.objects.exists()


def test_the_command_forgets_by_today_s_date_only():
    with pytest.raises(CommandError, match="dry-run"):
        said("--at", "2040-01-01")
    make_case(filed_at=timezone.now() - days(400), status=Status.RESOLVED)
    assert "1 casos sin su persona" in said()
    assert Case.objects.exclude(forgotten_at=None).count() == 1


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("forget_old", *arguments, stdout=out)
    return out.getvalue()
