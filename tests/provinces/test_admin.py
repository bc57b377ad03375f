"""The authority changes a rule by hand."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.gis.geos import Point
from django.test import Client

from provinces.models import Duty, Jurisdiction
from provinces.places import place_at
from provinces.routing import entity_for
from tests.factories import (
    EAST,
    WEST,
    make_case,
    make_category,
    make_duty,
    make_entity,
    make_jurisdiction,
    make_territory,
)
from tests.provinces.test_routing import TODAY

pytestmark = pytest.mark.django_db
LIST = "/admin/provinces/jurisdiction/"
ADD = f"{LIST}add/"


@pytest.fixture
def authority(chief: Client) -> Client:
    make_territory()
    make_jurisdiction(make_duty(), make_entity("OBRAS"))
    make_entity("VIAS")
    return chief


def rule(**fields: Any) -> dict[str, Any]:
    return {
        "duty": "test-duty",
        "level": "district",
        "place": "9002",
        "entity": "VIAS",
        **fields,
    }


def test_a_rule_that_is_added_decides_at_once(authority):
    assert authority.post(ADD, rule()).status_code == 302
    duty = Duty.objects.get(code="test-duty")
    answering = [
        entity_for(duty, place_at(Point(*at, srid=4326)), TODAY).code
        for at in (WEST, EAST)
    ]
    assert answering == ["OBRAS", "VIAS"]


@pytest.mark.parametrize(
    ("asked", "rules"),
    [
        ("este", 1),
        ("9002", 1),
        ("obras", 1),
        ("entidad vias", 1),
        ("nada", 0),
    ],
)
def test_rules_are_found_by_their_place_or_by_who_answers(authority, asked, rules):
    authority.post(ADD, rule())
    page = authority.get(LIST, {"q": asked, "duty__code__exact": "test-duty"})
    assert len(page.context["cl"].result_list) == rules


def test_a_rule_s_place_is_named_beside_its_code(authority):
    authority.post(ADD, rule())
    page = authority.get(LIST, {"duty__code__exact": "test-duty"}).content.decode()
    assert "9002 Este" in page
    assert '<td class="field-where">—</td>' in page  # everywhere


@pytest.mark.parametrize(
    ("fields", "field", "spanish", "english"),
    [
        pytest.param(
            {"place": "9003"},
            "place",
            "No existe ese lugar en ese ámbito.",
            "There is no such place in that scope.",
            id="a place that is not there",
        ),
        pytest.param(
            {"level": "nation", "place": ""},
            None,
            "Ya responde alguien por esa competencia",
            "Somebody already answers for that duty",
            id="two who answer",
        ),
        pytest.param(
            {"level": "district", "place": ""},
            None,
            "solo lo que vale para todo el país va sin lugar",
            "only what holds for the whole country has none",
            id="a district without its code",
        ),
        pytest.param(
            {"valid_from": "2026-11-02", "valid_to": "2026-11-01"},
            "valid_to",
            "La fecha final no puede ser anterior",
            "The last day cannot come before the first",
            id="an end before the beginning",
        ),
    ],
)
def test_what_no_rule_can_be_is_refused_in_the_reader_s_words(
    authority, fields, field, spanish, english
):
    for language, words in (("es", spanish), ("en", english)):
        page = authority.post(
            ADD, rule(**fields), headers={"Accept-Language": language}
        )
        assert page.status_code == 200
        errors = page.context["adminform"].form.errors
        assert list(errors) == [field or "__all__"]
        assert words in str(errors)
        assert words in page.content.decode()
    assert Jurisdiction.objects.filter(duty="test-duty").count() == 1


def test_a_rule_that_decided_is_ended_and_not_deleted(authority):
    case = make_case(EAST, category=make_category())
    rule = case.jurisdiction
    assert rule
    delete = f"{LIST}{rule.pk}/delete/"
    assert authority.post(delete, {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": rule.pk, "post": "yes"}
    authority.post(LIST, chosen)
    assert Jurisdiction.objects.filter(pk=rule.pk).exists()
    unused = make_jurisdiction(rule.duty, rule.entity, "district", "9002")
    authority.post(f"{LIST}{unused.pk}/delete/", {"post": "yes"})
    assert not Jurisdiction.objects.filter(pk=unused.pk).exists()
