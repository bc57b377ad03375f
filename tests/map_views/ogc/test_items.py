"""/ogc/: how it answers, beyond what the standard asks."""

from __future__ import annotations

from datetime import timedelta

import time_machine
from django.utils import timezone

from backend.cases.models import Case
from geo import features
from geo.sql import TooLong
from tests.factories import make_case

CASES = "/ogc/collections/cases/items"


def test_the_public_cases_are_features(phone, squares):
    case = make_case()
    answer = phone.get(CASES)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/geo+json"
    (feature,) = answer.json()["features"]
    assert feature["id"] == case.number
    assert feature["geometry"] == {"type": "Point", "coordinates": [-79.95, 8.55]}
    assert feature["properties"]["category_name"] == "Categoría PRU-01"


def test_whoever_asks_for_times_follows_the_links_to_the_end(phone, squares):
    now = timezone.now()
    cases = [make_case(filed_at=now - timedelta(hours=hours)) for hours in range(5)]
    day = timezone.localdate(cases[-1].filed_at)
    address, seen = f"{CASES}?limit=2&datetime={day}/..", []
    while address:
        document = phone.get(address).json()
        seen += [feature["id"] for feature in document["features"]]
        links = {link["rel"]: link["href"] for link in document["links"]}
        address = links.get("next", "")
    assert seen == [case.number for case in reversed(cases)]


def test_names_and_titles_come_in_the_readers_language(phone, squares):
    make_case()
    answer = phone.get(CASES, headers={"Accept-Language": "en"})
    (feature,) = answer.json()["features"]
    assert feature["properties"]["category_name"] == "Category PRU-01"
    assert answer["Content-Language"] == "en"
    # A cache in between keeps them apart, and what is for people from what is not.
    assert {"Accept", "Accept-Language", "Cookie"} <= set(answer["Vary"].split(", "))


def test_filters_of_properties_work_together_with_the_rest(phone, squares):
    west, east = make_case(), make_case(at=(-79.85, 8.55))
    Case.objects.filter(pk=east.pk).update(
        filed_at=west.filed_at - timedelta(days=9), demo=True
    )

    def found(**query) -> list[str]:
        answer = phone.get(CASES, query)
        return [feature["id"] for feature in answer.json()["features"]]

    assert found(district_code="9001", open="true") == [west.number]
    assert found(demo="true", bbox="-79.9,8.5,-79.8,8.6") == [east.number]
    assert found(demo="true", bbox="-80,8.5,-79.9,8.6") == []
    assert found(
        category="PRU-01", datetime=f"{timezone.localdate(west.filed_at)}/.."
    ) == [west.number]
    assert found(number=east.number) == [east.number]


def test_whoever_has_the_answer_is_told_so(phone, squares):
    case = make_case()
    addresses = [CASES, f"{CASES}/{case.number}", "/ogc/", "/ogc/311-movil.qgz"]
    for address in addresses:
        first = phone.get(address)
        again = phone.get(address, headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again["Access-Control-Allow-Origin"] == "*"
        assert "public, max-age=" in first["Cache-Control"]
        assert "stale-while-revalidate=" in first["Cache-Control"]
    old = phone.get(CASES)["ETag"]
    Case.objects.filter(pk=case.pk).update(status="resolved")
    assert phone.get(CASES, headers={"If-None-Match": old}).status_code == 200


def test_of_what_is_only_read_the_headers_may_be_asked_for(phone, squares):
    head = phone.head(CASES)
    assert (head.status_code, head.content) == (200, b"")
    assert head["ETag"] == phone.get(CASES)["ETag"]


def test_what_says_when_it_was_made_has_a_weak_tag(phone, squares):
    """Two answers with one tag differ in that: a strong one would promise each byte."""
    case = make_case()
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        later = phone.get(CASES)
    now = phone.get(CASES)
    assert now["ETag"] == later["ETag"]
    assert now.content != later.content
    assert now["ETag"].startswith('W/"')
    assert phone.get(f"{CASES}/{case.number}")["ETag"].startswith('"')


def test_what_takes_too_long_is_refused_with_advice(phone, squares, monkeypatch):
    def slow(*question, **more):
        raise TooLong

    monkeypatch.setattr(features, "page", slow)
    answer = phone.get(CASES)
    assert answer.status_code == 503
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "/problems/too-long"
