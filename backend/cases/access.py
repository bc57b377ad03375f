"""Who may see or change which case. What one may not see does not exist."""

from __future__ import annotations

import hmac
from datetime import datetime

from backend.accounts.limits import HOUR, Limit, Use, give_all_back, take_all, wider
from backend.accounts.models import User
from backend.cases.models import AccessLog, Case, CaseQuerySet, Reporter
from backend.cases.numbers import parse_case_number
from backend.cases.privacy import without_personal_data

# Guesses of one case from one range of addresses, so that a stranger's do not shut the
# owner out; and from all: a pin has a million values, half of which take two years so.
PIN_GUESSES = Limit("pin", times=10, seconds=HOUR)
PIN_GUESSES_OF_ALL = Limit("pin-of-all", times=30, seconds=HOUR)
# And from one range of any case, for numbers follow one another: room for a neighbourhood
# behind an operator's address, where a few read a digit wrong.
NEIGHBOURS_GUESSES = 60  # an hour


class NoSuchCase(Exception):
    """There is no such case, or it is not for this person to know of it."""


class WrongPin(Exception):
    """The case is there; the pin is not its own."""


class NoContact(Exception):
    """Nobody left their contact with this case, or it was forgotten."""


def public_case(number: str) -> Case:
    """A case as anyone may see it. Raises NoSuchCase, NotANumber, WrongDigit."""
    return found(Case.objects.public(), number)


def own_case(number: str, pin: str, near: str) -> Case:
    """A case for whoever reported it. `near` is where they call from (`key_of_range`).

    Not inside a transaction, as `take_all` is not. Raises NoSuchCase, also for a wrong
    pin of a private case, WrongPin, TooMany, NotANumber, WrongDigit.
    """
    number = parse_case_number(number)
    # Before the pin is compared, or many guesses at once would all find a place free;
    # and for any number, or the limit would tell which private cases there are.
    uses = guesses(number, near)
    take_all(uses)
    case = found(Case.objects.all(), number)
    if not hmac.compare_digest(case.pin.encode(), pin.encode()):
        raise WrongPin if case.is_public else NoSuchCase
    give_all_back(uses)
    return case


def guesses(number: str, near: str) -> list[Use]:
    neighbours = Limit("pin-near", times=wider(NEIGHBOURS_GUESSES), seconds=HOUR)
    return [
        Use(PIN_GUESSES, f"{number}-{near}"),
        Use(PIN_GUESSES_OF_ALL, number),
        Use(neighbours, near),
    ]


def case_to_handle(user: User, number: str) -> Case:
    """A case of one of the person's own entities. Raises NoSuchCase."""
    return found(Case.objects.of_entities(user.entity_codes()), number)


def look_at_contact(case: Case, who: User, why: str, at: datetime) -> Reporter:
    """Who reported the case; that it was looked at, and why, is kept.

    Raises NoContact.
    """
    try:
        reporter = Reporter.objects.get(case=case)
    except Reporter.DoesNotExist as nothing:
        raise NoContact from nothing
    AccessLog.objects.create(
        case=case,
        who=who,
        what=AccessLog.What.SEEN,
        why=without_personal_data(why)[:300],
        at=at,
    )
    return reporter


def found(cases: CaseQuerySet, number: str) -> Case:
    try:
        return cases.with_names().get(number=parse_case_number(number))
    except Case.DoesNotExist as nothing:
        raise NoSuchCase(number) from nothing
