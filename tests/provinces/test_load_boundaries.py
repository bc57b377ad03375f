"""Boundary files become a new generation: all of them, or nothing."""

from __future__ import annotations

import sys
from io import StringIO
from pathlib import Path

import pytest
import shapely
from django.contrib.gis.geos import Point
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.db.models import Model

from provinces import loading
from provinces.models import (
    Boundary,
    Corregimiento,
    District,
    Generation,
    Level,
    Province,
    Zone,
)
from provinces.places import place_at
from tests.factories import EAST, OUTLINES, WEST, make_boundary, make_territory
from tests.provinces.test_boundary_files import geojson, shapefile, zipped

WHOLE = shapely.union_all(list(OUTLINES.values()))
TABLES = (Generation, Boundary, Province, District, Corregimiento, Zone)


def load(**options: object) -> str:
    """The command's words, warnings and errors among them."""
    said = StringIO()
    call_command("load_boundaries", stdout=said, stderr=said, **options)
    return said.getvalue()


def refused(**options: object) -> str:
    """The command's words when it loads nothing, which is looked at."""
    before = everything()
    said = StringIO()
    with pytest.raises(CommandError) as refusal:
        call_command("load_boundaries", stdout=said, stderr=said, **options)
    assert everything() == before
    return said.getvalue() + str(refusal.value)


def everything() -> list[object]:
    return [
        sorted(table.objects.values_list(*columns_of(table)), key=str)
        for table in TABLES
    ]


def columns_of(table: type[Model]) -> list[str]:
    return [
        field.attname
        for field in table._meta.concrete_fields
        if field.name != "outline"
    ]


def swapped(folder: Path, **properties: str) -> Path:
    """A file in which the two squares have changed places."""
    return geojson(
        folder / "districts.geojson",
        ({"code": "9001", "name": "Oeste", **properties}, OUTLINES["9002"]),
        ({"code": "9002", "name": "Este"}, OUTLINES["9001"]),
    )


def district_at(at: tuple[float, float]) -> str:
    return place_at(Point(*at, srid=4326)).district.code


def test_a_file_of_districts_becomes_the_active_generation(db, tmp_path):
    before = make_territory()
    said = load(districts=swapped(tmp_path), source="Tommy Guardia, 2025")
    active = Generation.objects.active().get()
    assert active.pk != before.pk
    assert active.source == "Tommy Guardia, 2025"
    assert f"Generación {active.pk} activa: 2 lugares." in said
    assert (district_at(WEST), district_at(EAST)) == ("9002", "9001")


def test_a_whole_territory_is_loaded_from_files_of_three_formats(db, tmp_path):
    Generation.objects.update(is_active=False)
    load(
        provinces=geojson(
            tmp_path / "p.geojson",
            ({"code": "91", "name": "Nueva", "kind": "comarca"}, WHOLE),
        ),
        districts=zipped(
            shapefile(
                geojson(
                    tmp_path / "d.geojson",
                    ({"CODIGO": "9101", "NOMBRE": "Ñürüm", "note": "x"}, WHOLE),
                ),
                tmp_path / "shapefile",
                *("-t_srs", "EPSG:32617"),
            ),
            tmp_path / "d.zip",
        ),
        corregimientos=geojson(
            tmp_path / "c.geojson",
            ({"cod_corre": "910101", "corregimie": "Uno", "approximate": True}, WHOLE),
        ),
        zones=geojson(tmp_path / "z.geojson", ({"id": "Z", "name": "Zona"}, WHOLE)),
    )
    place = place_at(Point(*WEST, srid=4326))
    assert (place.province.name, place.district.name) == ("Nueva", "Ñürüm")
    assert place.corregimiento is not None
    assert place.corregimiento.name == "Uno"
    assert place.zones == ("Z",)
    assert Province.objects.get(code="91").kind == Province.Kind.COMARCA
    assert District.objects.get(code="9101").note == "x"
    approximate = Boundary.objects.filter(generation__is_active=True, approximate=True)
    assert [boundary.code for boundary in approximate] == ["910101"]


def test_levels_that_are_not_given_are_carried_over(db, tmp_path):
    before = make_territory()
    Zone.objects.create(code="Z", name="Zona")
    make_boundary(before, Level.ZONE, "Z", WHOLE)
    load(districts=swapped(tmp_path))
    active = Generation.objects.active().get()
    for level in (Level.CORREGIMIENTO, Level.ZONE):
        kept = active.boundaries.filter(level=level)
        earlier = before.boundaries.filter(level=level)
        assert kept.count() == earlier.count() > 0
        for boundary in earlier:
            again = kept.get(code=boundary.code)
            assert again.outline.equals_exact(boundary.outline)
    assert active.boundaries.count() == before.boundaries.count()


@pytest.mark.parametrize("level", ["provinces", "corregimientos", "zones", "abroad"])
def test_any_level_can_be_loaded_alone(db, tmp_path, level):
    make_territory()
    code = {"provinces": "90", "corregimientos": "900101"}.get(level, "Z")
    path = geojson(tmp_path / "one.geojson", ({"code": code, "name": "Uno"}, WHOLE))
    assert "1 lugares." in load(**{level: path})


def test_the_earlier_generation_keeps_its_outlines(db, tmp_path):
    before = make_territory()
    load(districts=swapped(tmp_path))
    before.refresh_from_db()
    assert not before.is_active
    assert before.boundaries.count() == 4


