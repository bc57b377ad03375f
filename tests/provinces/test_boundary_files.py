"""Boundary files, read by GDAL whatever their format and their coordinates are."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import shapely
from django.conf import settings

from provinces.boundary_files import Feature, UnreadableFile, as_wgs84, read_features
from provinces.models import Level
from tests.factories import OUTLINES
from tests.provinces.checking import check

SHIPPED = Path(settings.BASE_DIR) / "fixtures" / "boundaries"
WEST, EAST = OUTLINES["9001"], OUTLINES["9002"]


def geojson(path: Path, *rows: tuple[dict[str, Any], Any], **members: Any) -> Path:
    """A file of features: properties, and an outline of shapely's or GeoJSON's."""
    features = [
        {
            "type": "Feature",
            "properties": properties,
            "geometry": json.loads(shapely.to_geojson(outline))
            if isinstance(outline, shapely.Geometry)
            else outline,
        }
        for properties, outline in rows
    ]
    collection = {"type": "FeatureCollection", "features": features, **members}
    path.write_text(json.dumps(collection, ensure_ascii=False), encoding="utf-8")
    return path


def convert(source: Path, target: Path, *options: str) -> Path:
    """With GDAL: the format by the target's name."""
    subprocess.run(["ogr2ogr", str(target), str(source), *options], check=True)
    return target


def squares(folder: Path) -> Path:
    return geojson(
        folder / "squares.geojson",
        ({"code": "9001", "name": "Oeste"}, WEST),
        ({"code": "9002", "name": "Ñürüm"}, EAST),
    )


def zipped(folder: Path, target: Path, inside: str = "") -> Path:
    with ZipFile(target, "w") as archive:
        for part in sorted(folder.iterdir()):
            archive.write(part, inside + part.name)
    return target


def shapefile(source: Path, folder: Path, *options: str) -> Path:
    folder.mkdir()
    convert(source, folder / "limites.shp", "-lco", "ENCODING=UTF-8", *options)
    return folder


def assert_are_the_squares(features: list[Feature]) -> None:
    assert [(f.level, f.code, f.name) for f in features] == [
        (Level.DISTRICT, "9001", "Oeste"),
        (Level.DISTRICT, "9002", "Ñürüm"),
    ]
    for feature, outline in zip(features, (WEST, EAST), strict=True):
        assert feature.outline is not None
        # A reprojected square has seven decimals and bent sides: a metre is enough.
        assert shapely.hausdorff_distance(feature.outline, outline) < 1e-5


def test_a_geojson_file_is_read(tmp_path):
    assert_are_the_squares(read_features(squares(tmp_path), Level.DISTRICT))


def test_a_geopackage_in_utm_is_read(tmp_path):
    path = convert(squares(tmp_path), tmp_path / "limites.gpkg", "-t_srs", "EPSG:32617")
    assert_are_the_squares(read_features(path, Level.DISTRICT))


@pytest.mark.parametrize("inside", ["", "Distritos 2025/", "a/b/"])
@pytest.mark.parametrize("name", ["limites.zip", "LIMITES.ZIP"])
def test_a_zipped_shapefile_in_utm_is_read_in_whatever_folder_of_the_zip(
    tmp_path, name, inside
):
    folder = shapefile(
        squares(tmp_path), tmp_path / "shapefile", "-t_srs", "EPSG:32617"
    )
    path = zipped(folder, tmp_path / name, inside)
    assert_are_the_squares(read_features(path, Level.DISTRICT))


def test_what_a_mac_adds_to_a_zip_is_no_second_file(tmp_path):
    folder = shapefile(squares(tmp_path), tmp_path / "shapefile")
    path = zipped(folder, tmp_path / "limites.zip")
    with ZipFile(path, "a") as archive:
        archive.writestr("__MACOSX/._limites.shp", b"\x00\x05\x16\x07")
    assert_are_the_squares(read_features(path, Level.DISTRICT))


def test_the_shipped_districts_come_back_from_a_shapefile_in_utm(tmp_path):
    source = SHIPPED / "districts.geojson"
    folder = shapefile(
        source, tmp_path / "shapefile", "-t_srs", "EPSG:32617", "-select", "code,name"
    )
    before = read_features(source, Level.DISTRICT)
    after = read_features(zipped(folder, tmp_path / "d.zip"), Level.DISTRICT)
    assert [(f.code, f.name) for f in after] == [(f.code, f.name) for f in before]
    assert len(after) == 82
    for one, other in zip(before, after, strict=True):
        assert shapely.symmetric_difference(one.outline, other.outline).area < 1e-6
    assert not any("traslapan" in error for error in check(*after)[1].errors)


@pytest.mark.parametrize(
    ("code", "name"),
    [("COD_DIST", "Distrito"), ("Codigo", "NOMBRE"), ("ID", "name")],
)
def test_usual_names_of_fields_are_known_in_any_case(tmp_path, code, name):
    path = geojson(tmp_path / "d.json", ({"area": 1, code: "9001", name: "A"}, WEST))
    (feature,) = read_features(path, Level.DISTRICT)
    assert (feature.code, feature.name) == ("9001", "A")


