"""What ceases to be public is noted by the database itself, whoever makes it cease."""

from __future__ import annotations

import pytest
from django.db import connection

from backend.cases.catalogue import republish
from backend.cases.models import Case, Withdrawal
from tests.factories import make_case, make_category, make_territory


@pytest.fixture(autouse=True)
def squares(db):
    make_territory()


def noted() -> dict[str, str]:
    return dict(Withdrawal.objects.values_list("number", "reason"))


def hide(case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(is_public=False, public_location=None)


def test_a_case_that_is_hidden_is_noted_with_its_time():
    case, other = make_case(), make_case()
    hide(case)
    assert noted() == {case.number: "hidden"}
    (note,) = Withdrawal.objects.all()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    assert case.filed_at < note.withdrawn_at <= now
    assert other.number not in noted()


def test_losing_the_point_alone_withdraws_too():
    case = make_case()
    Case.objects.filter(pk=case.pk).update(public_location=None)
    assert noted() == {case.number: "hidden"}


def test_a_case_that_is_deleted_is_noted():
    case = make_case()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM cases_statuschange WHERE case_id = %s", [case.pk])
        cursor.execute("DELETE FROM cases_case WHERE id = %s", [case.pk])
    assert noted() == {case.number: "deleted"}


def test_what_was_never_public_leaves_no_trace():
    case = make_case(category=make_category("P-1", precision="none", private=True))
    Case.objects.filter(pk=case.pk).update(description="otra")
    case.delete()
    assert noted() == {}


def test_a_case_that_is_public_again_has_no_note():
    case = make_case()
    point = case.public_location
    hide(case)
    Case.objects.filter(pk=case.pk).update(is_public=True, public_location=point)
    assert noted() == {}


def test_other_changes_are_no_withdrawal():
    case = make_case()
    case.is_public = True
    case.demo = True
    case.save()
    assert noted() == {}


def test_a_category_that_becomes_private_withdraws_and_returns_its_cases():
    category = make_category()
    case = make_case(category=category)
    before = Case.objects.get(pk=case.pk).updated_at
    category.private, category.precision = True, "none"
    category.save()
    republish(category, lambda items, _: items)
    assert noted() == {case.number: "hidden"}
    category.private, category.precision = False, "exact"
    category.save()
    republish(category, lambda items, _: items)
    assert noted() == {}
    # So that who takes increments gets it again.
    assert Case.objects.get(pk=case.pk).updated_at > before
