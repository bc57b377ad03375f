"""Which province, district and corregimiento a point belongs to."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import shapely
from django.contrib.gis.geos import Point
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provinces import places
from provinces.editions import Edition
from provinces.models import Corregimiento, Generation, Level, Zone
from provinces.places import (
    Named,
    Neighbour,
    NoBoundaries,
    NotThisSide,
    OutsidePanama,
    Place,
    place_at,
    places_of,
    territory,
)
from tests.factories import EAST, OUTLINES, WEST, make_boundary, make_territory

DEGREE_EAST = 110_088  # metres at 8.55° north
BORDER = -79.9

TOWNS = {
    "Panamá": (-79.51973, 8.9936, "0808"),
    "San Miguelito": (-79.5, 9.05, "0810"),
    "David": (-82.43085, 8.42729, "0406"),
    "Almirante": (-82.4018, 9.30091, "0104"),
    "Volcán": (-82.63, 8.77, "0414"),
    "Santa Fe de Darién": (-78.14, 8.65, "0503"),
    "Coclecito": (-80.55609, 8.81006, "0306"),
    "Veracruz": (-79.62338, 8.89319, "1301"),
    "Taboga": (-79.55475, 8.79462, "0811"),
    "Contadora": (-79.03748, 8.62483, "0802"),
    "Punta Burica": (-82.86866, 8.03389, "0402"),
}
# The shipped outlines draw these islands somewhat beside their place: metres.
ISLANDS = {
    "Mulatupo": (-77.7508, 8.94672, 789),
    "Ustupo": (-77.9262, 9.13112, 250),
    "Narganá": (-78.58666, 9.44394, 340),
    "El Porvenir": (-78.9523, 9.55276, 210),
    "Playón Chico": (-78.2327, 9.31128, 30),
    "Ailigandí": (-78.02778, 9.2281, 180),
}
FAR_AWAY = {
    "San José de Costa Rica": (-84.09, 9.93),
    "Bogotá": (-74.08, 4.71),
    "the open Pacific": (-80.0, 5.0),
    "the Gulf of Guinea": (0.0, 0.0),
}
ACROSS_THE_BORDER = {
    "Sixaola": (-82.6163, 9.5085),
    "Paso Canoas, the Costa Rican side": (-82.845, 8.535),
    "Capurganá": (-77.35, 8.632),
}


def at(lon: float, lat: float, accuracy: float = 0, side: str = "") -> Place:
    return place_at(Point(lon, lat, srid=4326), accuracy, side)


def test_a_place_has_province_district_and_corregimiento(db):
    make_territory()
    assert at(*WEST) == Place(
        province=Named("90", "Cuadrados"),
        district=Named("9001", "Oeste"),
        corregimiento=Named("900101", "Oeste Uno"),
    )
    assert at(*EAST).district.name == "Este"


@pytest.mark.parametrize("town", TOWNS)
def test_a_town_lies_in_its_district(db, town):
    lon, lat, district = TOWNS[town]
    place = at(lon, lat)
    assert place.district.code == district
    assert place.province.code == district[:2]
    assert place.corregimiento is not None
    assert place.corregimiento.code.startswith(district)
    assert place.snapped is None


@pytest.mark.parametrize("island", ISLANDS)
def test_an_island_beside_its_outline_belongs_to_guna_yala_and_says_how_far(db, island):
    lon, lat, metres = ISLANDS[island]
    place = at(lon, lat)
    assert place.province.name == "Guna Yala"
    assert place.district.code == "1001"
    assert place.corregimiento is not None
    assert place.snapped == pytest.approx(metres, abs=6)


@pytest.mark.parametrize("where", FAR_AWAY)
@pytest.mark.parametrize("accuracy", [0, 1e9])
def test_what_is_far_away_is_refused_however_vague_the_phone(db, where, accuracy):
    with pytest.raises(OutsidePanama):
        at(*FAR_AWAY[where], accuracy)


@pytest.mark.parametrize("where", ACROSS_THE_BORDER)
def test_a_town_across_the_border_is_not_panamas_nearest_district(db, where):
    with pytest.raises(OutsidePanama):
        at(*ACROSS_THE_BORDER[where], 10)


def test_a_vague_phone_just_across_the_border_may_be_in_panama(db):
    lon, lat = ACROSS_THE_BORDER["Paso Canoas, the Costa Rican side"]
    place = at(lon, lat, 5_000)
    assert place.province.name == "Chiriquí"
    assert place.snapped is not None
    assert place.snapped < 5_000


def test_a_point_off_the_shore_is_snapped_with_its_metres(db):
    make_territory()
    place = at(-80.01, 8.55)
    assert place.district.code == "9001"
    assert place.corregimiento == Named("900101", "Oeste Uno")
    assert place.snapped == pytest.approx(0.01 * DEGREE_EAST, rel=0.001)


def test_a_point_beyond_the_tolerance_is_outside_panama(db, settings):
    make_territory()
    settings.SNAP_METRES = 1_000
    with pytest.raises(OutsidePanama):
        at(-80.01, 8.55)
    settings.SNAP_METRES = 1_200
    assert at(-80.01, 8.55).district.code == "9001"


def test_abroad_the_tolerance_is_that_of_the_outlines(db):
    generation = make_territory()
    west_of_west = OUTLINES["9001"].buffer(0.1).difference(OUTLINES["9001"])
    make_boundary(generation, Level.ABROAD, "XX", west_of_west)
    assert at(-80.002, 8.55).snapped == pytest.approx(0.002 * DEGREE_EAST, rel=0.001)
    with pytest.raises(OutsidePanama):
        at(-80.004, 8.55)
    assert at(-80.004, 8.55, 500).district.code == "9001"
    # Where outlines of both overlap, Panama's counts.
    assert at(*EAST).district.code == "9002"


def test_abroad_a_vague_phone_does_not_widen_the_tolerance(db, settings):
    generation = make_territory()
    make_boundary(generation, Level.ABROAD, "XX", shapely.box(-80.5, 8.5, -80.0, 8.6))
    settings.SNAP_METRES = 1_000
    with pytest.raises(OutsidePanama):
        at(-80.02, 8.55, 5_000)


def test_a_border_within_the_phones_accuracy_names_the_neighbour(db):
    make_territory()
    place = at(BORDER - 0.001, 8.55, 200)
    assert place.district.code == "9001"
    assert place.near_border is not None
    assert (place.near_border.code, place.near_border.name) == ("9002", "Este")
    assert place.near_border.metres == pytest.approx(0.001 * DEGREE_EAST, rel=0.001)


@pytest.mark.parametrize("accuracy", [0, 50, 109])
def test_a_border_beyond_the_phones_accuracy_is_not_near(db, accuracy):
    make_territory()
    assert at(BORDER - 0.001, 8.55, accuracy).near_border is None


def test_the_coast_is_no_border(db):
    make_territory()
    assert at(-79.999, 8.55, 500).near_border is None


def test_on_the_shared_border_the_lower_code_is_the_district_and_the_other_is_near(db):
    make_territory()
    assert at(BORDER, 8.55).district.code == "9001"
    assert at(BORDER, 8.55, 1).near_border == Neighbour("9002", "Este", 0.0)


@pytest.mark.parametrize("accuracy", [20_000, 1e6, 1e12, float("inf")])
def test_however_vague_the_phone_the_place_and_its_neighbour_are_the_same(db, accuracy):
    lon, lat, _district = TOWNS["David"]
    exact, vague = at(lon, lat), at(lon, lat, accuracy)
    assert vague.district == exact.district
    assert vague.corregimiento == exact.corregimiento
    neighbour = territory().nearest_border(lon, lat, "0406")
    assert neighbour is not None
    assert vague.near_border == neighbour


def test_the_side_that_was_chosen_is_the_place_and_says_how_far_it_is(db):
    make_territory()
    metres = pytest.approx(0.001 * DEGREE_EAST, rel=0.001)
    place = at(BORDER - 0.001, 8.55, 200, "9002")
    assert place.province == Named("90", "Cuadrados")
    assert place.district == Named("9002", "Este")
    assert place.corregimiento == Named("900201", "Este Uno")
    assert place.snapped == metres
    assert place.near_border == Neighbour("9001", "Oeste", 0.0)


def test_the_points_own_side_may_be_chosen_too(db):
    make_territory()
    assert at(BORDER - 0.001, 8.55, 200, "9001") == at(BORDER - 0.001, 8.55, 200)
    assert at(*WEST, 0, "9001") == at(*WEST)


def test_off_the_shore_both_sides_say_how_far_they_are(db):
    make_territory()
    here = (BORDER - 0.001, 8.601)
    west, east = at(*here, 500), at(*here, 500, "9002")
    assert (west.district.code, east.district.code) == ("9001", "9002")
    assert west.snapped is not None
    assert east.snapped is not None
    assert 110 < west.snapped < 111 < 155 < east.snapped < 157
    assert west.near_border == Neighbour("9002", "Este", east.snapped)
    assert east.near_border == Neighbour("9001", "Oeste", west.snapped)


@pytest.mark.parametrize("side", ["9002", "9003", "90", "900101", "x", "0801"])
@pytest.mark.parametrize("accuracy", [0, 100])
def test_no_other_district_can_be_chosen(db, side, accuracy):
    make_territory()
    with pytest.raises(NotThisSide):
        at(BORDER - 0.001, 8.55, accuracy, side)


@given(
    lon=st.floats(-83.0, -77.2),
    lat=st.floats(7.2, 9.6),
    accuracy=st.floats(1, 5_000),
)
@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_of_the_two_sides_each_names_the_other(db, lon, lat, accuracy):
    try:
        own = at(lon, lat, accuracy)
    except OutsidePanama:
        return
    if own.near_border is None:
        return
    other = at(lon, lat, accuracy, own.near_border.code)
    assert other.district.code == own.near_border.code
    assert (other.snapped or 0.0) == own.near_border.metres
    assert other.near_border is not None
    assert other.near_border.code == own.district.code
    assert other.near_border.metres == (own.snapped or 0.0)
    if other.corregimiento:
        assert other.corregimiento.code.startswith(other.district.code)
    assert other.zones == own.zones


def test_a_zone_that_covers_the_point_is_named(db):
    generation = make_territory()
    for code, outline in (("Z2", OUTLINES["9001"]), ("Z1", OUTLINES["9001"])):
        Zone.objects.create(code=code, name=code)
        make_boundary(generation, Level.ZONE, code, outline)
    assert at(*WEST).zones == ("Z1", "Z2")
    assert at(*EAST).zones == ()


def test_a_gap_between_corregimientos_goes_to_the_nearest_of_the_district(db):
    generation = make_territory()
    generation.boundaries.filter(code="900101").delete()
    Corregimiento.objects.create(code="900102", name="Oeste Dos", district_id="9001")
    for code, outline in (
        ("900101", shapely.box(-80.0, 8.5, -79.97, 8.6)),
        ("900102", shapely.box(-79.94, 8.5, -79.9, 8.6)),
    ):
        make_boundary(generation, Level.CORREGIMIENTO, code, outline)
    for lon, code in ((-79.965, "900101"), (-79.945, "900102"), (-79.95, "900102")):
        corregimiento = at(lon, 8.55).corregimiento
        assert corregimiento is not None
        assert corregimiento.code == code


def test_a_district_without_corregimientos_is_a_place_too(db):
    generation = make_territory()
    generation.boundaries.filter(level=Level.CORREGIMIENTO).delete()
    assert at(*WEST).corregimiento is None


def test_a_new_generation_is_seen_without_a_restart(db):
    first = make_territory()
    assert at(*WEST).district.code == "9001"
    Generation.objects.filter(pk=first.pk).update(is_active=False)
    second = Generation.objects.create(source="swapped", is_active=True)
    make_boundary(second, Level.DISTRICT, "9002", OUTLINES["9001"])
    make_boundary(second, Level.DISTRICT, "9001", OUTLINES["9002"])
    assert at(*WEST).district.code == "9002"
    Generation.objects.filter(pk=second.pk).update(is_active=False)
    Generation.objects.filter(pk=first.pk).update(is_active=True)
    assert at(*WEST).district.code == "9001"


def test_all_who_ask_at_once_wait_for_one_to_make_a_new_generation(monkeypatch):
    """Each thread's own would take as many times the memory, and as long."""
    made = []

    class Slow:
        def __init__(self, generation: int) -> None:
            time.sleep(0.2)
            made.append(generation)

    monkeypatch.setattr(places, "Territory", Slow)
    places.territory_of.cache_clear()
    edition = Edition(boundaries=-1, rules=0)
    try:
        with ThreadPoolExecutor(8) as at_once:
            found = list(at_once.map(territory, [edition] * 8))
    finally:
        places.territory_of.cache_clear()
    assert made == [-1]
    assert len(set(map(id, found))) == 1


