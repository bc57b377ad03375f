"""GDAL and OWSLib read /ogc/ from a real server, as an analyst would."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.contrib.gis.gdal import DataSource
from django.contrib.gis.geos import Point
from owslib.ogcapi.features import Features

from tests.servers import Server

pytestmark = pytest.mark.django_db

COUNT = 1201
MANY = f"""
from backend.cases.models import Case
from tests.factories import make_case, make_category
from tests.geo.many import multiply
category = make_category()
multiply(
    make_case(at=(-79.52, 8.99), category=category), {COUNT - 1},
    status="(array['received', 'resolved', 'rejected'])[1 + n % 3]",
    filed_at="timestamptz '2026-01-01 05:00Z' + n * interval '6 hours'",
    updated_at="timestamptz '2026-12-31 05:00Z'",
)
hidden = make_category('PRU-09', precision='none', private=True)
make_case(at=(-79.52, 8.99), category=hidden)
"""
PUBLIC = """
SELECT number, ST_X(public_location), ST_Y(public_location), status
FROM cases_case WHERE is_public AND public_location IS NOT NULL
"""
UTM = "http://www.opengis.net/def/crs/EPSG/0/32617"


@pytest.fixture(scope="module")
def crowded(server: Server) -> Server:
    server.manage("shell", "-c", MANY)
    return server


def ogr2ogr(*arguments: str) -> str:
    """What GDAL asked for on its way."""
    done = subprocess.run(
        ["ogr2ogr", "--debug", "HTTP", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stderr
    assert "Warning" not in done.stderr
    return done.stderr


def read(server: Server, file: Path, collection: str, *more: str) -> str:
    """A collection whole, into a GeoPackage."""
    source = f"OAPIF:{server.url}/ogc/"
    pages = ("-oo", "PAGE_SIZE=250")
    return ogr2ogr("-f", "GPKG", str(file), source, collection, *pages, *more)


def counted(server: Server, condition: str) -> int:
    return len(server.rows(f"{PUBLIC} AND {condition}"))


def points(file: Path) -> dict[str, tuple[float, ...]]:
    """Where each feature of a layer is, by its number."""
    found = {}
    for feature in DataSource(file)[0]:
        point = feature.geom.geos
        assert isinstance(point, Point)
        found[feature.get("number")] = point.coords
    return found


def test_gdal_reads_all_cases_as_they_are_in_the_database(
    crowded: Server, tmp_path: Path
) -> None:
    asked = read(crowded, tmp_path / "casos.gpkg", "cases")
    assert asked.count("after=") == COUNT // 250
    layer = DataSource(tmp_path / "casos.gpkg")[0]
    assert layer.srs.srid == 4326
    stored = crowded.rows(PUBLIC)
    assert len(stored) == COUNT
    statuses = {feature.get("number"): feature.get("status") for feature in layer}
    assert statuses == {number: status for number, _, _, status in stored}
    found = points(tmp_path / "casos.gpkg")
    for number, longitude, latitude, _ in stored:
        assert found[number] == pytest.approx((longitude, latitude), abs=5e-7)


def test_gdal_has_the_server_filter(crowded: Server, tmp_path: Path) -> None:
    box = ("-spat", "-79.9", "8.5", "-79.85", "8.56")
    where = "status = 'resolved' AND filed_at >= '2026/06/01 00:00:00+00'"
    asked = read(crowded, tmp_path / "a.gpkg", "cases", *box, "-where", where)
    assert "status=resolved" in asked
    assert "&bbox=-79.9" in asked
    expected = counted(
        crowded,
        "status = 'resolved' AND filed_at >= '2026-06-01 00:00Z' AND ST_Intersects("
        "public_location, ST_MakeEnvelope(-79.9, 8.5, -79.85, 8.56, 4326))",
    )
    assert 0 < expected < COUNT / 3
    assert len(DataSource(tmp_path / "a.gpkg")[0]) == expected
    asked = read(
        crowded, tmp_path / "b.gpkg", "cases", "-where", where.partition(" AND ")[2]
    )
    assert "datetime=2026-06-01T00:00:00Z%2F.." in asked
    since = counted(crowded, "filed_at >= '2026-06-01 00:00Z'")
    assert len(DataSource(tmp_path / "b.gpkg")[0]) == since


@pytest.mark.parametrize(
    ("condition", "is_open"), [("open=1", True), ("open=0", False)]
)
def test_gdal_asks_for_yes_or_no_in_its_own_way(
    crowded: Server, condition: str, is_open: bool
) -> None:
    source = f"OAPIF:{crowded.url}/ogc/"
    done = subprocess.run(
        ["ogrinfo", "--debug", "HTTP", "-so", "-where", condition, source, "cases"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"&{condition}" in done.stderr
    assert "ERROR" not in done.stderr
    stored = counted(crowded, f"(status = 'received') = {is_open}")
    assert stored > 0
    assert f"Feature Count: {stored}" in done.stdout


@pytest.mark.parametrize(
    ("collection", "count"), [("provinces", 13), ("districts", 82)]
)
def test_gdal_reads_the_places_with_their_outlines(
    crowded: Server, tmp_path: Path, collection: str, count: int
) -> None:
    read(crowded, tmp_path / "a.gpkg", collection)
    layer = DataSource(tmp_path / "a.gpkg")[0]
    stored = dict(
        crowded.rows(
            "SELECT code, ST_Area(outline) FROM provinces_boundary JOIN "
            "provinces_generation AS g ON g.id = generation_id WHERE g.is_active "
            "AND level = %s",
            collection.removesuffix("s"),
        )
    )
    assert len(layer) == len(stored) == count
    for feature in layer:
        area = stored[feature.get("code")]
        assert feature.geom.area == pytest.approx(area, rel=1e-6)


def test_what_the_server_projects_is_what_gdal_projects(
    crowded: Server, tmp_path: Path
) -> None:
    items = f"{crowded.url}/ogc/collections/cases/items?limit=500"
    ogr2ogr("-f", "GPKG", str(tmp_path / "us.gpkg"), f"{items}&crs={UTM}", "-a_srs", "EPSG:32617")  # fmt: skip
    ogr2ogr("-f", "GPKG", str(tmp_path / "they.gpkg"), items, "-t_srs", "EPSG:32617")
    us, they = points(tmp_path / "us.gpkg"), points(tmp_path / "they.gpkg")
    assert us.keys() == they.keys()
    assert len(us) == 500
    for number, point in us.items():
        # Six decimals of a degree are 11 cm.
        assert point == pytest.approx(they[number], abs=0.12)


def test_owslib_reads_all_cases(crowded: Server) -> None:
    service = Features(f"{crowded.url}/ogc/")
    assert service.feature_collections() == [
        *("cases", "provinces", "districts", "corregimientos"),
    ]
    assert any(uri.endswith("conf/core") for uri in service.conformance()["conformsTo"])
    assert service.api()["openapi"].startswith("3.0.")
    assert service.collection("cases")["extent"]["spatial"]["bbox"]
    seen: list[str] = []
    page: dict[str, Any] = {"limit": 500}
    while page:
        answer = service.collection_items("cases", **page)
        seen += [feature["id"] for feature in answer["features"]]
        more = any(link["rel"] == "next" for link in answer["links"])
        page = {"limit": 500, "after": seen[-1]} if more else {}
    assert len(seen) == len(set(seen)) == COUNT
    resolved = service.collection_items("cases", limit=10_000, status="resolved")
    assert resolved["numberMatched"] == counted(crowded, "status = 'resolved'")
    one = service.collection_item("cases", seen[0])
    assert one["properties"]["number"] == seen[0]
