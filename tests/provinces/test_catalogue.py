"""Duties, entities and jurisdictions from files."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provinces.catalogue import (
    Changes,
    InvalidCatalogue,
    Row,
    load_duties,
    load_entities,
    load_jurisdictions,
    parse_jurisdictions,
    read_rows,
)
from provinces.models import Duty, Entity, Jurisdiction
from provinces.routing import is_in_effect
from tests.factories import (
    make_duty,
    make_entity,
    make_jurisdiction,
    make_territory,
)

DAY = date(2026, 11, 2)
EVE = date(2026, 11, 1)


def rule(**columns: str) -> Row:
    """A row of jurisdictions.csv: of the nation, for OBRAS, unless told otherwise."""
    values = {
        "duty": "test-duty",
        "level": "nation",
        "place": "",
        "entity": "OBRAS",
        "valid_from": "",
        "valid_to": "",
        "legal_basis": "",
        "note": "",
        "confirmed": "false",
        **columns,
    }
    return Row(values, "jurisdictions.csv:7")


def local(entity: str, **columns: str) -> Row:
    return rule(level="district", place="9001", entity=entity, **columns)


def load(*rows: Row, day: date = DAY) -> list[str]:
    changes = Changes()
    load_jurisdictions(parse_jurisdictions(rows), changes, day)
    with connection.cursor() as cursor:
        # The constraint on overlaps speaks now, not at the end.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    return changes.lines


def problems(*rows: Row) -> list[str]:
    with pytest.raises(InvalidCatalogue) as refusal:
        parse_jurisdictions(rows)
    return refusal.value.problems


def stored() -> list[tuple[str, str, str, date | None, date | None]]:
    return sorted(
        Jurisdiction.objects.filter(duty="test-duty").values_list(
            "level", "place", "entity", "valid_from", "valid_to"
        ),
        key=str,
    )


@pytest.fixture
def squares(db: None) -> Duty:
    """Two districts with their municipalities, a duty, an entity; no other rule."""
    Jurisdiction.objects.all().delete()
    make_territory()
    make_entity("OBRAS")
    make_entity("ASEO")
    return make_duty()


def write(folder: Path, text: str | bytes, name: str = "duties.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_rules_are_loaded_once_and_a_second_time_changes_nothing(squares):
    rows = [rule(), local("ASEO", valid_from="2026-01-19", confirmed="true")]
    assert len(load(*rows)) == 2
    assert stored() == [
        ("district", "9001", "ASEO", date(2026, 1, 19), None),
        ("nation", "", "OBRAS", None, None),
    ]
    assert load(*rows) == []
    assert load(*rows, day=date(2027, 5, 1)) == []


def test_a_rule_that_is_other_is_changed_and_says_in_what(squares):
    load(rule())
    (line,) = load(rule(entity="ASEO", note="Por convenio.", confirmed="true"))
    assert line.startswith("~ jurisdicción")
    assert line.endswith(": entity, note, confirmed")
    assert stored() == [("nation", "", "ASEO", None, None)]


def test_a_rule_that_is_gone_ends_the_day_before(squares):
    load(rule(), local("ASEO"))
    (line,) = load(rule())
    assert line.startswith("- jurisdicción")
    assert "termina el 2026-11-01" in line
    assert stored() == [
        ("district", "9001", "ASEO", None, EVE),
        ("nation", "", "OBRAS", None, None),
    ]
    assert load(rule()) == []


def test_a_rule_that_is_gone_and_never_was_in_effect_is_deleted(squares):
    load(rule(), local("ASEO", valid_from="2026-11-02"))
    (line,) = load(rule())
    assert line.startswith("- jurisdicción")
    assert stored() == [("nation", "", "OBRAS", None, None)]


def test_a_rule_that_is_gone_and_had_ended_stays_as_it_was(squares):
    load(rule(), local("ASEO", valid_to="2020-12-31"))
    assert load(rule()) == []
    assert ("district", "9001", "ASEO", None, date(2020, 12, 31)) in stored()


def test_a_rule_that_comes_back_is_the_same_rule(squares):
    load(rule(), local("ASEO"))
    before = Jurisdiction.objects.get(place="9001").pk
    load(rule())
    load(rule(), local("ASEO"))
    assert Jurisdiction.objects.get(place="9001", valid_to=None).pk == before


def test_a_rule_that_now_says_since_when_takes_the_place_of_the_one_that_did_not(
    squares,
):
    load(local("ASEO"))
    load(local("ASEO", valid_from="2026-01-19"))
    assert stored() == [
        ("district", "9001", "ASEO", None, date(2026, 1, 18)),
        ("district", "9001", "ASEO", date(2026, 1, 19), None),
    ]


def test_a_rule_for_all_days_takes_the_place_of_those_that_had_days(squares):
    load(
        local("ASEO", valid_to="2026-01-18"),
        local("OBRAS", valid_from="2026-01-19"),
    )
    load(local("ASEO"))
    assert stored() == [("district", "9001", "ASEO", None, None)]


def test_a_rule_by_hand_in_the_place_of_one_that_was_withdrawn_is_the_one_meant(
    squares,
):
    make_jurisdiction(
        squares, make_entity("ASEO"), "district", "9001", DAY, valid_to=EVE
    )
    by_hand = make_jurisdiction(squares, make_entity("OBRAS"), "district", "9001", DAY)
    assert load(local("OBRAS", valid_from=DAY.isoformat())) == []
    (line,) = load(local("ASEO", valid_from=DAY.isoformat()))
    assert line.startswith("~ jurisdicción")
    by_hand.refresh_from_db()
    assert by_hand.entity_id == "ASEO"


def test_no_rule_ends_longer_before_it_begins(squares):
    long_before = EVE - timedelta(days=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_jurisdiction(squares, make_entity(), valid_from=DAY, valid_to=long_before)


DAYS = st.sampled_from(["", *(f"2026-11-0{day}" for day in range(1, 6))])
PERIODS = st.lists(
    st.tuples(st.sampled_from(["OBRAS", "ASEO"]), DAYS, DAYS), max_size=3
)


def not_at_once(periods: list[tuple[str, str, str]]) -> list[Row]:
    """Those of the periods that are in order and overlap with none before."""
    rows: list[Row] = []
    for entity, first, last in periods:
        candidate = [*rows, local(entity, valid_from=first, valid_to=last)]
        try:
            parse_jurisdictions(candidate)
        except InvalidCatalogue:
            continue
        rows = candidate
    return rows


@given(versions=st.lists(st.tuples(PERIODS, st.integers(1, 5)), max_size=4))
@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_files_follow_each_other_the_last_one_is_what_holds(squares, versions):
    Jurisdiction.objects.all().delete()
    for periods, today in versions:
        day = date(2026, 11, today)
        rows = not_at_once(periods)
        load(*rows, day=day)
        wanted = parse_jurisdictions(rows)
        # From that day on nobody answers but whom the file names.
        for ahead in range(today, 7):
            when = date(2026, 11, ahead)
            assert [
                one.entity_id
                for one in Jurisdiction.objects.filter(duty="test-duty")
                if is_in_effect(one, when)
            ] == [one.entity_id for one in wanted if is_in_effect(one, when)]
        assert load(*rows, day=day) == []


def test_the_star_becomes_each_districts_own_municipality(squares):
    Entity.objects.exclude(district__in=["9001", "9002"]).filter(
        kind=Entity.Kind.MUNICIPALITY
    ).delete()
    rules = parse_jurisdictions([rule(level="district", place="*", entity="municipio")])
    assert [(one.place, one.entity_id) for one in rules] == [
        ("9001", "MUN-9001"),
        ("9002", "MUN-9002"),
    ]


def test_the_star_leaves_out_districts_with_a_row_of_their_own(squares):
    rules = parse_jurisdictions(
        [
            rule(level="district", place="*", entity="municipio"),
            local("OBRAS", valid_to="2026-01-18"),
            local("ASEO", valid_from="2026-01-19"),
        ]
    )
    assert [one.entity_id for one in rules if one.place == "9001"] == ["OBRAS", "ASEO"]
    assert [one.entity_id for one in rules if one.place == "9002"] == ["MUN-9002"]


def test_the_municipality_of_a_district_is_named_by_the_word(squares):
    (one,) = parse_jurisdictions([local("municipio")])
    assert one.entity_id == "MUN-9001"


def test_a_corregimiento_may_be_named_with_its_district(squares):
    (one,) = parse_jurisdictions([rule(level="corregimiento", place="9002/Este Uno")])
    assert one.place == "900201"


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"duty": "nada"}, "no existe la competencia nada"),
        ({"entity": "NADIE"}, "no existe la entidad NADIE"),
        ({"place": "9001"}, "no existe el lugar «9001» en el nivel «nation»"),
        ({"level": "district"}, "no existe el lugar «» en el nivel «district»"),
        ({"level": "pueblo"}, "no existe el lugar «» en el nivel «pueblo»"),
        (
            {"level": "corregimiento", "place": "9001/Este Uno"},
            "no existe el lugar «9001/Este Uno» en el nivel «corregimiento»",
        ),
        ({"level": "district", "place": "*"}, "no existe el lugar «*» en el nivel"),
        ({"valid_from": "19/01/2026"}, "valid_from es un día (AAAA-MM-DD), no «19/01"),
        ({"valid_to": "2026-02-30"}, "valid_to es un día (AAAA-MM-DD), no «2026-02"),
        ({"confirmed": "TRUE"}, "confirmed es true o false, no «TRUE»"),
        ({"legal_basis": "x" * 301}, "legal_basis tiene más de 300 letras"),
        (
            {"valid_from": "2026-01-02", "valid_to": "2026-01-01"},
            "termina antes de empezar",
        ),
    ],
)
def test_a_row_that_is_wrong_is_named_with_its_line(squares, columns, problem):
    (found,) = problems(rule(**columns))
    assert found.startswith(f"jurisdictions.csv:7: {problem}")


def test_all_rows_that_are_wrong_are_named(squares):
    assert len(problems(rule(duty="a"), rule(entity="B"), local("C"), rule())) == 3


def test_two_entities_at_once_are_a_problem_in_words(squares):
    ends = local("OBRAS", valid_to="2026-01-19")
    assert problems(ends, local("ASEO", valid_from="2026-01-19")) == [
        "test-duty district 9001: dos entidades a la vez"
    ]
    assert parse_jurisdictions([ends, local("ASEO", valid_from="2026-01-20")])


def test_a_missing_column_is_a_problem_in_words(squares):
    row = rule()
    del row["note"]
    assert problems(row) == ["jurisdictions.csv:7: falta la columna note"]


def test_each_district_has_a_municipality_but_the_one_that_has_none(db):
    load_entities([], Changes())
    of_districts = Entity.objects.filter(kind=Entity.Kind.MUNICIPALITY)
    assert of_districts.count() == 81
    assert Entity.objects.get(code="MUN-0810").name == "Municipio de San Miguelito"
    assert not of_districts.filter(district="1001").exists()


def test_entities_and_duties_are_made_and_changed_and_say_so(db):
    columns = {"code": "NUEVA", "name": "Nueva", "name_en": "New", "kind": "agency"}
    changes = Changes()
    load_entities([Row(columns, "entities.csv:2")], changes)
    assert changes.lines == ["+ entidad NUEVA Nueva"]
    changes = Changes()
    load_entities([Row({**columns, "name": "Otra"}, "entities.csv:2")], changes)
    assert changes.lines == ["~ entidad NUEVA Otra: name"]
    duty = {"code": "d", "name_es": "D", "name_en": "D", "description_es": ""}
    changes = Changes()
    load_duties([Row(duty, "duties.csv:2")], changes)
    assert changes.lines == ["+ competencia d D"]


def test_entities_that_are_wrong_are_all_named_and_none_is_stored(db):
    rows = [
        Row({"code": "A", "name": "A", "name_en": "", "kind": "agencia"}, "e:2"),
        Row({"code": "B" * 17, "name": "B", "name_en": "", "kind": "agency"}, "e:3"),
        Row({"code": "C", "name": "", "name_en": "", "kind": "agency"}, "e:4"),
        Row({"code": "D", "name": "D", "name_en": "", "kind": "municipality"}, "e:5"),
        Row({"code": "E", "name": "E", "name_en": "", "kind": "agency"}, "e:6"),
        Row({"code": "E", "name": "E", "name_en": "", "kind": "agency"}, "e:7"),
    ]
    with pytest.raises(InvalidCatalogue) as refusal:
        load_entities(rows, Changes())
    named = [problem.split(":")[0] for problem in refusal.value.problems]
    assert named == ["A", "B" * 17, "C", "D", "E está 2 veces"]
    assert not Entity.objects.filter(code="E").exists()


def test_a_csv_file_is_read_with_the_lines_of_its_rows(tmp_path):
    path = write(tmp_path, '\ufeffcode,note\na,"uno\ny dos"\nñ,\n')
    rows = read_rows(path)
    assert rows == [{"code": "a", "note": "uno\ny dos"}, {"code": "ñ", "note": ""}]
    assert [row.where for row in rows] == ["duties.csv:3", "duties.csv:4"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"code,name\na\n", "duties.csv:2: sobran o faltan columnas"),
        (b"code,name\na,b,c\n", "duties.csv:2: sobran o faltan columnas"),
        ("código\n".encode("latin-1"), "duties.csv: "),
        (b'code,name\na,"b\n', "duties.csv: "),
    ],
)
def test_a_file_that_is_no_sound_csv_says_so(tmp_path, content, problem):
    with pytest.raises(InvalidCatalogue) as refusal:
        read_rows(write(tmp_path, content))
    assert refusal.value.problems[0].startswith(problem)


def test_a_file_that_is_not_there_says_so(tmp_path):
    with pytest.raises(InvalidCatalogue, match=r"nada\.csv"):
        read_rows(tmp_path / "nada.csv")


def test_a_rule_made_by_hand_and_not_in_the_file_ends_too(squares):
    make_jurisdiction(squares, make_entity("OBRAS"))
    (line,) = load(local("ASEO"))[:1]
    assert "termina el" in line
