"""Case numbers for the telephone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.cases.numbers import (
    DAMM,
    NotANumber,
    WrongDigit,
    beginning_of,
    case_number,
    check_digit,
    parse_case_number,
)

DIGITS = "0123456789"
SEQUENCES = st.integers(0, 9_999_999)
YEARS = st.integers(2000, 2099)


def test_the_first_case_of_a_year_has_a_number_with_a_check_digit():
    assert case_number(2026, 1) == "26-0000001-" + str(check_digit("260000001"))
    assert parse_case_number(case_number(2026, 1)) == case_number(2026, 1)


def test_the_check_digit_is_damms():
    # The worked example of Damm's thesis, as every implementation gives it: 572 → 4.
    assert check_digit("572") == 4


def test_the_table_catches_every_wrong_digit_and_every_swap_of_neighbours():
    """Damm's three conditions, exhaustively: they decide for numbers of any length."""
    for state in range(10):
        assert DAMM[state][state] == 0
        assert sorted(DAMM[state]) == list(range(10))
        for x in range(10):
            for y in range(x):
                assert DAMM[DAMM[state][x]][y] != DAMM[DAMM[state][y]][x]


@given(YEARS, SEQUENCES)
def test_any_one_wrong_digit_is_noticed(year, sequence):
    number = case_number(year, sequence)
    for place, right in enumerate(number):
        for wrong in DIGITS if right in DIGITS else "":
            if wrong == right:
                continue
            with pytest.raises(WrongDigit):
                parse_case_number(number[:place] + wrong + number[place + 1 :])


@given(YEARS, SEQUENCES)
def test_any_swap_of_neighbours_is_noticed(year, sequence):
    digits = case_number(year, sequence).replace("-", "")
    for place in range(len(digits) - 1):
        one, other = digits[place], digits[place + 1]
        if one == other:
            continue
        with pytest.raises(WrongDigit):
            parse_case_number(digits[:place] + other + one + digits[place + 2 :])


@given(YEARS, SEQUENCES, st.sampled_from(["-", " ", ".", ""]), st.sampled_from("-. "))
def test_a_number_is_understood_as_people_write_it(year, sequence, first, second):
    number = case_number(year, sequence)
    start, middle, end = number.split("-")
    assert parse_case_number(f"  {start}{first}{middle}{second}{end}\n") == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "hueco",
        "26-000123-6",
        "26-00001234-6",
        "2026-0000123-6",
        "26--0000123-6",
        "26-0000123-6-1",
        "26-0000123-",
        "26/0000123/6",
        "-26-0000123-6",
        "26-0000123-6x",
        "26-0000123-6\x00",
        "9" * 10_000,
    ],
)
def test_another_shape_is_not_a_number(text):
    with pytest.raises(NotANumber):
        parse_case_number(text)


@pytest.mark.parametrize("zero", ["\u0660", "\uff10", "\u0966"])
def test_digits_of_other_scripts_are_refused(zero):
    number = case_number(2026, 123)
    with pytest.raises(NotANumber):
        parse_case_number(number.replace("0", zero))


def test_the_sequence_wraps_at_ten_million_and_the_year_at_a_hundred():
    assert case_number(2026, 10_000_000) == case_number(2026, 0)
    assert case_number(2126, 5) == case_number(2026, 5)
    assert len(case_number(2026, 9_999_999)) == len("26-0000123-6")


@given(YEARS, SEQUENCES, st.integers(1, 10), st.sampled_from(["", " ", ".", "-"]))
def test_a_part_of_a_number_is_how_it_begins(year, sequence, length, between):
    number = case_number(year, sequence)
    digits = number.replace("-", "")[:length]
    begins = beginning_of(between.join(digits))
    assert number.startswith(begins)
    assert begins.replace("-", "") == digits


@pytest.mark.parametrize("text", ["", "-", "hueco", "26-x", "26-0000123-21", "٢٦"])
def test_what_no_number_begins_with_is_refused(text):
    with pytest.raises(NotANumber):
        beginning_of(text)
