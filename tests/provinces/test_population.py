"""How many people live where: as shipped, and as an authority loads it."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.db.models import Sum

from provinces.management.commands.load_population import SHIPPED
from provinces.models import District, Province
from tests.factories import make_territory

pytestmark = pytest.mark.django_db

COUNTED_IN_2023 = 4_064_780
HEADER = "code,name,population,year,source\n"


@pytest.fixture
def squares() -> None:
    make_territory()


def load(tmp_path: Path, *lines: str, **options: Any) -> str:
    file = tmp_path / "population.csv"
    file.write_text(HEADER + "".join(f"{line}\n" for line in lines))
    out = StringIO()
    call_command("load_population", str(file), stdout=out, stderr=out, **options)
    return out.getvalue()


def test_a_file_says_how_many_people_live_in_a_district(
    squares: None, tmp_path: Path
) -> None:
    said = load(tmp_path, "9001,Oeste,1200,2023,Un censo", "9002,Este,,,")

    west = District.objects.get(pk="9001")
    assert (west.population, west.population_year) == (1200, 2023)
    assert west.population_source == "Un censo"
    assert District.objects.get(pk="9002").population is None
    assert said == "Población: 1 lugares cambiados.\n"


def test_what_a_file_does_not_name_stays_and_what_it_empties_goes(
    squares: None, tmp_path: Path
) -> None:
    load(tmp_path, "9001,Oeste,1200,2023,Un censo", "9002,Este,300,2023,Un censo")
    load(tmp_path, "9002,Este,,,")

    assert District.objects.get(pk="9001").population == 1200
    assert District.objects.get(pk="9002").population is None
    assert District.objects.get(pk="9002").population_source == ""


@pytest.mark.parametrize(
    "line",
    [
        "9009,Nadie,5,2023,Un censo",
        "9002,Este,0,2023,Un censo",
        "9002,Este,-5,2023,Un censo",
        "9002,Este,5.5,2023,Un censo",
        "9002,Este,5,2023,",
        "9002,Este,5,,Un censo",
        "9002,Este,,2023,Un censo",
        "9002,Este,5,23,Un censo",
        "9002,Este,99999999999,2023,Un censo",
        "9001,Oeste,5,2023,Otro censo",
    ],
)
def test_one_wrong_row_and_nothing_is_loaded(
    squares: None, tmp_path: Path, line: str
) -> None:
    with pytest.raises(CommandError):
        load(tmp_path, "9001,Oeste,1200,2023,Un censo", line)

    assert not District.objects.filter(
        pk__startswith="90", population__isnull=False
    ).exists()


@pytest.mark.parametrize(
    "part",
    [
        {"population_source": ""},
        {"population_year": None},
        {"population": None},
        {"population": 0},
    ],
)
def test_the_database_takes_figure_year_and_source_or_none(
    part: dict[str, Any],
) -> None:
    for model in (Province, District):
        counted = model._default_manager.filter(population__isnull=False)
        with pytest.raises(IntegrityError), transaction.atomic():
            counted.update(**part)


def test_a_place_that_has_a_figure_is_not_asked_again(
    squares: None, tmp_path: Path
) -> None:
    assert load(tmp_path, "9001,Oeste,5,2023,Un censo", if_missing=True) == ""
    assert District.objects.get(pk="9001").population is None


def test_boundaries_loaded_anew_leave_the_figures(
    squares: None, tmp_path: Path
) -> None:
    load(tmp_path, "1305,San Carlos,7,2023,Un censo")
    call_command("load_boundaries", stdout=StringIO())

    assert District.objects.get(pk="1305").population == 7


def test_the_shipped_provinces_add_up_to_the_census() -> None:
    total = Province.objects.aggregate(all=Sum("population"))["all"]

    assert total == COUNTED_IN_2023
    without = Province.objects.filter(population=None)
    assert [place.code for place in without] == ["NT"]


def test_the_shipped_districts_add_up_to_their_province_or_say_nothing() -> None:
    filled = 0
    for province in Province.objects.exclude(code="NT"):
        figures = list(province.districts.values_list("population", flat=True))
        known = [figure for figure in figures if figure is not None]
        if len(known) == len(figures):
            assert sum(known) == province.population, province.name
            filled += len(known)
        else:
            assert set(figures) == {None}, province.name
    assert filled == District.objects.filter(population__isnull=False).count() == 10


def test_the_shipped_files_name_every_place_as_it_is_called() -> None:
    for file, model in (("provinces", Province), ("districts", District)):
        rows = (SHIPPED / f"{file}.csv").read_text().splitlines()[1:]
        named = [tuple(row.split(",")[:2]) for row in rows]
        assert named == list(model._default_manager.values_list("code", "name"))
