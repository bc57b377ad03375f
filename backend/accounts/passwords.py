"""Who somebody is, by their password; how often it may be wrong, at every door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth import authenticate
from django.http import HttpRequest

from backend.accounts.addresses import key_of_range
from backend.accounts.encryption import fingerprint_of
from backend.accounts.limits import Limit, Use, give_all_back, take_all, wider
from backend.accounts.models import User

QUARTER_OF_AN_HOUR = 900.0  # seconds
# Guesses of one person's password from one range of addresses, so that a stranger's do
# not shut them out; from everywhere; and from one range of anybody's, or who tries one
# password with all names would never have had enough.
PASSWORD_GUESSES = Limit("password", times=10, seconds=QUARTER_OF_AN_HOUR)
PASSWORD_GUESSES_OF_ALL = Limit("password-of-all", 30, QUARTER_OF_AN_HOUR)
NEIGHBOURS_GUESSES = 60  # in a quarter of an hour


class WrongPassword(Exception):
    """Nobody signs in with this name and this password."""


def signed_in(request: HttpRequest, username: str, password: str) -> User:
    """Who signs in. Not inside a transaction. Raises WrongPassword, TooMany."""
    with counted_guess(request, username):
        user = authenticate(request, username=username, password=password)
        if not isinstance(user, User):
            raise WrongPassword
    return user


@contextmanager
def counted_guess(request: HttpRequest, username: str) -> Iterator[None]:
    """Before the password is looked at, or many at once would all find room for theirs.

    Given back when the body raises nothing: it was no guess. Raises TooMany.
    """
    uses = guesses(request, username)
    take_all(uses)
    yield
    give_all_back(uses)


def guesses(request: HttpRequest, username: str) -> list[Use]:
    who = fingerprint_of(username.casefold(), "username")[:32]
    near = key_of_range(request)
    neighbours = Limit("password-near", wider(NEIGHBOURS_GUESSES), QUARTER_OF_AN_HOUR)
    return [
        Use(PASSWORD_GUESSES, f"{who}-{near}"),
        Use(PASSWORD_GUESSES_OF_ALL, who),
        Use(neighbours, near),
    ]
