"""The page where a person settles what others have flagged."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from backend.accounts.devices import issue_device
from backend.accounts.models import User
from backend.cases.citizens import Complaint, flag
from backend.cases.models import Case, Flag
from tests.factories import make_case

pytestmark = pytest.mark.usefixtures("squares")
PAGE = "/admin/cases/flag/"


def desk(*permissions: str) -> Client:
    user = User.objects.create_user("mesa", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(HTTP_HOST="localhost")
    client.force_login(user)
    return client


@pytest.fixture
def flagged() -> Flag:
    case = make_case()
    flag(case, issue_device().device, Complaint(uuid4(), "offensive", "Insulta"))
    return Flag.objects.get()


def settle(client: Client, flagged: Flag) -> None:
    form = {"action": "settle_them", "_selected_action": str(flagged.pk)}
    assert client.post(PAGE, form, follow=True).status_code == 200
    flagged.refresh_from_db()


def test_a_person_looks_and_the_case_leaves_the_review(flagged):
    client = desk("view_flag", "change_flag")
    page = client.get(PAGE).content.decode()
    assert flagged.case.number in page
    assert "Insulta" in page
    settle(client, flagged)
    assert flagged.settled_by == User.objects.get()
    assert flagged.settled_at is not None
    assert not Case.objects.under_review().exists()
    assert flagged.case.number in client.get(PAGE).content.decode()
    open_ones = client.get(PAGE, {"settled_at__isempty": "1"}).content.decode()
    assert flagged.case.number not in open_ones


def test_who_may_only_look_settles_nothing(flagged):
    settle(desk("view_flag"), flagged)
    assert flagged.settled_at is None
    assert Case.objects.under_review().exists()


def test_a_flag_tells_nobody_which_phone_raised_it(flagged):
    client = desk("view_flag")
    page = client.get(f"{PAGE}{flagged.pk}/change/").content.decode()
    assert "Insulta" in page
    assert str(flagged.device_id) not in page