def test_other_names_of_fields_can_be_given(tmp_path):
    path = geojson(
        tmp_path / "d.json", ({"clave": 9001, "code": 7, "rotulo": "A"}, WEST)
    )
    (feature,) = read_features(path, Level.DISTRICT, "CLAVE", "rotulo")
    assert (feature.code, feature.name) == ("9001", "A")


@pytest.mark.parametrize("field", ["", "no_existe"])
def test_a_file_without_the_fields_says_which_it_has(tmp_path, field):
    path = geojson(tmp_path / "d.json", ({"fid": 1, "area": 2}, WEST))
    with pytest.raises(UnreadableFile, match=r"tiene fid, area: .*--code-field"):
        read_features(path, Level.DISTRICT, field, field)


def test_a_name_keeps_its_unusual_characters(tmp_path):
    name = "Boca\u2028del\u0085Drago\u000b"
    path = geojson(tmp_path / "d.json", ({"code": "9001", "name": name}, WEST))
    (feature,) = read_features(path, Level.DISTRICT)
    assert feature.name == name.strip()


def test_a_feature_that_lacks_a_field_is_an_error_in_words(tmp_path):
    path = geojson(
        tmp_path / "d.json",
        ({"code": "9001", "name": "Oeste"}, WEST),
        ({"code": "9002"}, EAST),
        ({"name": "Este"}, None),
    )
    _, findings = check(*read_features(path, Level.DISTRICT))
    assert findings.errors == [
        "un lugar sin código o sin nombre: «9002»",
        "un lugar sin código o sin nombre: «Este»",
    ]


def test_heights_are_left_out(tmp_path):
    high = shapely.force_3d(WEST, 12.5)
    path = geojson(tmp_path / "d.json", ({"code": "9001", "name": "Oeste"}, high))
    (feature,) = read_features(path, Level.DISTRICT)
    assert feature.outline is not None
    assert not feature.outline.has_z


def test_a_curve_becomes_a_line_of_many_points(tmp_path):
    table = tmp_path / "curva.csv"
    table.write_text(
        "code,name,WKT\n9001,Curva,"
        '"CURVEPOLYGON(CIRCULARSTRING(-80 8.5,-79.9 8.6,-80 8.5))"\n'
    )
    path = convert(
        table,
        tmp_path / "curva.gpkg",
        *("-oo", "GEOM_POSSIBLE_NAMES=WKT", "-a_srs", "EPSG:4326"),
    )
    (feature,) = read_features(path, Level.DISTRICT)
    circle = shapely.Point(-79.95, 8.55).buffer(0.0707, 64)
    assert feature.outline is not None
    assert shapely.hausdorff_distance(feature.outline, circle) < 0.001


def test_a_file_that_is_not_there_says_so(tmp_path):
    with pytest.raises(UnreadableFile, match=r"no existe el archivo .*d\.geojson"):
        read_features(tmp_path / "d.geojson", Level.DISTRICT)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("d.geojson", b""),
        ("d.geojson", b'{"type": "FeatureCollection", "features": ['),
        ("d.gpkg", b"SQLite format 3\x00"),
        ("d.txt", b"No es un mapa"),
        ("d.shp", b"\x00\x00\x27\x0a"),
    ],
)
def test_a_file_that_is_no_boundary_file_says_so(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=rf"{name} no ") as refusal:
        read_features(path, Level.DISTRICT)
    assert "->" not in str(refusal.value)
    assert len(str(refusal.value)) < 500


def test_a_file_without_features_says_so(tmp_path):
    with pytest.raises(UnreadableFile, match="no tiene ningún lugar"):
        read_features(geojson(tmp_path / "d.json"), Level.DISTRICT)


def test_a_zip_that_is_none_says_so(tmp_path):
    path = tmp_path / "d.zip"
    path.write_text("esto no es un zip")
    with pytest.raises(UnreadableFile, match="no es un zip"):
        read_features(path, Level.DISTRICT)


def test_a_zip_without_a_boundary_file_or_with_two_says_so(tmp_path):
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "leeme.txt").write_text("nada")
    with pytest.raises(UnreadableFile, match=r"un solo archivo de límites; tiene 0"):
        read_features(zipped(texts, tmp_path / "t.zip"), Level.DISTRICT)
    (texts / "a.geojson").write_text("{}")
    (texts / "b.gpkg").write_text("")
    with pytest.raises(UnreadableFile, match="tiene 2"):
        read_features(zipped(texts, tmp_path / "t.zip"), Level.DISTRICT)


def test_a_shapefile_without_its_coordinate_system_says_so(tmp_path):
    folder = shapefile(squares(tmp_path), tmp_path / "shapefile")
    (folder / "limites.prj").unlink()
    with pytest.raises(UnreadableFile, match=r"sistema de coordenadas .*\.prj"):
        read_features(folder / "limites.shp", Level.DISTRICT)


def test_without_gdal_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnreadableFile, match="gdal-bin"):
        as_wgs84(squares(tmp_path))
