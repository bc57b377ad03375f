"""What is wrong with boundary files, in words; and their rings mended."""

from __future__ import annotations

from typing import Any

import pytest
import shapely

from provinces.boundary_files import Feature
from provinces.models import Level
from tests.factories import OUTLINES
from tests.provinces.checking import check

WEST, EAST = OUTLINES["9001"], OUTLINES["9002"]


def district(
    code: str, outline: shapely.Geometry | None, name: str = "Lugar", **properties: Any
) -> Feature:
    return Feature(Level.DISTRICT, code, name, outline, properties)


def test_sound_districts_have_no_findings():
    mended, findings = check(
        district("9001", WEST, "Oeste"), district("9002", EAST, "ESTE")
    )
    assert (findings.errors, findings.warnings) == ([], [])
    assert [f.outline.geom_type for f in mended if f.outline] == ["MultiPolygon"] * 2


def test_a_code_that_comes_twice_is_an_error():
    _, findings = check(district("9001", WEST), district("9001", EAST))
    assert findings.errors == ["el código 9001 Lugar está dos veces"]


def test_the_same_code_at_two_levels_is_none():
    zone = Feature(Level.ZONE, "9001", "Concesión", EAST, {})
    _, findings = check(zone, district("9001", WEST, "Oeste"))
    assert (findings.errors, findings.warnings) == ([], [])


@pytest.mark.parametrize("code", ["1", "90001", "90010"])
def test_a_code_of_another_length_is_an_error(code):
    _, findings = check(district(code, WEST))
    assert findings.errors == [f"{code} Lugar: el código de este nivel tiene 4 dígitos"]


@pytest.mark.parametrize("code", ["90Ñ1", "90 1", "90-1", "90٣1"])
def test_a_code_of_anything_but_digits_and_latin_letters_is_an_error(code):
    _, findings = check(district(code, WEST))
    said = "un código tiene solo cifras y letras de la A a la Z"
    assert findings.errors == [f"{code} Lugar: {said}"]


def test_a_place_whose_parent_nobody_knows_is_an_error():
    _, findings = check(district("9101", WEST))
    assert findings.errors == ["9101 Lugar: no existe el lugar 91 al que pertenece"]


def test_a_parent_in_the_same_files_is_enough():
    parent = Feature(Level.PROVINCE, "91", "Nueva", WEST, {"kind": "comarca"})
    _, findings = check(district("9101", WEST), parent)
    assert findings.errors == []


def test_a_zone_is_no_parent():
    zone = Feature(Level.ZONE, "91", "Zona", WEST, {})
    _, findings = check(district("9101", WEST), zone)
    assert findings.errors == ["9101 Lugar: no existe el lugar 91 al que pertenece"]


def test_two_districts_on_the_same_ground_are_an_error():
    wide = shapely.box(-80.0, 8.5, -79.89, 8.6)
    _, findings = check(district("9001", wide, "Oeste"), district("9002", EAST, "Este"))
    (error,) = findings.errors
    # 0.01° by 0.1°: 1.1 km by 11.06 km.
    assert error == "9001 Oeste y 9002 Este se traslapan (12.10 km²)"


def test_what_rounding_makes_overlap_is_no_error():
    wide = shapely.box(-80.0, 8.5, -79.8999999, 8.6)
    _, findings = check(district("9001", wide, "Oeste"), district("9002", EAST, "Este"))
    assert findings.errors == []


def test_an_invalid_ring_is_repaired_and_reported():
    bow_tie = shapely.Polygon(
        [(-80.0, 8.5), (-79.9, 8.6), (-79.9, 8.5), (-80.0, 8.6), (-80.0, 8.5)]
    )
    (mended,), findings = check(district("9001", bow_tie, "Oeste"))
    assert findings.errors == []
    (warning,) = findings.warnings
    assert warning.startswith("9001 Oeste: contorno inválido, reparado (Self-inter")
    assert mended.outline is not None
    assert mended.outline.is_valid
    assert mended.outline.area == pytest.approx(0.005)


@pytest.mark.parametrize(
    "outline", [shapely.Point(-79.9, 8.5), shapely.LineString([(-80, 8.5), (-79, 8.5)])]
)
def test_what_is_no_polygon_is_an_error(outline):
    _, findings = check(district("9001", outline, "Oeste"))
    assert findings.errors == ["9001 Oeste: el contorno no es un polígono"]


@pytest.mark.parametrize(
    "outline",
    [
        shapely.box(660_000, 990_000, 670_000, 999_000),  # metres taken for degrees
        shapely.box(8.5, -80.0, 8.6, -79.9),  # latitude first
        shapely.box(-74.1, 4.6, -74.0, 4.7),  # Bogotá
    ],
)
def test_coordinates_outside_panama_are_an_error(outline):
    _, findings = check(district("9001", outline, "Oeste"))
    assert findings.errors == [
        "9001 Oeste está fuera de Panamá: revise el sistema de coordenadas"
    ]


def test_what_lies_abroad_may_lie_outside_panama():
    abroad = Feature(Level.ABROAD, "CO", "Colombia", shapely.box(-78, 1, -70, 9), {})
    assert check(abroad)[1].errors == []


def test_a_place_without_outline_is_a_warning():
    mended, findings = check(
        district("9001", WEST, "Oeste"), district("9002", shapely.Polygon(), "Este")
    )
    assert findings.errors == []
    assert findings.warnings == ["9002 Este no tiene contorno"]
    assert mended[1].outline is None


def test_a_file_of_names_without_any_outline_is_an_error():
    _, findings = check(district("9001", None, "Oeste"), district("9002", None, "Este"))
    assert findings.errors == ["ningún lugar del nivel «distrito» tiene contorno"]


def test_a_name_that_changed_is_a_warning_and_its_capitals_are_none():
    _, findings = check(
        district("9001", WEST, "OESTE"), district("9002", EAST, "Este de la Barra")
    )
    assert findings.errors == []
    assert findings.warnings == ["9002 Este de la Barra se llamaba «Este»"]


def test_a_place_that_sticks_out_of_its_parent_is_a_warning():
    _, findings = check(
        Feature(
            Level.CORREGIMIENTO, "900101", "Uno", shapely.box(-80, 8.5, -79.88, 8.6), {}
        ),
        district("9001", WEST, "Oeste"),
    )
    assert findings.errors == []
    assert findings.warnings == ["900101 Uno: el 16.7 % queda fuera de 9001"]


@pytest.mark.parametrize(
    ("feature", "wrong"),
    [
        (district("9001", WEST, "O" * 81), "name"),
        (Feature(Level.PROVINCE, "90", "Cuadrados", WEST, {"kind": "estado"}), "kind"),
        (Feature(Level.ZONE, "Z", "Z" * 121, WEST, {}), "name"),
        (Feature(Level.ZONE, "Z" * 31, "Zona", WEST, {}), "code"),
    ],
)
def test_what_the_database_would_refuse_is_an_error_in_words(feature, wrong):
    _, findings = check(feature)
    (error,) = findings.errors
    assert f": {wrong}: " in error
