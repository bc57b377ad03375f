"""GET /tiles/: vector tiles, read by GDAL as QGIS and MapLibre would."""

from __future__ import annotations

import json
import subprocess
from datetime import timedelta
from math import floor
from typing import Any

import pytest
from django.utils import timezone

from backend.cases.heat import fold
from backend.cases.models import Case
from backend.cases.workflow import Status
from geo.cells import cell_at
from tests.factories import EAST, WEST, make_case, make_category, make_territory
from tests.geo.many import multiply

MVT = "application/vnd.mapbox-vector-tile"


@pytest.fixture(autouse=True)
def squares(db):
    make_territory()
    make_category()


def address(layer: str, zoom: int, at: tuple[float, float] = WEST) -> str:
    x, y = cell_at(*at, 14)
    x, y = (floor(side / 2 ** (18 - zoom)) for side in (x, y))
    return f"/tiles/{layer}/{zoom}/{x}/{y}.mvt"


def cell_of(feature: dict[str, Any], level: int) -> tuple[int, int]:
    longitude, latitude = feature["geometry"]["coordinates"]
    return cell_at(longitude, latitude, level)


@pytest.fixture
def read(phone, tmp_path):
    """The features of a tile, in degrees."""

    def read(path: str, **query: str) -> list[dict[str, Any]]:
        answer = phone.get(path, query)
        assert answer.status_code == 200, answer.content
        assert answer["Content-Type"] == MVT
        assert len(answer.content) < 500_000
        if not answer.content:
            return []
        layer, zoom, x, y = path.removeprefix("/tiles/").removesuffix(".mvt").split("/")
        file = tmp_path / "tile.mvt"
        file.write_bytes(answer.content)
        told = subprocess.run(
            [
                *("ogr2ogr", "-f", "GeoJSON", "/vsistdout/", str(file), layer),
                *("-t_srs", "EPSG:4326", "-oo", "CLIP=NO"),
                *("-oo", f"Z={zoom}", "-oo", f"X={x}", "-oo", f"Y={y}"),
            ],
            check=True,
            capture_output=True,
        ).stdout
        found: list[dict[str, Any]] = json.loads(told)["features"]
        return found

    return read


def test_a_tile_of_the_heat_has_a_point_in_each_cell(read):
    make_case()
    make_case(status=Status.RESOLVED)
    make_case(at=EAST)
    both = read(address("heat", 8))
    assert sum(feature["properties"]["weight"] for feature in both) == 3
    (west,) = read(address("heat", 12))
    counts = {"open": 1, "resolved": 1, "other": 0, "weight": 2}
    assert counts.items() <= west["properties"].items()
    # The middle of the cell that the cases are in.
    assert cell_of(west, 12) == cell_at(*WEST, 12)


@pytest.mark.parametrize("zoom", range(19))
def test_every_zoom_has_the_cell_in_its_place(read, zoom):
    make_case()
    (found,) = read(address("heat", zoom))
    level = min(max(zoom, 4), 14)
    assert cell_of(found, level) == cell_at(*WEST, level)


def test_the_filters_are_those_of_the_heat(read):
    make_case(status=Status.RESOLVED)
    make_case(category=make_category("PRU-02"))
    path = address("heat", 12)

    def weight(**query: str) -> int:
        return sum(feature["properties"]["weight"] for feature in read(path, **query))

    assert weight() == 2
    assert weight(state="resolved") == weight(category="PRU-02") == 1
    assert weight(group="PRU", entity="OBRAS", place="90") == 2
    assert weight(place="9002") == weight(until="2020-01-01") == 0
    # A part of a month, whose cases are kept one by one.
    fold()
    ten_days_ago = (timezone.now() - timedelta(days=10)).isoformat()
    assert weight(since=ten_days_ago) == 2
    assert weight(since=ten_days_ago, state="resolved") == 1
    assert weight(until=ten_days_ago) == 0


def test_a_tile_of_few_cases_has_each_of_them(read):
    case = make_case()
    make_case(category=make_category("PRI-01", precision="none"))
    (found,) = read(address("cases", 14))
    told = {"number": case.number, "category": "PRU-01", "status": "received"}
    assert told.items() <= found["properties"].items()
    assert found["properties"]["open"] in (1, True)
    assert found["geometry"]["coordinates"] == pytest.approx(list(WEST), abs=0.0001)


def test_a_tile_of_many_cases_has_how_many_there_are(read):
    multiply(make_case(), 1_500)
    clusters = read(address("cases", 8))
    assert all("number" not in found["properties"] for found in clusters)
    assert sum(found["properties"]["count"] for found in clusters) == 1_501
    # And where one comes close enough, each of them again.
    near = read(address("cases", 14))
    assert all(found["properties"].get("number") for found in near)
    assert near


def test_neighbouring_tiles_share_no_case(read):
    multiply(make_case(), 900)
    numbers = [
        found["properties"]["number"]
        for x in range(1136, 1142)
        for y in range(1947, 1953)
        for found in read(f"/tiles/cases/12/{x}/{y}.mvt")
    ]
    assert len(numbers) == len(set(numbers)) == Case.objects.count()


@pytest.mark.parametrize(
    ("zoom", "level", "codes"),
    [(8, "district", {"9001", "9002"}), (12, "corregimiento", {"900101"})],
)
def test_a_tile_of_places_has_their_outlines(read, zoom, level, codes):
    found = read(address("places", zoom))
    assert {feature["properties"]["code"] for feature in found} >= codes
    assert {feature["properties"]["level"] for feature in found} == {level}
    assert found[0]["properties"]["name"].startswith("Oeste")


def test_a_tile_is_kept_until_the_map_changes(phone):
    for layer in ("heat", "cases", "places"):
        path = address(layer, 12)
        tag = phone.get(path)["ETag"]
        assert phone.get(path, headers={"If-None-Match": tag}).status_code == 304
        make_case()
        changed = phone.get(path, headers={"If-None-Match": tag}).status_code
        assert changed == (304 if layer == "places" else 200)
    make_territory()
    assert phone.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_an_empty_tile_has_no_byte(phone):
    answer = phone.get("/tiles/heat/12/0/0.mvt")
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    "path",
    ["heat/19/0/0", "heat/2/4/0", "heat/2/0/4", "nada/2/0/0", "cases/99999/0/0"],
)
def test_a_tile_that_is_none_is_not_found(phone, path):
    answer = phone.get(f"/tiles/{path}.mvt")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"


def test_wrong_filters_are_told(phone):
    answer = phone.get(address("heat", 12), {"state": "nada"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "?state"