def test_check_loads_nothing(db, tmp_path):
    make_territory()
    before = everything()
    said = load(districts=swapped(tmp_path), check=True)
    assert "no se cargó nada (--check)" in said
    assert everything() == before
    assert district_at(WEST) == "9001"


def test_if_missing_loads_nothing_where_a_generation_is_active(db, tmp_path):
    make_territory()
    before = everything()
    load(if_missing=True)
    assert everything() == before


def test_names_that_changed_are_reported_and_taken(db, tmp_path):
    make_territory()
    path = geojson(
        tmp_path / "d.geojson",
        ({"code": "9001", "name": "Poniente"}, OUTLINES["9001"]),
        ({"code": "9002", "name": "Este"}, OUTLINES["9002"]),
    )
    assert "9001 Poniente se llamaba «Oeste»" in load(districts=path)
    assert District.objects.get(code="9001").name == "Poniente"
    assert place_at(Point(*WEST, srid=4326)).district.name == "Poniente"


def test_places_that_lose_their_outline_are_reported(db, tmp_path):
    make_territory()
    path = geojson(
        tmp_path / "d.geojson",
        ({"code": "9001", "name": "Oeste"}, OUTLINES["9001"]),
        ({"code": "9002", "name": "Este"}, None),
    )
    said = load(districts=path)
    assert "9002 Este no tiene contorno" in said
    assert "1 lugares del nivel «distrito» se quedan sin contorno: 9002" in said


def test_what_a_file_does_not_say_of_a_place_stays_but_the_note_of_its_outline(
    db, tmp_path
):
    make_territory()
    Province.objects.filter(code="90").update(kind="comarca", note="aproximada")
    load(
        provinces=geojson(
            tmp_path / "p.geojson", ({"code": "90", "name": "Cuadrados"}, WHOLE)
        )
    )
    province = Province.objects.get(code="90")
    assert (province.kind, province.note) == ("comarca", "")


def test_a_new_province_is_a_province_unless_the_file_says_comarca(db, tmp_path):
    make_territory()
    outside = shapely.box(-79.8, 8.5, -79.7, 8.6)
    load(
        provinces=geojson(
            tmp_path / "p.geojson", ({"code": "91", "name": "Nueva"}, outside)
        )
    )
    assert Province.objects.get(code="91").kind == Province.Kind.PROVINCE


@pytest.mark.parametrize(
    ("second", "words"),
    [
        (({"code": "9001", "name": "Este"}, OUTLINES["9002"]), "está dos veces"),
        (({"code": "9102", "name": "Este"}, OUTLINES["9002"]), "no existe el lugar 91"),
        (({"code": "9002", "name": "Este"}, WHOLE), "se traslapan"),
        (({"code": "9002", "name": ""}, OUTLINES["9002"]), "sin código o sin nombre"),
        (({"code": "9002", "name": "E" * 81}, OUTLINES["9002"]), "name: "),
        (
            ({"code": "9002", "name": "Este"}, shapely.box(8.5, -80, 8.6, -79.9)),
            "fuera de Panamá: revise el sistema de coordenadas",
        ),
        (({"code": "9002", "name": "Este"}, shapely.Point(EAST)), "no es un polígono"),
    ],
)
def test_one_wrong_feature_and_nothing_is_loaded(db, tmp_path, second, words):
    make_territory()
    first = ({"code": "9001", "name": "Oeste nuevo"}, OUTLINES["9001"])
    said = refused(districts=geojson(tmp_path / "d.geojson", first, second))
    assert words in said
    assert "No se cargó nada." in said


def test_a_file_that_says_utm_and_holds_degrees_loads_nothing(db, tmp_path):
    make_territory()
    utm = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::32617"}}
    path = geojson(
        tmp_path / "d.geojson",
        ({"code": "9001", "name": "Oeste"}, OUTLINES["9001"]),
        crs=utm,
    )
    assert "revise el sistema de coordenadas" in refused(districts=path)


def test_an_unreadable_second_file_and_nothing_of_the_first_is_loaded(db, tmp_path):
    make_territory()
    broken = tmp_path / "c.gpkg"
    broken.write_text("nada")
    said = refused(districts=swapped(tmp_path), corregimientos=broken)
    assert "c.gpkg no se puede leer" in said


def test_a_failure_in_the_middle_of_saving_leaves_nothing(db, tmp_path, monkeypatch):
    make_territory()
    save = loading.save_outline

    def save_one_and_fail(feature, generation):
        if feature.code == "9002":
            raise DatabaseError("the disk is full")
        save(feature, generation)

    monkeypatch.setattr(loading, "save_outline", save_one_and_fail)
    before = everything()
    with pytest.raises(DatabaseError):
        load(districts=swapped(tmp_path, note="nuevo"))
    assert everything() == before
    assert district_at(WEST) == "9001"


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_the_progress_bar_goes_to_a_terminals_stderr_on_one_line(
    db, tmp_path, monkeypatch, capsys
):
    make_territory()
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    call_command("load_boundaries", districts=swapped(tmp_path))
    for what in ("Leyendo", "Revisando", "Guardando"):
        assert what in terminal.getvalue()
    assert "\n" not in terminal.getvalue()
    assert "Guardando" not in capsys.readouterr().out


def test_without_a_terminal_there_is_no_progress_bar(db, tmp_path, monkeypatch):
    make_territory()
    log = StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    load(districts=swapped(tmp_path))
    assert log.getvalue() == ""
