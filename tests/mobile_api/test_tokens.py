"""auth/token/: signing in and out."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from knox.models import get_token_model

from backend.accounts.models import Membership
from backend.accounts.passwords import PASSWORD_GUESSES
from tests.factories import make_crew, make_entity
from tests.mobile_api.calls import (
    NEARBY,
    TOKEN,
    phone_of,
    problem_of,
    send,
    wrong_fields,
)

RIGHT = {"username": "cuadrilla", "password": "clave-de-prueba-311"}
WRONG = {"username": "cuadrilla", "password": "otra"}
HERE: dict[str, Any] = {"lat": 8.55, "lon": -79.95}


def test_a_crew_signs_in_and_gets_a_token_that_works(phone):
    make_crew(make_entity("IDAAN"))
    answer = send(phone, RIGHT, TOKEN)
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    assert answer.json().keys() == {"token", "entities"}
    assert answer.json()["entities"] == ["IDAAN"]
    assert not answer.cookies
    held = {"Authorization": f"Token {answer.json()['token']}"}
    assert phone.get(NEARBY, HERE, headers=held).status_code == 200


def test_the_token_is_kept_hashed(phone):
    crew = make_crew()
    token = send(phone, RIGHT, TOKEN).json()["token"]
    (kept,) = get_token_model().objects.filter(user=crew).values()
    assert token not in str(kept)


def test_a_revoked_token_is_refused_at_once(phone):
    make_crew()
    first, second = (send(phone, RIGHT, TOKEN).json()["token"] for _ in range(2))
    held = {"Authorization": f"Token {first}"}
    assert phone.delete(TOKEN, headers=held).status_code == 204
    refused = phone.get(NEARBY, HERE, headers=held)
    assert problem_of(refused, 401) == "authentication-failed"
    # The crew's other phone stays signed in.
    other = {"Authorization": f"Token {second}"}
    assert phone.get(NEARBY, HERE, headers=other).status_code == 200


def test_a_token_whose_time_is_over_is_refused(db):
    crew = make_crew()
    phone = phone_of(crew)
    tokens = get_token_model().objects.filter(user=crew)
    tokens.update(expiry=timezone.now() + timedelta(minutes=1))
    assert phone.get(NEARBY, HERE).status_code == 200
    tokens.update(expiry=timezone.now() - timedelta(minutes=1))
    assert problem_of(phone.get(NEARBY, HERE), 401) == "authentication-failed"


def test_who_leaves_is_refused_at_once(db):
    crew = make_crew()
    phone = phone_of(crew)
    assert phone.get(NEARBY, HERE).status_code == 200
    crew.is_active = False
    crew.save()
    assert problem_of(phone.get(NEARBY, HERE), 401) == "authentication-failed"
    assert problem_of(send(phone, RIGHT, TOKEN), 401) == "authentication-failed"


def test_without_a_password_nobody_stays_signed_in(chief):
    crew = make_crew()
    held = phone_of(crew)
    page = f"/admin/accounts/user/{crew.pk}/password/"
    assert held.get(NEARBY, HERE).status_code == 200
    taken = chief.post(page, {"usable_password": "false", "unset-password": "1"})
    assert taken.status_code == 302
    assert problem_of(held.get(NEARBY, HERE), 401) == "authentication-failed"


def test_with_another_password_nobody_stays_signed_in(db):
    crew, other = make_crew(), make_crew(username="otra")
    phone, elsewhere = phone_of(crew), phone_of(other)
    crew.first_name = "Ana"
    crew.save()
    assert phone.get(NEARBY, HERE).status_code == 200
    crew.set_password("otra-clave-311")
    crew.save()
    assert problem_of(phone.get(NEARBY, HERE), 401) == "authentication-failed"
    assert elsewhere.get(NEARBY, HERE).status_code == 200


def test_a_password_that_is_hashed_anew_signs_nobody_out(db, settings):
    phone = phone_of(make_crew())
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        *settings.PASSWORD_HASHERS,
    ]
    assert send(phone, RIGHT, TOKEN).status_code == 201
    assert phone.get(NEARBY, HERE).status_code == 200


def test_a_wrong_password_and_an_unknown_name_are_answered_alike(phone):
    make_crew()
    wrong = send(phone, WRONG, TOKEN)
    unknown = send(phone, {**WRONG, "username": "nadie"}, TOKEN)
    assert problem_of(wrong, 401) == "authentication-failed"
    assert wrong.content == unknown.content
    assert wrong["WWW-Authenticate"] == "Token"


def test_a_password_cannot_be_guessed_by_trying(phone):
    make_crew()
    for _ in range(PASSWORD_GUESSES.times):
        assert send(phone, WRONG, TOKEN).status_code == 401
    for credentials in (WRONG, RIGHT, {**RIGHT, "username": " CUADRILLA "}):
        refused = send(phone, credentials, TOKEN)
        assert problem_of(refused, 429) == "too-many-requests"
        assert 0 < int(refused["Retry-After"]) <= PASSWORD_GUESSES.seconds


def test_another_address_has_no_more_guesses(phone):
    make_crew()
    statuses = [
        send(
            phone, WRONG, TOKEN, headers={"X-Forwarded-For": f"10.0.0.{n}"}
        ).status_code
        for n in range(PASSWORD_GUESSES.times + 2)
    ]
    assert statuses == [401] * PASSWORD_GUESSES.times + [429] * 2


def test_the_right_password_uses_up_no_guess(phone):
    make_crew()
    for _ in range(PASSWORD_GUESSES.times + 3):
        assert send(phone, RIGHT, TOKEN).status_code == 201


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"/username": "required", "/password": "required"}),
        ({"username": "a", "password": None}, {"/password": "null"}),
        ({"username": ["a"], "password": "b"}, {"/username": "invalid"}),
        (
            {"username": True, "password": {}},
            {"/username": "invalid", "/password": "invalid"},
        ),
        (
            {"username": "a\0", "password": "b"},
            {"/username": "null_characters_not_allowed"},
        ),
        ({"username": "a" * 151, "password": "b"}, {"/username": "max_length"}),
        ({"username": "a", "password": "b" * 129}, {"/password": "max_length"}),
        ([], {"": "invalid"}),
    ],
)
def test_what_are_no_credentials_is_refused(phone, body, wrong):
    assert wrong_fields(send(phone, body, TOKEN)) == wrong


def test_a_name_that_grows_when_its_case_is_folded_is_no_trouble(phone):
    # "ﬃ" becomes three letters.
    body = {"username": "ﬃ" * 150, "password": "b"}
    assert problem_of(send(phone, body, TOKEN), 401) == "authentication-failed"


def test_signing_out_needs_a_token(phone):
    assert problem_of(phone.delete(TOKEN), 401) == "not-authenticated"


@pytest.mark.parametrize(
    "header",
    [
        "Token",
        "Token ",
        "Token a b",
        "Token \xff\xfe",
        "Token é",
        "Token " + "a" * 5000,
    ],
)
def test_what_is_no_token_is_refused_by_every_door(phone, header):
    for path in (NEARBY, "/api/v1/routing/explain/"):
        refused = phone.get(path, headers={"Authorization": header})
        assert problem_of(refused, 401) == "authentication-failed"
    refused = phone.delete(TOKEN, headers={"Authorization": header})
    assert problem_of(refused, 401) == "authentication-failed"
    assert (
        phone.get("/api/v1/schema/", headers={"Authorization": header}).status_code
        == 200
    )


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer x", "\xff"])
def test_another_kind_of_credential_is_none(phone, header):
    refused = phone.get(NEARBY, headers={"Authorization": header})
    assert problem_of(refused, 401) == "not-authenticated"


def test_a_membership_counts_from_the_next_request(squares):
    crew = make_crew(make_entity("IDAAN"))
    phone = phone_of(crew)
    assert send(phone, RIGHT, TOKEN).json()["entities"] == ["IDAAN"]
    Membership.objects.filter(user=crew).delete()
    assert phone.get(NEARBY, HERE).json()["features"] == []
