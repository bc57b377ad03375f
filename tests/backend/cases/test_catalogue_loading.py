"""The catalogue's files, checked and loaded: all of them, or nothing."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from backend.cases import catalogue
from backend.cases.catalogue import LATER_NUMBERS, load_catalogue
from backend.cases.deadlines import PANAMA
from backend.cases.management.commands.load_catalogue import SHIPPED
from backend.cases.models import Case, Category, Group
from backend.cases.privacy import public_point
from provinces.catalogue import InvalidCatalogue
from provinces.models import Corregimiento, District, Duty, Entity, Jurisdiction
from tests.factories import WEST, make_case, make_territory

DAY = date(2026, 11, 2)
AT_NOON = datetime.combine(DAY, time(12), PANAMA)
NOW = timezone.now()
A_DAY = timedelta(days=1)
TABLES = (Duty, Entity, Jurisdiction, Group, Category)
CATEGORY = {
    "code": "PRU-01",
    "group": "PRU",
    "name_es": "Hueco de prueba",
    "name_en": "Test hole",
    "duty": "pruebas",
    "act": "complaint",
    "precision": "exact",
    "private": "false",
    "emergency_es": "",
    "emergency_en": "",
    "sla_amount": "3",
    "sla_unit": "working_days",
    "place_based": "true",
    "keywords_es": "hueco",
    "contact_days": "365",
    "originals_days": "90",
    "source": "proposal",
}
SMALL: dict[str, list[dict[str, str]]] = {
    "duties.csv": [
        {"code": "pruebas", "name_es": "P", "name_en": "T", "description_es": ""}
    ],
    "entities.csv": [
        {"code": "OBRAS", "name": "Obras", "name_en": "Works", "kind": "agency"}
    ],
    "jurisdictions.csv": [
        {
            "duty": "pruebas",
            "level": "nation",
            "place": "",
            "entity": "OBRAS",
            "valid_from": "",
            "valid_to": "",
            "legal_basis": "",
            "note": "",
            "confirmed": "false",
        }
    ],
    "groups.csv": [
        {"code": "PRU", "name_es": "Pruebas", "name_en": "Tests", "position": "1"}
    ],
    "categories.csv": [CATEGORY],
}


def write(path: Path, rows: Iterable[dict[str, str]]) -> None:
    rows = list(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def folder(db: None, tmp_path: Path) -> Path:
    """A catalogue of one category, loaded in place of the shipped one; two squares."""
    for table in (*reversed(TABLES), Corregimiento, District):
        table.objects.all().delete()
    make_territory()
    for name, rows in SMALL.items():
        write(tmp_path / name, rows)
    load(tmp_path)
    return tmp_path


def load(folder: Path) -> list[str]:
    return load_catalogue(folder, DAY, lambda items, _what: items).lines


def other(folder: Path, file: str, **columns: str) -> Path:
    """The same folder with other words in the only row of a file."""
    write(folder / file, [{**SMALL[file][0], **columns}])
    return folder


def another(folder: Path, file: str, **columns: str) -> Path:
    """The same folder with one more row in a file."""
    write(folder / file, [*SMALL[file], {**SMALL[file][0], **columns}])
    return folder


def everything() -> list[Any]:
    return [sorted(table.objects.values_list(), key=str) for table in TABLES]


def problems(folder: Path) -> list[str]:
    """What is wrong with the files, which have changed nothing: that is looked at."""
    before = everything()
    with pytest.raises(InvalidCatalogue) as refusal:
        load(folder)
    assert everything() == before
    return refusal.value.problems


def case_of(category: str) -> Case:
    return make_case(WEST, category=Category.objects.get(code=category))


def test_the_shipped_catalogue_loaded_again_changes_nothing(db):
    before = everything()
    said = StringIO()
    call_command("load_catalogue", stdout=said)
    assert said.getvalue().strip() == "Catálogo: 0 cambios."
    assert everything() == before


def test_it_says_what_changed_and_the_second_time_nothing(folder):
    other(folder, "categories.csv", name_es="Bache", sla_amount="5")
    other(folder, "entities.csv", name="Obras Públicas")
    another(folder, "duties.csv", code="otra", name_es="Otra")
    assert load(folder) == [
        "+ competencia otra Otra",
        "~ entidad OBRAS Obras Públicas: name",
        "~ categoría PRU-01 Bache: name_es, sla_amount",
    ]
    assert load(folder) == []


def test_the_command_shows_the_first_changes_and_how_many_more(folder):
    duty = SMALL["duties.csv"][0]
    more = [{**duty, "code": f"otra-{number}"} for number in range(50)]
    write(folder / "duties.csv", [duty, *more])
    said = StringIO()
    call_command("load_catalogue", folder, stdout=said)
    lines = said.getvalue().splitlines()
    assert len(lines) == 42
    assert lines[-2:] == ["… y 10 cambios más", "Catálogo: 50 cambios."]


def test_a_category_that_is_gone_takes_no_more_reports_and_its_cases_stay(folder):
    case = case_of("PRU-01")
    other(folder, "categories.csv", code="PRU-02")
    assert load(folder) == [
        "+ categoría PRU-02 Hueco de prueba",
        "- categoría PRU-01 Hueco de prueba",
    ]
    assert not Category.objects.get(code="PRU-01").active
    case.refresh_from_db()
    assert case.category_id == "PRU-01"
    assert load(folder) == []


def test_a_category_that_comes_back_is_active_again(folder):
    load(other(folder, "categories.csv", code="PRU-02"))
    another(folder, "categories.csv", code="PRU-02")
    assert load(folder) == ["~ categoría PRU-01 Hueco de prueba: active"]
    assert Category.objects.get(code="PRU-01").active


def test_a_rule_that_is_gone_ends_the_day_before_and_its_cases_keep_it(folder):
    local = {"level": "district", "place": "9001", "entity": "municipio"}
    load(another(folder, "jurisdictions.csv", **local))
    case = case_of("PRU-01")
    assert case.entity_id == "MUN-9001"
    load(other(folder, "jurisdictions.csv"))
    rule = Jurisdiction.objects.get(place="9001")
    assert rule.valid_to == DAY - timedelta(days=1)
    case.refresh_from_db()
    assert (case.jurisdiction, case.entity_id) == (rule, "MUN-9001")


def test_a_rule_of_today_that_is_gone_holds_no_more_and_its_cases_keep_it(folder):
    local = {"level": "district", "place": "9001", "entity": "municipio"}
    today = {**local, "valid_from": DAY.isoformat()}
    load(another(folder, "jurisdictions.csv", **today))
    case = make_case(WEST, category=Category.objects.get(), filed_at=AT_NOON)
    assert case.entity_id == "MUN-9001"
    (line,) = load(other(folder, "jurisdictions.csv"))
    assert line.startswith("- jurisdicción")
    check_constraints()
    rule = Jurisdiction.objects.get(place="9001")
    case.refresh_from_db()
    assert (case.jurisdiction, case.entity_id) == (rule, "MUN-9001")
    # Whoever reports from now on, even today, is answered by whom the file names.
    later = make_case(WEST, category=Category.objects.get(), filed_at=AT_NOON)
    assert later.entity_id == "OBRAS"
    assert load(folder) == []
    # And should it come back, it is the same rule.
    load(another(folder, "jurisdictions.csv", **today))
    assert Jurisdiction.objects.get(place="9001") == rule
    again = make_case(WEST, category=Category.objects.get(), filed_at=AT_NOON)
    assert again.jurisdiction == rule


def test_a_rule_in_whose_place_comes_one_of_all_days_stays_for_its_cases(folder):
    local = {"level": "district", "place": "9001", "entity": "municipio"}
    load(another(folder, "jurisdictions.csv", **local, valid_from="2026-01-19"))
    case = make_case(WEST, category=Category.objects.get(), filed_at=AT_NOON)
    load(another(folder, "jurisdictions.csv", **local))
    check_constraints()
    rule = Jurisdiction.objects.get(valid_from="2026-01-19")
    case.refresh_from_db()
    assert case.jurisdiction == rule
    other_rule = Jurisdiction.objects.get(place="9001", valid_from=None)
    later = make_case(WEST, category=Category.objects.get(), filed_at=AT_NOON)
    assert later.jurisdiction == other_rule
    assert load(folder) == []


def check_constraints() -> None:
    """Those that speak at the end, now."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


