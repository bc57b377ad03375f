"""How often a password may be wrong: at the phones' door and at the administration's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from backend.accounts.models import Allowance, User
from backend.accounts.passwords import (
    NEIGHBOURS_GUESSES,
    PASSWORD_GUESSES,
    PASSWORD_GUESSES_OF_ALL,
)

PASSWORD = "clave-de-prueba-311"
HERE, THERE = "198.51.100.7", "203.0.113.9"
ONE_RANGE, OF_ALL = PASSWORD_GUESSES.times, PASSWORD_GUESSES_OF_ALL.times


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def boss(db) -> User:
    return User.objects.create_superuser("jefa", password=PASSWORD)


def page(password: str, at: str = HERE, username: str = "jefa") -> Any:
    """What the administration's page answers."""
    client = Client(HTTP_HOST="localhost", REMOTE_ADDR=at)
    sent = {"username": username, "password": password, "next": "/admin/"}
    return client.post("/admin/login/", sent)


def phone(password: str, at: str = HERE, username: str = "jefa") -> int:
    """The status that the phones' door answers."""
    client = Client(HTTP_HOST="localhost", REMOTE_ADDR=at)
    sent = json.dumps({"username": username, "password": password})
    answer = client.post("/api/v1/auth/token/", sent, "application/json")
    return answer.status_code


def test_at_the_administrations_page_a_password_is_not_guessed_either(boss):
    for _ in range(ONE_RANGE):
        assert "Demasiados intentos" not in page("otra").content.decode()
    refused = page(PASSWORD)
    assert refused.status_code == 200
    assert "Demasiados intentos. Espere 2 minutos." in refused.content.decode()
    assert not refused.wsgi_request.user.is_authenticated
    # Nor at the other door.
    assert phone(PASSWORD) == 429


def test_who_signs_in_uses_up_no_guess(boss):
    for _ in range(ONE_RANGE + 3):
        assert page(PASSWORD).status_code == 302
        assert phone(PASSWORD) == 201


def test_a_stranger_does_not_shut_anybody_out(boss):
    for _ in range(ONE_RANGE + 3):
        phone("otra", at=THERE)
    assert phone(PASSWORD, at=THERE) == 429
    assert phone(PASSWORD) == 201
    assert page(PASSWORD).status_code == 302


def test_from_everywhere_together_there_are_not_many_guesses(boss):
    statuses = [phone("otra", at=f"203.0.{n}.9") for n in range(OF_ALL + 2)]
    assert statuses == [401] * OF_ALL + [429] * 2


def test_one_password_is_not_tried_with_everybodys_name(boss, settings):
    # Few, or some would be back before a slow machine has used all of them.
    settings.LIMITS_FACTOR = 0.1
    guesses = NEIGHBOURS_GUESSES // 10
    statuses = [phone("123", username=f"c{n}") for n in range(guesses + 2)]
    assert statuses == [401] * guesses + [429] * 2
    assert phone(PASSWORD) == 429
    assert phone(PASSWORD, at=THERE) == 201


def test_no_name_and_no_address_is_kept(boss):
    phone("otra", username="cuadrilla-del-norte")
    kept = " ".join(Allowance.objects.values_list("key", flat=True))
    assert kept
    assert "norte" not in kept
    assert HERE not in kept


@pytest.mark.parametrize("username", ["", "ﬃ" * 150, "a\0"])
def test_whatever_the_name_is_there_is_an_answer(boss, username):
    assert page("otra", username=username).status_code == 200
