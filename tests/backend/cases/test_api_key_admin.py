"""Keys for other systems are made, shown once and revoked in the administration."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from backend.accounts.api_keys import issue_key, key_of
from backend.accounts.models import ApiKey, User
from tests.factories import make_consent, make_entity

LIST = "/admin/accounts/apikey/"


@pytest.fixture
def keeper(db) -> Client:
    user = User.objects.create_user("llavera", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__endswith="_apikey"))
    client = Client(HTTP_HOST="localhost")
    client.force_login(user)
    return client


def form(**fields: object) -> dict[str, object]:
    return {"name": "FixMyStreet", "contact": "a@b.org", "hourly": 600, **fields}


def secret_in(page: str) -> str:
    found = re.search(r'<code id="secret">([\w-]{43})</code>', page)
    assert found
    return found[1]


def test_a_key_is_made_and_its_secret_is_shown_on_that_page_and_no_other(keeper):
    make_consent("2026-11")
    asked = form(consent="2026-11", entity=make_entity().pk)
    answer = keeper.post(f"{LIST}add/", asked)
    assert answer.status_code == 200
    secret = secret_in(answer.content.decode())
    key = key_of(secret)
    assert (key.name, key.consent, key.entity_id) == ("FixMyStreet", "2026-11", "OBRAS")
    assert "no-store" in answer["Cache-Control"]
    assert secret not in str(answer.cookies)
    for address in (LIST, f"{LIST}{key.pk}/change/", f"{LIST}{key.pk}/history/"):
        page = keeper.get(address).content.decode()
        assert secret not in page
        assert key.digest not in page


def test_a_key_is_changed_without_another_secret(keeper):
    key = issue_key("Uno")
    answer = keeper.post(f"{LIST}{key.pk}/change/", form(name="Otro nombre", hourly=5))
    assert answer.status_code == 302
    changed = key_of(key.secret)
    assert (changed.name, changed.hourly) == ("Otro nombre", 5)


def test_a_key_is_revoked_and_never_deleted(keeper):
    key = issue_key("Uno")
    act = {"action": "revoke_them", "_selected_action": [key.pk]}
    assert keeper.post(LIST, act).status_code == 302
    assert ApiKey.objects.get().revoked_at is not None
    assert keeper.post(f"{LIST}{key.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "delete_selected" not in keeper.get(LIST).content.decode()


def test_a_text_of_consent_that_there_is_not_and_no_limit_are_refused(keeper):
    for wrong in (form(consent="otra"), form(hourly=0), form(hourly="")):
        assert keeper.post(f"{LIST}add/", wrong).status_code == 200
    assert not ApiKey.objects.exists()


def test_who_has_no_right_to_keys_makes_none(db):
    client = Client(HTTP_HOST="localhost")
    client.force_login(User.objects.create_user("otra", is_staff=True))
    assert client.post(f"{LIST}add/", form()).status_code == 403
    assert client.get(LIST).status_code == 403