def test_without_an_active_generation_nothing_is_said(db):
    Generation.objects.update(is_active=False)
    with pytest.raises(NoBoundaries):
        at(*WEST)


def test_one_query_tells_whether_the_territory_in_memory_is_still_the_one(
    db, django_assert_num_queries
):
    at(*TOWNS["David"][:2])
    with django_assert_num_queries(1):
        at(*TOWNS["Panamá"][:2])


@given(
    points=st.lists(
        st.tuples(
            st.integers(-83_200_000, -77_000_000).map(lambda n: n / 1e6),
            st.integers(7_000_000, 9_800_000).map(lambda n: n / 1e6),
        ),
        min_size=20,
        max_size=30,
    )
)
@settings(
    deadline=None,
    max_examples=10,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_every_point_has_the_place_that_postgis_finds(db, points):
    for point, (district, corregimientos) in zip(points, judged(points), strict=True):
        try:
            place = at(*point)
        except OutsidePanama:
            assert district is None
            continue
        if district:
            assert (place.district.code, place.snapped) == (district, None)
            assert place.corregimiento is not None
            if corregimientos:
                assert place.corregimiento.code == corregimientos[0]
            assert place.corregimiento.code.startswith(district)
        else:
            assert place.snapped is not None
            assert 0 < place.snapped <= 15_000


def judged(points: list[tuple[float, float]]) -> list[tuple[str | None, list[str]]]:
    """By PostGIS: the district that covers each point, and its corregimientos there."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH place AS NOT MATERIALIZED (
                SELECT b.level, b.code, b.outline FROM provinces_boundary b
                JOIN provinces_generation g ON g.id = b.generation_id AND g.is_active
            ), district AS (
                SELECT n, at, (
                    SELECT min(code) FROM place
                    WHERE level = 'district' AND ST_Covers(outline, at)
                ) AS code
                FROM unnest(%s::float8[], %s::float8[]) WITH ORDINALITY p (lon, lat, n),
                    ST_SetSRID(ST_MakePoint(lon, lat), 4326) AS at
            )
            SELECT d.code, ARRAY(
                SELECT c.code FROM place c
                WHERE c.level = 'corregimiento' AND c.code LIKE d.code || '%%'
                    AND ST_Covers(c.outline, d.at)
                ORDER BY c.code
            )
            FROM district d ORDER BY d.n
            """,
            [[lon for lon, _ in points], [lat for _, lat in points]],
        )
        return list(cursor.fetchall())


