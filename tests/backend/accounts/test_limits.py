"""Whether somebody may try once more now."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from backend.accounts.limits import Limit, TooMany, give_back, take
from backend.accounts.models import Allowance

pytestmark = pytest.mark.django_db

FIVE_AN_HOUR = Limit("five", times=5, seconds=3600)


def test_so_many_may_and_the_next_must_wait():
    for _try in range(5):
        take(FIVE_AN_HOUR, "ana")
    with pytest.raises(TooMany) as refusal:
        take(FIVE_AN_HOUR, "ana")
    # One of five an hour comes back after twelve minutes, less what this test took.
    assert 600 < refusal.value.retry_after <= 720


def test_one_person_does_not_use_up_anothers():
    use_up(FIVE_AN_HOUR, "ana")
    take(FIVE_AN_HOUR, "luis")


def test_one_limit_does_not_use_up_another():
    use_up(FIVE_AN_HOUR, "ana")
    take(Limit("other", times=1, seconds=60), "ana")


def test_time_gives_back_one_by_one():
    use_up(FIVE_AN_HOUR, "ana")
    pass_time(minutes=12, seconds=1)
    take(FIVE_AN_HOUR, "ana")
    with pytest.raises(TooMany):
        take(FIVE_AN_HOUR, "ana")


def test_after_a_whole_period_all_of_them_are_back_and_no_more():
    use_up(FIVE_AN_HOUR, "ana")
    pass_time(days=30)
    assert use_up(FIVE_AN_HOUR, "ana") == 5


def test_what_is_given_back_can_be_used_again():
    use_up(FIVE_AN_HOUR, "ana")
    give_back(FIVE_AN_HOUR, "ana")
    take(FIVE_AN_HOUR, "ana")
    with pytest.raises(TooMany):
        take(FIVE_AN_HOUR, "ana")


def test_being_refused_costs_nothing():
    use_up(FIVE_AN_HOUR, "ana")
    before = Allowance.objects.get().free_at
    for _try in range(20):
        with pytest.raises(TooMany):
            take(FIVE_AN_HOUR, "ana")
    assert Allowance.objects.get().free_at == before


def test_the_wait_is_a_whole_second_at_least():
    many = Limit("many", times=1, seconds=0.5)
    take(many, "ana")
    with pytest.raises(TooMany) as refusal:
        take(many, "ana")
    assert refusal.value.retry_after == 1


def test_names_that_strangers_made_up_do_not_pile_up():
    long_ago = timezone.now() - timedelta(hours=1)
    Allowance.objects.bulk_create(
        Allowance(key=f"five:made-up-{number}", free_at=long_ago)
        for number in range(10)
    )
    use_up(FIVE_AN_HOUR, "ana")
    assert [row.key for row in Allowance.objects.all()] == ["five:ana"]


def test_a_table_that_a_crash_may_empty_needs_no_log():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relpersistence FROM pg_class WHERE relname = 'accounts_allowance'"
        )
        assert cursor.fetchone() == ("u",)


def test_of_many_at_once_exactly_so_many_pass(elsewhere):
    assert elsewhere.play("limit") == {"passed": 20, "TooMany": 20}


def use_up(limit: Limit, who: str) -> int:
    used = 0
    while True:
        try:
            take(limit, who)
        except TooMany:
            return used
        used += 1


def pass_time(**time: float) -> None:
    """The database's clock is the only one: so the rows go back instead."""
    Allowance.objects.update(free_at=F("free_at") - timedelta(**time))
