"""Looking for a place by what people type of its name."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from pytest_django import DjangoAssertNumQueries

from map_views.place_search import MOST_FOUND, Named, answers, folded
from tests.factories import make_territory

pytestmark = pytest.mark.django_db
SEARCH = "/api/v1/places/search/"


def found(phone: Client, words: str) -> list[dict[str, Any]]:
    places: list[dict[str, Any]] = phone.get(SEARCH, {"q": words}).json()["places"]
    return places


def test_a_place_is_found_by_its_name_with_the_box_to_go_to(phone: Client) -> None:
    first = found(phone, "San Miguelito")[0]

    assert (first["code"], first["level"], first["within"]) == (
        "0810",
        "district",
        "Panamá",
    )
    west, south, east, north = first["bbox"]
    assert -79.6 < west < east < -79.4
    assert 9.0 < south < north < 9.2


@pytest.mark.parametrize("words", ["chiriqui", "CHIRIQUÍ", " chiri "])
def test_accents_and_capitals_need_not_be_typed(phone: Client, words: str) -> None:
    assert found(phone, words)[0]["name"] == "Chiriquí"


def test_a_larger_place_comes_before_a_smaller_of_the_same_name(phone: Client) -> None:
    named = [place for place in found(phone, "david") if place["name"] == "David"]

    assert [place["level"] for place in named] == ["district", "corregimiento"]


def test_the_place_around_tells_two_of_a_name_apart(phone: Client) -> None:
    inside = found(phone, "bella vista chiriquí")

    assert [place["within"] for place in inside] == ["Tolé, Chiriquí"]
    # The name around alone is no answer: it would be every place of Chiriquí.
    assert all("Chiriquí" in place["name"] for place in found(phone, "chiriquí"))


def test_a_place_without_an_outline_is_found_but_leads_nowhere(phone: Client) -> None:
    naso = found(phone, "naso")

    assert naso[0]["kind"] == "comarca"
    assert naso[0]["bbox"] is None


def test_boxes_are_those_of_the_boundaries_in_force(phone: Client) -> None:
    make_territory()

    assert found(phone, "Oeste Uno")[0]["bbox"] == [-80.0, 8.5, -79.9, 8.6]
    assert found(phone, "San Miguelito")[0]["bbox"] is None


def test_never_more_than_ten_are_found_and_the_database_is_asked_four_times(
    phone: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(4):
        assert len(found(phone, "la")) == MOST_FOUND


@pytest.mark.parametrize("words", ["", "  ", "xyzzy"])
def test_what_is_nobody_s_name_finds_nothing(phone: Client, words: str) -> None:
    assert found(phone, words) == []


@pytest.mark.parametrize("words", ["a" * 81, "\0"])
def test_what_cannot_be_a_name_is_refused(phone: Client, words: str) -> None:
    response = phone.get(SEARCH, {"q": words})

    assert response.status_code == 400
    assert response.json()["errors"][0]["pointer"] == "?q"


def test_the_answer_is_kept_by_whoever_keeps_answers(phone: Client) -> None:
    assert phone.get(SEARCH, {"q": "colón"})["Cache-Control"] == "public, max-age=3600"
    assert phone.post(SEARCH).status_code == 405


class Typing(TestCase):
    """Whatever is typed."""

    @given(st.text(max_size=30))
    def test_a_place_answers_to_the_beginning_of_its_own_name(self, name: str) -> None:
        place = Named("0101", name, "district", ("Veraguas",))
        words = folded(name).replace("-", " ").split()

        assert answers(place, words) is bool(words)
        if words:
            assert answers(place, [words[0][:1], "vera"])
            assert not answers(place, [*words, "…no"])