PRECISIONS = [
    ({"precision": "exact"}, {"precision": "grid"}),
    ({"precision": "exact"}, {"precision": "none"}),
    ({"precision": "exact"}, {"precision": "none", "private": "true"}),
    ({"precision": "grid"}, {"precision": "exact"}),
    ({"precision": "none"}, {"precision": "none", "private": "true"}),
]


@pytest.mark.parametrize(("one", "two"), [*PRECISIONS, *[p[::-1] for p in PRECISIONS]])
def test_another_precision_publishes_the_stored_cases_again(folder, one, two):
    changes, stays = {**CATEGORY, **one}, {**CATEGORY, "code": "PRU-02", **one}
    write(folder / "categories.csv", [changes, stays])
    load(folder)
    case, untouched = case_of("PRU-01"), case_of("PRU-02")
    before = untouched.public_location, untouched.is_public

    write(folder / "categories.csv", [{**changes, "private": "false", **two}, stays])
    load(folder)

    case.refresh_from_db()
    untouched.refresh_from_db()
    assert case.is_public == (two.get("private") != "true")
    assert case.public_location == public_point(case.location, case.category)
    assert (case.public_location is None) == (two["precision"] == "none")
    if two["precision"] == "exact":
        assert case.public_location is not None
        assert case.public_location.coords == WEST
    if two["precision"] == "grid":
        assert case.public_location is not None
        assert case.public_location.coords != WEST
    assert (untouched.public_location, untouched.is_public) == before
    # What was reported stays what it was.
    assert case.location.coords == WEST