# ── Many at once ─────────────────────────────────────────────────────────────────


def alone(lon: float, lat: float) -> Place | None:
    try:
        return place_at(Point(lon, lat, srid=4326))
    except OutsidePanama:
        return None


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    points=st.lists(
        st.tuples(st.floats(-83.2, -77.0), st.floats(7.0, 9.8)), min_size=0, max_size=40
    )
)
def test_many_points_have_the_places_that_each_has_alone(db, points):
    lons, lats = [lon for lon, _ in points], [lat for _, lat in points]
    assert places_of(lons, lats) == [alone(lon, lat) for lon, lat in points]


def test_many_points_on_borders_and_in_zones_have_theirs_too(db):
    generation = make_territory()
    Zone.objects.create(code="Z-1", name="Una")
    make_boundary(generation, Level.ZONE, "Z-1", shapely.box(-79.95, 8.5, -79.85, 8.7))
    border, off_the_shore = (-79.9, 8.55), (-79.9, 8.61)
    points = [WEST, EAST, border, (-79.99, 8.51), off_the_shore, (0.0, 0.0)]
    lons, lats = [lon for lon, _ in points], [lat for _, lat in points]
    found = places_of(lons, lats)
    assert found == [alone(lon, lat) for lon, lat in points]
    assert [place and place.zones for place in found] == [
        *[("Z-1",)] * 3,
        (),
        ("Z-1",),
        None,
    ]
