"""categories/: what can be reported, and who answers where and by when."""

from __future__ import annotations

import gzip
from datetime import datetime

import orjson
import pytest
import time_machine
from django.contrib.gis.geos import Point

from backend.cases.days_off import days_off
from backend.cases.deadlines import PANAMA, Unit, due_at
from backend.cases.models import Category, Group
from provinces.places import place_at
from provinces.routing import NobodyAnswers, jurisdiction_for
from tests.mobile_api.calls import CATEGORIES, PLACE, problem_of, wrong_fields

MONDAY = datetime(2026, 11, 23, 10, tzinfo=PANAMA)
SAN_MIGUELITO = {"lat": 9.03, "lon": -79.5}
GUNA_YALA = {"lat": 9.55276, "lon": -78.9523}


def test_the_whole_catalogue_by_group_in_both_languages(phone):
    answer = phone.get(CATEGORIES)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    said = answer.json()
    assert said.keys() == {"version", "groups"}
    assert [group["position"] for group in said["groups"]] == list(range(1, 14))
    water = said["groups"][0]
    assert water["name_es"] == "Agua y alcantarillado"
    assert water["name_en"] == "Water and sewerage"
    cable = next(
        one
        for group in said["groups"]
        for one in group["categories"]
        if one["code"] == "ELE-04"
    )
    assert cable == {
        "code": "ELE-04",
        "name_es": "Cable caído o expuesto",
        "name_en": "Fallen or exposed cable",
        "keywords": [
            *("cable caído", "cable guindando", "cable pelado"),
            *("cable en el suelo", "chispas", "corto circuito"),
        ],
        "act": "complaint",
        "precision": "exact",
        "private": False,
        "emergency_es": Category.objects.get(code="ELE-04").emergency_es,
        "emergency_en": Category.objects.get(code="ELE-04").emergency_en,
        "sla": {"amount": 4, "unit": "hours"},
        "needs_contact": False,
        "place_based": True,
    }
    assert sum(len(group["categories"]) for group in said["groups"]) == 80


def test_a_denuncia_needs_a_contact(phone):
    said = phone.get(CATEGORIES).json()
    needing = {
        one["code"]
        for group in said["groups"]
        for one in group["categories"]
        if one["needs_contact"]
    }
    assert needing == set(
        Category.objects.filter(act="denunciation").values_list("code", flat=True)
    )


def test_it_is_kept_by_phones_and_sent_again_only_when_it_is_another(phone):
    first = phone.get(CATEGORIES)
    assert first["Cache-Control"] == (
        "public, max-age=300, stale-while-revalidate=86400"
    )
    asked = {"If-None-Match": first["ETag"]}
    same = phone.get(CATEGORIES, headers=asked)
    assert (same.status_code, same.content) == (304, b"")
    assert same["ETag"] == first["ETag"]
    Category.objects.filter(code="VIA-01").update(sla_amount=11)
    other = phone.get(CATEGORIES, headers=asked)
    assert other.status_code == 200
    assert other.json()["version"] != first.json()["version"]
    assert other["ETag"] != first["ETag"]


def test_it_is_the_same_bytes_for_everybody(phone):
    english = phone.get(CATEGORIES, headers={"Accept-Language": "en"})
    assert english.content == phone.get(CATEGORIES).content


def test_it_travels_compressed_and_is_still_known_by_its_tag(phone):
    packed = phone.get(CATEGORIES, headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert len(packed.content) < 10_000
    assert orjson.loads(gzip.decompress(packed.content)) == phone.get(CATEGORIES).json()
    again = phone.get(
        CATEGORIES,
        headers={"Accept-Encoding": "gzip", "If-None-Match": packed["ETag"]},
    )
    assert again.status_code == 304


def test_what_takes_no_reports_is_not_offered(phone):
    Category.objects.filter(group="AGU").update(active=False)
    said = phone.get(CATEGORIES).json()
    assert "AGU" not in {group["code"] for group in said["groups"]}
    assert Group.objects.filter(code="AGU").exists()


@pytest.mark.parametrize("here", [SAN_MIGUELITO, GUNA_YALA])
@time_machine.travel(MONDAY, tick=False)
def test_with_a_place_it_says_who_answers_there_and_by_when(phone, here):
    answer = phone.get(CATEGORIES, here)
    assert answer["Cache-Control"] == "no-store"
    said = answer.json()
    assert said["place"] == phone.get(PLACE, here).json()
    assert said["version"] == phone.get(CATEGORIES).json()["version"]
    place = place_at(Point(here["lon"], here["lat"], srid=4326))
    categories = {one.code: one for one in Category.objects.select_related("duty")}
    found = {
        one["code"]: one["answered"]
        for group in said["groups"]
        for one in group["categories"]
    }
    assert found.keys() == categories.keys()
    for code, category in categories.items():
        try:
            rule = jurisdiction_for(category.duty, place, MONDAY.date())
        except NobodyAnswers:
            assert found[code]["entity"] is None
        else:
            assert found[code]["entity"] == {
                "code": rule.entity.code,
                "name": rule.entity.name,
            }
        unit = Unit(category.sla_unit)
        due = due_at(MONDAY, category.sla_amount, unit, days_off())
        assert found[code]["due_at"] == due.isoformat(timespec="seconds")
    nobody = [code for code, said in found.items() if said["entity"] is None]
    assert bool(nobody) == (here is GUNA_YALA)


def test_who_answers_is_named_in_the_readers_language(phone):
    spanish, english = (
        phone.get(CATEGORIES, SAN_MIGUELITO, headers={"Accept-Language": language})
        for language in ("es", "en")
    )
    assert "Municipio de San Miguelito" in spanish.content.decode()
    assert "Municipality of San Miguelito" in english.content.decode()


def test_it_is_few_statements_with_a_place_and_without(
    phone, django_assert_num_queries
):
    phone.get(CATEGORIES, SAN_MIGUELITO)  # reads boundaries and rules
    with django_assert_num_queries(2):
        phone.get(CATEGORIES)
    with django_assert_num_queries(4):
        phone.get(CATEGORIES, SAN_MIGUELITO)


def test_by_a_border_the_chosen_sides_municipality_answers(phone, squares):
    from provinces.models import Jurisdiction
    from tests.factories import make_category, make_duty, make_entity, make_jurisdiction

    duty = make_duty("by-district")
    for code in ("9001", "9002"):
        make_jurisdiction(
            duty, make_entity(f"MUN-{code}"), Jurisdiction.Scope.DISTRICT, code
        )
    make_category("PRU-09", duty=duty)
    border = {"lat": 8.55, "lon": -79.9001, "accuracy": 50}
    for district in ("9001", "9002"):
        said = phone.get(CATEGORIES, {**border, "district": district}).json()
        (answered,) = [
            one["answered"]
            for group in said["groups"]
            for one in group["categories"]
            if one["code"] == "PRU-09"
        ]
        assert answered["entity"]["code"] == f"MUN-{district}"
    refused = phone.get(CATEGORIES, {**border, "district": "0801"})
    assert wrong_fields(refused) == {"/district": "not-this-side"}


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ({"lat": "8"}, {"/lon": "required"}),
        ({"lon": "-80"}, {"/lat": "required"}),
        ({"lat": "x", "lon": "-80"}, {"/lat": "invalid"}),
    ],
)
def test_half_a_place_is_none(phone, asked, wrong):
    assert wrong_fields(phone.get(CATEGORIES, asked)) == wrong


def test_outside_of_panama_nobody_answers(phone):
    refused = phone.get(CATEGORIES, {"lat": 9.93, "lon": -84.08})
    assert problem_of(refused, 422) == "outside-panama"
