"""A user for an entity's crew."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from backend.accounts.models import Membership, User
from tests.factories import make_entity

pytestmark = pytest.mark.django_db


def test_a_crew_member_is_made_with_a_password_that_is_shown_once():
    make_entity("OBRAS")
    shown = create_crew("brigada", entity="OBRAS")
    user = User.objects.get(username="brigada")
    assert user.check_password(shown.split()[-1])
    assert user.entity_codes() == ["OBRAS"]
    assert user.memberships.get().role == Membership.Role.CREW
    assert not user.is_staff
    assert not user.is_superuser


def test_two_crew_members_have_different_passwords():
    make_entity("OBRAS")
    one, other = (create_crew(name, entity="OBRAS").split()[-1] for name in "ab")
    assert one != other
    assert min(len(one), len(other)) >= 16


def test_an_unknown_entity_makes_nobody():
    with pytest.raises(CommandError, match="NADIE"):
        create_crew("brigada", entity="NADIE")
    assert not User.objects.exists()


def test_a_name_that_is_taken_changes_nobody():
    make_entity("OBRAS")
    make_entity("AGUA")
    first = create_crew("brigada", entity="OBRAS").split()[-1]
    with pytest.raises(CommandError, match="brigada"):
        create_crew("brigada", entity="AGUA")
    user = User.objects.get()
    assert user.check_password(first)
    assert user.entity_codes() == ["OBRAS"]


def create_crew(username: str, entity: str) -> str:
    out = StringIO()
    call_command("create_crew", username, entity=entity, stdout=out)
    return out.getvalue()
