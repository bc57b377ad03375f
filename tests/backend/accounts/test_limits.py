"""Whether somebody may try once more now."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from backend.accounts.limits import (
    Limit,
    ProofRequired,
    TooMany,
    Use,
    give_all_back,
    give_back,
    take,
    take_all,
)
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


SHARED = Limit("shared", times=3, seconds=3600)
CALM = Limit("calm", times=5, seconds=3600, calm=2)


def test_several_limits_are_used_at_once():
    take_all([Use(FIVE_AN_HOUR, "ana"), Use(SHARED, "barrio")])
    assert use_up(FIVE_AN_HOUR, "ana") == 4
    assert use_up(SHARED, "barrio") == 2


@pytest.mark.parametrize("first", [True, False])
def test_when_one_is_used_up_the_others_are_not_used(first):
    both = [Use(FIVE_AN_HOUR, "ana"), Use(SHARED, "barrio")]
    use_up(SHARED, "barrio")
    for _try in range(9):
        with pytest.raises(TooMany) as refusal:
            take_all(both if first else both[::-1])
    # The wait is that of the fuller one: a third of an hour.
    assert 1100 < refusal.value.retry_after <= 1200
    assert use_up(FIVE_AN_HOUR, "ana") == 5


def test_it_is_one_statement_however_many_limits(django_assert_num_queries):
    with django_assert_num_queries(1):
        take_all([Use(FIVE_AN_HOUR, str(who)) for who in range(5)], proof="p")


def test_all_are_given_back_together():
    both = [Use(FIVE_AN_HOUR, "ana"), Use(SHARED, "barrio")]
    take_all(both)
    give_all_back(both)
    assert use_up(FIVE_AN_HOUR, "ana") == 5
    assert use_up(SHARED, "barrio") == 3


def test_a_large_use_counts_as_many():
    take_all([Use(FIVE_AN_HOUR, "ana", amount=3)])
    with pytest.raises(TooMany):
        take_all([Use(FIVE_AN_HOUR, "ana", amount=3)])
    assert use_up(FIVE_AN_HOUR, "ana") == 2


@pytest.mark.parametrize("times", [3, 6, 7, 9, 11, 13])
def test_what_no_clock_divides_evenly_is_exact_too(times):
    assert use_up(Limit("odd", times=times, seconds=1000.0), "ana") == times


def test_the_first_few_are_free_and_more_need_a_proof_each():
    for _try in range(2):
        take_all([Use(CALM, "ana")])
    for _try in range(3):
        with pytest.raises(ProofRequired):
            take_all([Use(CALM, "ana")])
    for number in range(3):
        take_all([Use(CALM, "ana")], proof=f"proof-{number}")
    # Beyond the whole of it, no proof helps.
    for proof in ("", "another"):
        with pytest.raises(TooMany):
            take_all([Use(CALM, "ana")], proof)


def test_a_proof_counts_once_for_anybody():
    take_all([Use(CALM, "ana")], proof="p")
    for who in ("ana", "luis"):
        with pytest.raises(ProofRequired):
            take_all([Use(CALM, who)], proof="p")


def test_a_proof_is_not_used_up_by_a_call_that_must_wait():
    use_up(SHARED, "barrio")
    with pytest.raises(TooMany):
        take_all([Use(SHARED, "barrio")], proof="p")
    take_all([Use(CALM, "ana")], proof="p")


def test_what_is_refused_leaves_no_rows_behind_either():
    use_up(SHARED, "barrio")
    for number in range(20):
        with pytest.raises(TooMany):
            take_all([Use(SHARED, "barrio"), Use(FIVE_AN_HOUR, f"made-up-{number}")])
    # At most the last one's, which is not yet past.
    assert Allowance.objects.count() <= 3


def test_of_many_at_once_exactly_so_many_pass_several_limits(elsewhere):
    assert elsewhere.play("several_limits") == {"passed": 20, "TooMany": 28}


def test_whatever_the_order_nobody_waits_for_ever(elsewhere):
    assert elsewhere.play("crossed_limits") == {"passed": 2}


def test_of_many_at_once_one_proof_lets_one_pass(elsewhere):
    assert elsewhere.play("one_proof") == {"passed": 1, "ProofRequired": 15}


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
