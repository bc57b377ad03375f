"""What of a report the public may see."""

from __future__ import annotations

import re
from time import process_time

import pytest
from django.contrib.gis.geos import Point
from django.db import connection
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from backend.cases.models import Category
from backend.cases.numbers import case_number
from backend.cases.privacy import GRID_DEGREES, public_point, without_personal_data

LONGITUDES = st.floats(-83.1, -77.1)
LATITUDES = st.floats(7.0, 9.8)
# Half the diagonal of a cell, 99.5 m by 99.4 m where Panama is nearest the equator.
FARTHEST_METRES = 71


def test_the_public_sees_the_middle_of_a_grids_cell():
    seen = on_grid(-79.5408, 8.9536)
    assert (seen.x, seen.y) == (-79.54065, 8.95365)
    assert seen.srid == 4326


@given(LONGITUDES, LATITUDES)
def test_all_points_of_a_cell_are_seen_at_the_same_place(lon, lat):
    """Or the mean of many reports would give the place away."""
    middle = on_grid(lon, lat)
    for east in (-0.49, 0, 0.49):
        for north in (-0.49, 0, 0.49):
            moved = on_grid(
                middle.x + east * GRID_DEGREES, middle.y + north * GRID_DEGREES
            )
            assert moved == middle


@given(LONGITUDES, LATITUDES)
def test_the_grid_is_fixed_and_a_point_on_it_stays(lon, lat):
    middle = on_grid(lon, lat)
    assert on_grid(lon, lat) == on_grid(middle.x, middle.y) == middle


@pytest.mark.django_db
@hypothesis_settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(LONGITUDES, LATITUDES)
def test_the_public_point_is_near_the_true_one(lon, lat):
    seen = on_grid(lon, lat)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ST_Distance(ST_Point(%s, %s, 4326)::geography,"
            " ST_Point(%s, %s, 4326)::geography)",
            [lon, lat, seen.x, seen.y],
        )
        [metres] = cursor.fetchone()
    assert metres <= FARTHEST_METRES


@given(LONGITUDES, LATITUDES)
def test_an_exact_category_shows_the_point_to_a_hands_breadth(lon, lat):
    seen = public_point(
        Point(lon, lat, srid=4326), Category(precision=Category.Precision.EXACT)
    )
    assert seen is not None
    assert seen.coords == pytest.approx((lon, lat), abs=5.1e-7)


def test_a_category_without_a_point_shows_none():
    point = Point(-79.5, 8.9, srid=4326)
    assert public_point(point, Category(precision=Category.Precision.NONE)) is None


@pytest.mark.parametrize(
    ("written", "published"),
    [
        ("Llame al 6612-3456.", "Llame al […]."),
        ("Llame al 66123456, gracias", "Llame al […], gracias"),
        ("cel 6612 3456", "cel […]"),
        ("6612.3456 o 66 12 34 56", "[…] o […]"),
        ("casa: 212-3456", "casa: […]"),
        ("+507 6612-3456", "[…]"),
        ("(507) 6612 - 3456", "[…]"),
        ("+1 (305) 555-1234", "[…]"),
        ("tel6612-3456", "tel[…]"),
        ("6612-3456-", "[…]-"),
        ("6612\u20113456 y 6612\u20133456", "[…] y […]"),
        ("escriba a ana.perez+311@correo.com.pa ya", "escriba a […] ya"),
        ("ñandú@correo.pa", "[…]"),
        ("soy 8-123-4567", "soy […]"),
        ("cédula 8-12-34", "cédula […]"),
        ("PE-12-345, pe-12-345", "[…], […]"),
        ("E-8-12345 y N-19-1234", "[…] y […]"),
        ("1PI-12-345 y 8AV-12-345 y 8-AV-12-345", "[…] y […] y […]"),
        ("8 - 123 - 4567", "[…]"),
        ("8\u201312\u2013345", "[…]"),
        ("12-10-1985", "[…]"),  # a date, or a card of province 12: the card wins
        ("pasaporte 123456789012345678901234", "pasaporte […]"),
        ("está en 8.953612, -79.540812", "está en […], -[…]"),
    ],
)
def test_what_could_be_somebodys_data_is_taken_out(written, published):
    assert without_personal_data(written) == published


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hueco en el kilómetro 12, a 300 metros de la calle 50.",
        "Entre calles 50 y 51, casa 12-34, lote 7.",
        "Cobran B/.25.00 y hasta B/.1,250.00 al mes.",
        "Desde el 23/11/2026 a las 10:30 p. m.",
        "Desde el 2026-11-23T10:30:00.",
        "El 23-11-2026, el 05-11-2026 y el 3.11.2026.",
        "Del 1 de enero de 2024 al 31 de diciembre de 2025.",
        "Poste 123456 sin luz desde hace 15 días.",
        "La placa es AB1234.",
        "Línea 1 del metro; ruta 5 de 10 a 14 horas.",
        "Llamé al 311 y al 911.",
        "Usuario @municipio en redes, 3 @ 5.",
        "Es el caso 26-0000123-2, ya resuelto.",
    ],
)
def test_what_the_text_is_about_stays(text):
    assert without_personal_data(text) == text


@given(st.integers(2020, 2090), st.integers(0, 9_999_999), st.text(max_size=5))
def test_case_numbers_stay(year, sequence, around):
    around = re.sub(r"[\d@.+_()-]", "", around)
    text = f"{around} {case_number(year, sequence)} {around}"
    assert without_personal_data(text) == text


def test_what_only_looks_like_a_case_number_goes():
    wrong = case_number(2026, 123)[:-1] + "3"
    assert without_personal_data(f"caso {wrong}") == "caso […]"


def test_a_date_does_not_save_the_telephone_beside_it():
    assert without_personal_data("23-11-2026 6612-3456") == "23-11-2026 […]"
    assert "3456" not in without_personal_data("23.11.2026.6612.3456")


LIKE_DATA = st.text("0123456789 -.()+/@aE[]\n", max_size=60)


@given(st.one_of(LIKE_DATA, st.text(max_size=60)))
def test_no_seven_digits_in_a_row_and_no_address_survive(text):
    published = without_personal_data(text)
    number = re.compile(r"(?<!\d)\d\d-\d{7}-\d(?!\d)")
    assert not re.search(r"\d{7}", number.sub("", published))
    assert not re.search(r"\w@\w+\.\w", published)


@pytest.mark.parametrize("piece", ["1", "1 ", "a", "a@", "1-1-", "+", "(", "é.", "12-"])
def test_a_text_does_not_cost_the_square_of_its_length(piece):
    """Read in one pass, this is a moment's work; else many seconds of the processor."""
    before = process_time()
    without_personal_data(piece * 60_000)
    assert process_time() - before < 3


def on_grid(lon: float, lat: float) -> Point:
    category = Category(precision=Category.Precision.GRID)
    seen = public_point(Point(lon, lat, srid=4326), category)
    assert seen is not None
    return seen
