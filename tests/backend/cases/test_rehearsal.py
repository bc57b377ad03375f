"""What a change of rules would do to stored cases, changing nothing."""

from __future__ import annotations

from datetime import date, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from backend.cases.deadlines import PANAMA
from backend.cases.models import Case
from backend.cases.rehearsal import NOBODY, Move, rehearse
from provinces.models import Jurisdiction, Level, Zone
from tests.factories import (
    EAST,
    OUTLINES,
    WEST,
    make_boundary,
    make_case,
    make_category,
    make_duty,
    make_entity,
    make_jurisdiction,
    make_territory,
)

SCOPE = Jurisdiction.Scope
HEADER = "duty,level,place,entity,valid_from,valid_to,legal_basis,note,confirmed\n"
OBRAS = "test-duty,nation,,OBRAS,,,,,false\n"
FROM_THE_19TH = "test-duty,district,9001,ASEO,2026-01-19,,,,false\n"


def on(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 1, day, hour, tzinfo=PANAMA)


@pytest.fixture
def squares(db: None) -> None:
    """The nation's OBRAS answers in both squares; ASEO is not asked yet."""
    make_territory()
    make_entity("OBRAS")
    make_entity("ASEO")
    make_category()


def rules(text: str, folder: Path) -> Path:
    path = folder / "jurisdictions.csv"
    path.write_text(HEADER + text, encoding="utf-8")
    return path


def rehearsal(file: Path, since: str = "2026-01-01") -> list[str]:
    said = StringIO()
    call_command("rehearse_routing", file, since=date.fromisoformat(since), stdout=said)
    return said.getvalue().splitlines()


def moves(*new: Jurisdiction) -> list[tuple[str, str, str]]:
    found = [move for move in rehearse(Case.objects.all(), new) if move]
    return [(move.case.district_id, move.before, move.after) for move in found]


def rule(entity: str, level: str = SCOPE.NATION, place: str = "") -> Jurisdiction:
    return Jurisdiction(
        duty=make_duty(), entity=make_entity(entity), level=level, place=place
    )


def everything() -> dict[str, list[tuple[object, ...]]]:
    """All rows of all our tables."""
    ours = [
        model
        for label in ("provinces", "cases", "accounts")
        for model in apps.get_app_config(label).get_models()
    ]
    return {
        model.__name__: sorted(model._default_manager.values_list(), key=str)
        for model in ours
        if model.__name__ != "Boundary"
    }


def test_a_case_that_would_change_hands_is_listed_with_both(squares, tmp_path):
    case = make_case(WEST, filed_at=on(20))
    make_case(EAST, filed_at=on(20))
    assert rehearsal(rules(OBRAS + FROM_THE_19TH, tmp_path)) == [
        f"{case.number}  2026-01-20  9001 PRU-01  OBRAS → ASEO",
        "       1  OBRAS → ASEO",
        "1 de 2 casos cambiarían de entidad. Nada ha cambiado.",
    ]


def test_a_rehearsal_changes_nothing(squares, tmp_path):
    make_case(WEST, filed_at=on(20))
    make_case(EAST, filed_at=on(21))
    before = everything()
    assert len(before["Case"]) == 2
    assert "2 de 2" in rehearsal(rules(OBRAS.replace("OBRAS", "ASEO"), tmp_path))[-1]
    assert everything() == before


def test_each_case_is_judged_by_its_own_day_in_panama(squares, tmp_path):
    make_case(WEST, filed_at=on(18, hour=22))  # already the 19th in UTC
    first = make_case(WEST, filed_at=on(19, hour=0))
    lines = rehearsal(rules(OBRAS + FROM_THE_19TH, tmp_path))
    assert [line.split()[0] for line in lines[:-2]] == [first.number]


def test_the_day_that_is_shown_is_panamas(squares, tmp_path):
    make_case(WEST, filed_at=on(18, hour=22))
    (line, *_) = rehearsal(rules(OBRAS.replace("OBRAS", "ASEO"), tmp_path))
    assert "2026-01-18" in line


def test_only_cases_since_the_day_are_looked_at(squares, tmp_path):
    for day in (18, 19, 20):
        make_case(WEST, filed_at=on(day, hour=0))
    everywhere = rules(OBRAS.replace("OBRAS", "ASEO"), tmp_path)
    assert rehearsal(everywhere, since="2026-01-19")[-1].startswith("2 de 2 casos")


def test_the_same_rules_move_nobody(squares, tmp_path):
    make_case(WEST, filed_at=on(20))
    assert rehearsal(rules(OBRAS, tmp_path)) == [
        "0 de 1 casos cambiarían de entidad. Nada ha cambiado."
    ]


def test_a_case_that_nobody_would_answer_goes_to_nobody(squares):
    make_case(WEST)
    assert moves() == [("9001", "OBRAS", NOBODY)]


def test_a_case_that_nobody_answered_would_find_somebody(squares):
    duty = make_duty("orphan-duty")
    nobody = make_jurisdiction(duty, make_entity(), valid_to=date(2000, 1, 1))
    case = make_case(WEST, category=make_category("PRU-02", duty=duty))
    assert case.entity is None
    new = Jurisdiction(duty=nobody.duty, entity=make_entity("ASEO"), level="nation")
    assert moves(new) == [("9001", NOBODY, "ASEO")]


@pytest.mark.parametrize(
    ("level", "place"),
    [
        (SCOPE.CORREGIMIENTO, "900101"),
        (SCOPE.ZONE, "ZONA"),
        (SCOPE.DISTRICT, "9001"),
        (SCOPE.PROVINCE, "90"),
    ],
)
def test_the_place_that_a_case_was_filed_for_decides_at_every_level(
    squares, level, place
):
    generation = make_territory()
    Zone.objects.create(code="ZONA", name="Zona")
    make_boundary(generation, Level.ZONE, "ZONA", OUTLINES["9001"])
    make_case(WEST)
    assert moves(rule("OBRAS"), rule("ASEO", level, place)) == [
        ("9001", "OBRAS", "ASEO")
    ]


def test_a_rule_of_another_duty_moves_nobody(squares):
    make_case(WEST)
    other = Jurisdiction(
        duty=make_duty("other"), entity=make_entity("ASEO"), level="nation"
    )
    assert moves(rule("OBRAS"), other) == []


def test_it_is_one_query_however_many_cases(squares, django_assert_num_queries):
    for _ in range(3):
        make_case(WEST)
    new = [rule("ASEO")]
    with django_assert_num_queries(1):
        found = list(rehearse(Case.objects.all(), new))
    assert all(isinstance(move, Move) for move in found)
    assert len(found) == 3


def test_a_file_that_is_wrong_is_refused_in_words(squares, tmp_path):
    said = StringIO()
    file = rules(OBRAS.replace("OBRAS", "NADIE"), tmp_path)
    with pytest.raises(CommandError, match="El archivo no vale"):
        call_command("rehearse_routing", file, since=date(2026, 1, 1), stderr=said)
    assert "✗ jurisdictions.csv:2: no existe la entidad NADIE" in said.getvalue()
