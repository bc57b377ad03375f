"""An analyst takes the public cases into a GIS: GDAL reads them over HTTP."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import orjson
import pytest
from django.contrib.gis.gdal import DataSource
from django.contrib.gis.geos import GEOSGeometry, Point

from tests.servers import Server

pytestmark = pytest.mark.django_db

GRID_DEGREES = 0.0009
# Six decimals are published.
ROUNDING = 5e-7


class Town(NamedTuple):
    longitude: float
    latitude: float
    district: str
    province: str


TOWNS = [
    Town(-79.5200, 8.9900, "Panamá", "Panamá"),
    Town(-82.4334, 8.4271, "David", "Chiriquí"),
    Town(-80.3567, 8.5189, "Penonomé", "Coclé"),
    Town(-80.4290, 7.9620, "Chitré", "Herrera"),
    Town(-79.9000, 9.3500, "Colón", "Colón"),
]
# Code, name, and whether the public sees the point, its square, or nothing.
CATEGORIES = [
    ("VIA-02", "Hueco en calle de barrio", "exact"),
    ("ELE-01", "Luminaria pública apagada", "exact"),
    ("AGU-02", "Sin agua o baja presión", "grid"),
    ("MUN-02", "Lote baldío", "grid"),
    ("SEG-01", "Solicitud de vigilancia", "private"),
]
ROUNDS = 2


class Reported(NamedTuple):
    """What was reported, and the number it got."""

    number: str
    town: Town
    longitude: float
    latitude: float
    category: str
    precision: str


def test_ogr2ogr_reads_the_public_cases_with_their_names_and_points(
    server: Server, tmp_path: Path
) -> None:
    reported = {case.number: case for case in report_fifty(server)}
    public = {
        number: case for number, case in reported.items() if case.precision != "private"
    }
    assert (len(reported), len(public)) == (50, 40)

    layer = DataSource(geopackage(server, tmp_path / "casos.gpkg"))[0]

    assert layer.srs.srid == 4326
    features = {feature.get("number"): feature for feature in layer}
    assert features.keys() == public.keys()
    for number, case in public.items():
        feature = features[number]
        assert feature.get("category_name") == case.category
        assert feature.get("district") == case.town.district
        assert feature.get("province") == case.town.province
        assert feature.get("status") == "received"
        expect_point(feature.geom.geos, case)


def report_fifty(server: Server) -> list[Reported]:
    """In each town one of each category, twice, each at a place of its own."""
    cases = []
    for n in range(ROUNDS):
        for town in TOWNS:
            for m, (code, name, precision) in enumerate(CATEGORIES):
                longitude = round(town.longitude + 0.00131 * n, 6)
                latitude = round(town.latitude + 0.00117 * m, 6)
                number = report(server, code, longitude, latitude)
                cases.append(
                    Reported(number, town, longitude, latitude, name, precision)
                )
    return cases


def report(server: Server, category: str, longitude: float, latitude: float) -> str:
    said = {
        "id": str(uuid4()),
        "category": category,
        "location": {"type": "Point", "coordinates": [longitude, latitude]},
    }
    answer = server.send("/api/v1/reports/", orjson.dumps(said), "application/json")
    assert answer.status == 201
    return str(answer.json()["number"])


def geopackage(server: Server, path: Path) -> Path:
    command = ["ogr2ogr", "-f", "GPKG", str(path), f"{server.url}/data/cases.geojson"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return path


def expect_point(geometry: GEOSGeometry, case: Reported) -> None:
    assert isinstance(geometry, Point)
    point = geometry.coords
    sent = (case.longitude, case.latitude)
    if case.precision == "exact":
        assert point == pytest.approx(sent, abs=ROUNDING)
    else:
        # The middle of the square of the grid that the place is in, and not the place.
        cells = [degrees / GRID_DEGREES - 0.5 for degrees in point]
        assert cells == pytest.approx([round(cell) for cell in cells], abs=0.001)
        assert point == pytest.approx(sent, abs=GRID_DEGREES / 2 + ROUNDING)
        assert point != pytest.approx(sent, abs=ROUNDING)
