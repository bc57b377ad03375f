"""Who may see or change which case."""

from __future__ import annotations

import pytest

from backend.accounts.limits import TooMany
from backend.cases.access import (
    NoSuchCase,
    WrongPin,
    case_to_handle,
    own_case,
    public_case,
)
from backend.cases.models import Case, Category
from backend.cases.numbers import NotANumber, WrongDigit, case_number
from tests.factories import make_case, make_category, make_crew, make_duty, make_entity
from tests.factories import make_jurisdiction as make_rule

pytestmark = pytest.mark.usefixtures("squares")

# Where a call comes from, as `key_of_range` says it.
HERE, ELSEWHERE = "here", "elsewhere"
NEVER_GIVEN = case_number(1999, 9_999_999)


def test_anyone_may_see_a_public_case():
    case = make_case()
    assert public_case(case.number) == case
    assert public_case(f" {case.number.replace('-', ' ')}") == case


def test_a_private_case_does_not_exist_for_the_public():
    with pytest.raises(NoSuchCase):
        public_case(private_case().number)


@pytest.mark.parametrize(
    "see", [public_case, lambda number: own_case(number, "123456", HERE)]
)
def test_a_number_that_is_none_is_told_from_one_that_is_not_there(see):
    with pytest.raises(NotANumber):
        see("hueco")
    with pytest.raises(WrongDigit):
        see(NEVER_GIVEN[:-1] + str((int(NEVER_GIVEN[-1]) + 1) % 10))
    with pytest.raises(NoSuchCase):
        see(NEVER_GIVEN)


# ── With the pin ─────────────────────────────────────────────────────────────────


def test_the_right_pin_shows_the_own_case_also_a_private_one():
    for case in (make_case(), private_case()):
        assert own_case(case.number, case.pin, HERE) == case


@pytest.mark.parametrize("pin", ["", "0", "1234567", "abcdef", "١٢٣٤٥٦", "\0", "ñ"])
def test_another_pin_is_wrong_whatever_it_is(pin):
    case = make_case()
    with pytest.raises(WrongPin):
        own_case(case.number, pin, HERE)


def test_the_pin_of_another_case_is_wrong():
    one, other = make_case(), make_case()
    Case.objects.filter(pk=one.pk).update(pin="111111")
    Case.objects.filter(pk=other.pk).update(pin="222222")
    with pytest.raises(WrongPin):
        own_case(one.number, "222222", HERE)


def test_ten_guesses_and_then_even_the_right_pin_must_wait():
    case = make_case()
    assert wrong_guesses(case) == 10
    with pytest.raises(TooMany):
        own_case(case.number, case.pin, HERE)


def test_a_strangers_guesses_do_not_shut_the_owner_out():
    case = make_case()
    assert wrong_guesses(case, ELSEWHERE) == 10
    assert own_case(case.number, case.pin, HERE) == case


def test_thirty_guesses_from_everywhere_and_then_everybody_must_wait():
    case = make_case()
    heard = [wrong_guesses(case, f"range {number}") for number in range(5)]
    assert heard == [10, 10, 10, 0, 0]
    with pytest.raises(TooMany):
        own_case(case.number, case.pin, HERE)


def test_numbers_cannot_be_gone_through_with_a_few_guesses_of_each(settings):
    settings.LIMITS_FACTOR = 1.0
    cases = [make_case() for _ in range(7)]
    heard = [wrong_guesses(case, ELSEWHERE) for case in cases]
    assert heard == [10, 10, 10, 10, 10, 10, 0]
    last = cases[-1]
    with pytest.raises(TooMany):
        own_case(last.number, last.pin, ELSEWHERE)
    assert own_case(last.number, last.pin, HERE) == last


def test_how_many_a_neighbourhood_may_guess_is_wider_or_narrower_by_a_setting(settings):
    settings.LIMITS_FACTOR = 0.05
    case = make_case()
    assert wrong_guesses(case) == 3


def test_the_right_pin_uses_up_nothing():
    case = make_case()
    for _look in range(25):
        own_case(case.number, case.pin, HERE)
    assert wrong_guesses(case) == 10


def test_guesses_of_one_case_do_not_close_another():
    one, other = make_case(), make_case()
    wrong_guesses(one)
    assert own_case(other.number, other.pin, HERE) == other


def test_a_number_in_another_spelling_is_the_same_case_for_guesses():
    case = make_case()
    spellings = [case.number, case.number.replace("-", ""), f" {case.number} "]
    for guess in range(10):
        with pytest.raises(WrongPin):
            own_case(spellings[guess % 3], wrong_pin(case), HERE)
    with pytest.raises(TooMany):
        own_case(case.number.replace("-", " "), wrong_pin(case), HERE)


def test_of_many_guesses_at_once_ten_are_heard(elsewhere):
    assert elsewhere.play("pins") == {"WrongPin": 10, "TooMany": 20}


def test_guessing_does_not_tell_a_private_case_from_none():
    """Answer by answer the same, also when the guesses are used up."""
    case = private_case()
    assert answers(case.number, wrong_pin(case)) == answers(NEVER_GIVEN, "123456")


# ── Crews ────────────────────────────────────────────────────────────────────────


def test_a_crew_handles_the_cases_of_its_entity_also_private_ones():
    crew = make_crew(make_entity("OBRAS"))
    for case in (make_case(), private_case()):
        assert case_to_handle(crew, case.number) == case


def test_another_entitys_case_does_not_exist():
    stranger = make_crew(make_entity("AGUA"))
    with pytest.raises(NoSuchCase):
        case_to_handle(stranger, make_case().number)


def test_a_crew_of_no_entity_sees_nothing():
    nobody = make_crew()
    nobody.memberships.all().delete()
    with pytest.raises(NoSuchCase):
        case_to_handle(nobody, make_case().number)


def test_an_unassigned_case_is_no_crews():
    duty = make_duty("only-east")
    make_rule(duty, make_entity(), "district", "9002")
    case = make_case(category=make_category("PRU-08", duty=duty))
    assert case.entity is None
    with pytest.raises(NoSuchCase):
        case_to_handle(make_crew(), case.number)


def test_whoever_leaves_an_entity_sees_its_cases_no_more():
    crew = make_crew()
    case = make_case()
    assert case_to_handle(crew, case.number) == case
    crew.memberships.all().delete()
    with pytest.raises(NoSuchCase):
        case_to_handle(crew, case.number)


def private_case() -> Case:
    category = make_category("PRU-09", private=True, precision=Category.Precision.NONE)
    return make_case(category=category)


def wrong_pin(case: Case) -> str:
    return f"{(int(case.pin) + 1) % 1_000_000:06}"


def wrong_guesses(case: Case, near: str = HERE) -> int:
    """How many are heard."""
    heard = 0
    while True:
        try:
            own_case(case.number, wrong_pin(case), near)
        except WrongPin:
            heard += 1
        except TooMany:
            return heard


def answers(number: str, pin: str) -> list[str]:
    told = []
    for _guess in range(12):
        try:
            own_case(number, pin, HERE)
        except (NoSuchCase, WrongPin, TooMany) as answer:
            told.append(type(answer).__name__)
    return told