def test_cases_of_many_batches_are_all_published_again(folder, monkeypatch):
    monkeypatch.setattr(catalogue, "BATCH", 2)
    cases = [case_of("PRU-01") for _ in range(5)]
    load(other(folder, "categories.csv", precision="none", private="true"))
    shown = Case.objects.filter(pk__in=[case.pk for case in cases], is_public=True)
    assert not shown.exists()


def test_what_is_reported_while_a_category_becomes_private_is_private_too(elsewhere):
    assert elsewhere.play("filed_while_it_becomes_private") == {
        f"{report}: private": 1 for report in ("before", "committed", "stored", "begun")
    }


def test_only_what_is_new_is_shown_twice_anew(folder):
    """Whoever files waits for that part."""
    old = make_case(WEST, category=Category.objects.get(), filed_at=NOW - 2 * A_DAY)
    new = make_case(WEST, category=Category.objects.get(), filed_at=NOW - A_DAY / 2)
    seen = []

    def noted(cases, _what):
        cases = list(cases)
        seen.append({case.pk for case in cases})
        return cases

    load_catalogue(other(folder, "categories.csv", precision="grid"), DAY, noted)
    assert seen == [{old.pk, new.pk}, {new.pk}]


def test_what_changes_nothing_public_leaves_the_cases_alone(folder):
    case_of("PRU-01")
    Case.objects.update(public_location=None)
    load(other(folder, "categories.csv", name_es="Bache"))
    assert Case.objects.get().public_location is None


@pytest.mark.parametrize(
    ("file", "columns", "problem"),
    [
        ("categories.csv", {"private": "TRUE"}, "private es true o false, no «TRUE»"),
        ("categories.csv", {"private": "VERDADERO"}, "private es true o false"),
        ("categories.csv", {"place_based": ""}, "place_based es true o false"),
        ("categories.csv", {"sla_amount": "tres"}, "sla_amount es un número entero"),
        ("categories.csv", {"sla_amount": "-3"}, "sla_amount es un número entero"),
        ("categories.csv", {"sla_amount": "40000"}, "sla_amount: "),
        ("categories.csv", {"duty": "nada"}, "duty: "),
        ("categories.csv", {"group": "XXX"}, "group: "),
        ("categories.csv", {"act": "quejido"}, "act: "),
        ("categories.csv", {"precision": "exacta"}, "precision: "),
        ("categories.csv", {"sla_unit": "weeks"}, "sla_unit: "),
        ("categories.csv", {"name_en": ""}, "name_en: "),
        (
            "categories.csv",
            {"private": "true", "precision": "exact"},
            "PRU-01: Una categoría privada no muestra punto alguno.",
        ),
        ("groups.csv", {"position": "primero"}, "position es un número entero"),
        ("groups.csv", {"code": "LARGO"}, "code: "),
        ("duties.csv", {"name_es": ""}, "name_es: "),
        ("entities.csv", {"kind": "agencia"}, "kind: "),
        ("entities.csv", {"code": ""}, "code: "),
        ("jurisdictions.csv", {"entity": "NADIE"}, "no existe la entidad NADIE"),
    ],
)
def test_one_wrong_row_and_nothing_changes(folder, file, columns, problem):
    # The first file has a change that would be loaded.
    write(folder / "duties.csv", [{**SMALL["duties.csv"][0], "name_en": "Other"}])
    (found,) = problems(other(folder, file, **columns))
    assert problem in found


