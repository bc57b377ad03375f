"""Boundary files, read by GDAL whatever their format and their coordinates are."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import shapely
from django.utils.translation import gettext as _
from shapely.geometry.base import BaseGeometry

from provinces.models import (
    Level,
)

CODE_FIELDS = ["code", "codigo", "cod_corr", "cod_corre", "cod_dist", "cod_prov", "id"]
NAME_FIELDS = ["name", "nombre", "corregimie", "corregimiento", "distrito", "provincia"]
PARENT = {Level.CORREGIMIENTO: Level.DISTRICT, Level.DISTRICT: Level.PROVINCE}
# GDAL's own program: any format, any CRS; longitude first, heights left out.
TO_WGS84 = [
    *("ogr2ogr", "-f", "GeoJSONSeq", "-t_srs", "EPSG:4326", "-dim", "XY"),
    *("-lco", "COORDINATE_PRECISION=7"),
]
IN_A_ZIP = {".shp", ".gpkg", ".geojson", ".json"}

# A code says which place only together with its level.
Key = tuple[str, str]


class UnreadableFile(Exception):
    """GDAL cannot read the file, or it lacks what a boundary needs."""


@dataclass(frozen=True)
class Feature:
    level: Level
    code: str
    name: str
    outline: BaseGeometry | None
    properties: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.code} {self.name}".strip()

    @property
    def key(self) -> Key:
        return self.level, self.code

    @property
    def parent_code(self) -> str:
        return self.code[:-2]

    @property
    def parent_key(self) -> Key | None:
        parent = PARENT.get(self.level)
        return (parent, self.parent_code) if parent else None


def read_features(
    path: Path, level: Level, code_field: str = "", name_field: str = ""
) -> list[Feature]:
    """The features of a GeoJSON, Shapefile (zipped too) or GeoPackage in any CRS.

    Outlines come back in WGS 84, longitude first. Raises UnreadableFile.
    """
    features = [json.loads(line) for line in as_wgs84(path)]
    if not features:
        raise UnreadableFile(_("%(file)s no tiene ningún lugar") % {"file": path})
    fields = list(features[0]["properties"])
    code = pick(fields, [code_field] if code_field else CODE_FIELDS, path)
    name = pick(fields, [name_field] if name_field else NAME_FIELDS, path)
    return [to_feature(row, level, code, name) for row in features]


def as_wgs84(path: Path) -> list[str]:
    """A line of GeoJSON for each feature. Raises UnreadableFile."""
    if not path.exists():
        raise UnreadableFile(_("no existe el archivo %(file)s") % {"file": path})
    source = inside_zip(path) if path.suffix.lower() == ".zip" else str(path)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "features.geojsonl"
        try:
            done = subprocess.run(  # noqa: S603 - the operator's file, no shell
                [*TO_WGS84, str(target), source],
                capture_output=True,
                text=True,
                check=False,
            )
        except FileNotFoundError as missing:
            raise UnreadableFile(
                _("falta el programa ogr2ogr: instale el paquete gdal-bin")
            ) from missing
        if done.returncode != 0 or not target.exists():
            raise UnreadableFile(
                _("%(file)s no se puede leer: %(reason)s")
                % {"file": path, "reason": reason_of(done.stderr)}
            )
        # Not `splitlines`, which also ends a line at some characters of a name.
        lines = target.read_text(encoding="utf-8").split("\n")
    return [line for line in lines if line]


def inside_zip(path: Path) -> str:
    """How GDAL names the one boundary file of a zip, in whatever folder of it."""
    try:
        with ZipFile(path) as archive:
            inside = archive.namelist()
    except BadZipFile as broken:
        raise UnreadableFile(_("%(file)s no es un zip") % {"file": path}) from broken
    found = [
        name
        for name in inside
        if Path(name).suffix.lower() in IN_A_ZIP and not name.startswith("__MACOSX/")
    ]
    if len(found) != 1:
        raise UnreadableFile(
            _("%(file)s debe tener un solo archivo de límites; tiene %(count)s")
            % {"file": path, "count": len(found)}
        )
    return f"/vsizip/{path}/{found[0]}"


def reason_of(complaint: str) -> str:
    # After the sentence come all the formats that GDAL knows, an arrow before each.
    lines = [line for line in complaint.splitlines() if not line.startswith("  ->")]
    sentence = " ".join(" ".join(lines).split())
    if "no coordinate system" in sentence:
        return _("no dice su sistema de coordenadas (a un Shapefile, su .prj)")
    if "Unable to open datasource" in sentence:
        return _("no es un formato de límites que GDAL conozca")
    return sentence or "?"


def pick(fields: list[str], wanted: list[str], path: Path) -> str:
    by_lower = {name.lower(): name for name in fields}
    for name in wanted:
        if name.lower() in by_lower:
            return by_lower[name.lower()]
    raise UnreadableFile(
        _(
            "%(file)s no tiene ningún campo llamado %(wanted)s; tiene %(fields)s: "
            "indíquelo con --code-field o --name-field"
        )
        % {
            "file": path,
            "wanted": _(" ni ").join(wanted),
            "fields": ", ".join(fields),
        }
    )


def to_feature(row: dict[str, Any], level: Level, code: str, name: str) -> Feature:
    geometry = row["geometry"]
    outline = shapely.from_geojson(json.dumps(geometry)) if geometry else None
    properties = row["properties"]
    return Feature(
        level=level,
        code=str(properties.get(code) or "").strip(),
        name=str(properties.get(name) or "").strip(),
        outline=outline,
        properties=properties,
    )
