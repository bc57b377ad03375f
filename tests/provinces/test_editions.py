"""Whoever asks for the edition learns of every change, and of none that was taken back."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from backend.cases.categories import UnknownCategory, category_of
from backend.cases.models import Category, Group
from provinces.editions import edition_in_force
from provinces.models import Duty, Entity, Generation, Jurisdiction
from provinces.routing import rulebook
from tests.factories import (
    make_category,
    make_duty,
    make_entity,
    make_jurisdiction,
    make_territory,
)

pytestmark = pytest.mark.django_db


def test_an_edition_names_the_boundaries_and_the_rules_in_force():
    generation = make_territory()
    before = edition_in_force()
    assert before.boundaries == generation.pk
    assert edition_in_force() == before
    make_duty()
    assert edition_in_force().rules != before.rules


def test_without_boundaries_there_is_an_edition_too():
    Generation.objects.update(is_active=False)
    assert edition_in_force().boundaries is None


@pytest.mark.parametrize("model", [Jurisdiction, Entity, Duty, Category, Group])
def test_every_change_of_a_rule_is_another_edition(model):
    make_category()
    make_jurisdiction(make_duty("otra"), make_entity("OTRA"))
    seen = [edition_in_force().rules]
    (rule := model.objects.last()).save()
    seen.append(edition_in_force().rules)
    model.objects.filter(pk=rule.pk).update(**{model._meta.pk.attname: rule.pk})
    seen.append(edition_in_force().rules)
    if model is Jurisdiction:
        rule.delete()
        seen.append(edition_in_force().rules)
    assert len(set(seen)) == len(seen)


def test_a_number_is_never_used_again_after_what_was_taken_back():
    """Or a process would answer by rules that never came to be."""
    seen = [edition_in_force().rules]
    with transaction.atomic():
        make_duty("taken-back")
        seen.append(edition_in_force().rules)
        transaction.set_rollback(True)
    assert edition_in_force().rules == seen[0]
    make_duty("stays")
    assert edition_in_force().rules not in seen


def test_what_a_process_has_read_it_does_not_read_again():
    category = make_category()
    edition = edition_in_force()
    first = (rulebook(), category_of(category.code))
    with connection.execute_wrapper(refused):
        assert rulebook(edition) is first[0]
        assert category_of(category.code, edition) is first[1]


def test_a_category_that_is_put_out_of_use_is_unknown_at_once():
    category = make_category()
    assert category_of(category.code) == category
    Category.objects.filter(pk=category.pk).update(active=False)
    with pytest.raises(UnknownCategory):
        category_of(category.code)


def refused(*_statement: object) -> None:
    raise AssertionError("asked the database")