LATER = {
    "similar_metres": "45",
    "similar_days": "7",
    "photos_need_release": "true",
    "contact_days": "200",
    "originals_days": "20",
}


def test_how_long_and_how_near_is_as_the_file_says(folder):
    write(folder / "categories.csv", [{**CATEGORY, **LATER}])
    load(folder)
    category = Category.objects.get(code="PRU-01")
    assert (category.similar_metres, category.similar_days) == (45, 7)
    assert category.photos_need_release
    assert (category.contact_days, category.originals_days) == (200, 20)


@pytest.mark.parametrize("name", LATER)
def test_a_file_from_before_a_column_has_the_models_value(folder, name):
    columns = {column: text for column, text in LATER.items() if column != name}
    write(folder / "categories.csv", [{**CATEGORY, **columns}])
    load(folder)
    category = Category.objects.get(code="PRU-01")
    assert getattr(category, name) == getattr(Category(), name)
    assert all(str(getattr(category, n)).lower() == columns[n] for n in columns)


@pytest.mark.parametrize("name", LATER)
@pytest.mark.parametrize("text", ["", "sí", "-1", "99999"])
def test_such_a_column_is_read_as_strictly_as_the_others(folder, name, text):
    write(folder / "categories.csv", [{**CATEGORY, **LATER, name: text}])
    (found,) = problems(folder)
    assert name in found


def test_all_wrong_rows_of_a_file_are_named(folder):
    write(
        folder / "categories.csv",
        [
            {**CATEGORY, "private": "sí"},
            {**CATEGORY, "code": "PRU-02", "sla_amount": ""},
            {**CATEGORY, "code": "PRU-03"},
        ],
    )
    assert problems(folder) == [
        "categories.csv:2: private es true o false, no «sí»",
        "categories.csv:3: sla_amount es un número entero, no «»",
    ]


@pytest.mark.parametrize("file", [name for name in SMALL if "juris" not in name])
def test_a_code_that_comes_twice_is_a_problem(folder, file):
    (found,) = problems(another(folder, file))
    assert found.endswith("está 2 veces")


@pytest.mark.parametrize("file", SMALL)
def test_a_missing_file_is_a_problem(folder, file):
    (folder / file).unlink()
    (found,) = problems(folder)
    assert found.startswith(f"{file}: ")


@pytest.mark.parametrize("file", SMALL)
def test_a_missing_column_is_a_problem(folder, file):
    row = dict(SMALL[file][0])
    optional = {"source", "photos_need_release", *LATER_NUMBERS}
    column = next(reversed([name for name in row if name not in optional]))
    del row[column]
    write(folder / file, [row])
    assert problems(folder) == [f"{file}:2: falta la columna {column}"]


def test_the_command_lists_the_problems_and_changes_nothing(folder):
    write(folder / "categories.csv", [{**CATEGORY, "private": "sí"}])
    before = everything()
    said = StringIO()
    with pytest.raises(CommandError, match="No se cambió nada"):
        call_command("load_catalogue", folder, stderr=said)
    assert "✗ categories.csv:2: private es true o false" in said.getvalue()
    assert everything() == before


def test_without_boundaries_it_says_what_to_do_first(folder):
    for table in (Jurisdiction, Entity, Corregimiento):
        table.objects.all().delete()
    District.objects.all().delete()
    (found,) = problems(folder)
    assert "load_boundaries" in found


def test_an_edited_copy_of_the_shipped_catalogue_is_loaded(db, tmp_path):
    """As the authority edits it: a date in one row, and the rest as it was."""
    folder = Path(shutil.copytree(SHIPPED, tmp_path / "catalogue"))
    path = folder / "jurisdictions.csv"
    text = path.read_text(encoding="utf-8")
    old = "waste-collection,district,0808,AAUD,,,"
    assert text.count(old) == 1
    path.write_text(
        text.replace(old, "waste-collection,district,0808,AAUD,2020-01-01,,"),
        encoding="utf-8",
    )
    today = timezone.localdate()
    lines = load_catalogue(folder, today, lambda items, _what: items).lines
    assert [line[0] for line in lines] == ["-", "+"]
    assert "termina el 2019-12-31" in lines[0]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
