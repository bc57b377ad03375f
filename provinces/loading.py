"""Boundary files into a new generation: all of them, or nothing."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
import shapely
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon
from django.core.exceptions import ValidationError
from django.db import connection, models, transaction
from django.utils.translation import gettext as _
from shapely.geometry.base import BaseGeometry

from provinces.models import (
    Boundary,
    Corregimiento,
    District,
    Generation,
    Level,
    Province,
    Zone,
)

CODE_FIELDS = ["code", "codigo", "cod_corr", "cod_corre", "cod_dist", "cod_prov", "id"]
NAME_FIELDS = ["name", "nombre", "corregimie", "corregimiento", "distrito", "provincia"]
CODE_LENGTH = {Level.PROVINCE: 2, Level.DISTRICT: 4, Level.CORREGIMIENTO: 6}
PARENT = {Level.CORREGIMIENTO: Level.DISTRICT, Level.DISTRICT: Level.PROVINCE}
PLACES: dict[Level, type[models.Model]] = {
    Level.PROVINCE: Province,
    Level.DISTRICT: District,
    Level.CORREGIMIENTO: Corregimiento,
    Level.ZONE: Zone,
}
PARENT_FIELD = {
    Level.DISTRICT: "province_id",
    Level.CORREGIMIENTO: "district_id",
}
WITH_KIND = {Level.PROVINCE, Level.CORREGIMIENTO}
WITH_NOTE = {Level.PROVINCE, Level.DISTRICT}
# GDAL's own program: any format, any CRS; longitude first, heights left out.
TO_WGS84 = [
    *("ogr2ogr", "-f", "GeoJSONSeq", "-t_srs", "EPSG:4326", "-dim", "XY"),
    *("-lco", "COORDINATE_PRECISION=7"),
]
IN_A_ZIP = {".shp", ".gpkg", ".geojson", ".json"}
# Panama with its seas, in degrees: outside it the CRS of a file is not what it says.
PANAMA = shapely.box(-84.0, 5.5, -76.0, 11.0)
# An overlap or an outcrop smaller than this is the rounding of the last decimal.
NEGLIGIBLE_SQUARE_DEGREES = 1e-7

# How many codes a sentence names before it says "…".
MOST_NAMED = 10

Progress = Callable[[Iterable[Any], str], Iterable[Any]]
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


@dataclass
class Findings:
    """What is wrong with the files, in words: errors stop the load, warnings do not."""

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


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


def checked(
    features: list[Feature], known: dict[Key, str], progress: Progress
) -> tuple[list[Feature], Findings]:
    """The features with their rings mended, and what was found wrong.

    `known` are the names of the places that need not be in the files.
    """
    findings = Findings()
    check_codes(features, known, findings)
    mended = [mend(feature, findings) for feature in progress(features, _("Revisando"))]
    check_outlines(mended, findings)
    check_nesting(mended, findings)
    check_overlaps(mended, findings)
    return mended, findings


def check_codes(
    features: list[Feature], known: dict[Key, str], findings: Findings
) -> None:
    seen: set[Key] = set()
    keys = {feature.key for feature in features} | set(known)
    for feature in features:
        if not feature.code or not feature.name:
            findings.errors.append(
                _("un lugar sin código o sin nombre: «%(place)s»") % {"place": feature}
            )
            continue
        if feature.key in seen:
            findings.errors.append(
                _("el código %(place)s está dos veces") % {"place": feature}
            )
        seen.add(feature.key)
        check_code(feature, keys, known, findings)


def check_code(
    feature: Feature, keys: set[Key], known: dict[Key, str], findings: Findings
) -> None:
    length = CODE_LENGTH.get(feature.level)
    if length and len(feature.code) != length:
        findings.errors.append(
            _("%(place)s: el código de este nivel tiene %(length)s dígitos")
            % {"place": feature, "length": length}
        )
        return
    if feature.parent_key and feature.parent_key not in keys:
        findings.errors.append(
            _("%(place)s: no existe el lugar %(parent)s al que pertenece")
            % {"place": feature, "parent": feature.parent_code}
        )
    before = known.get(feature.key, feature.name)
    if before.casefold() != feature.name.casefold():
        findings.warnings.append(
            _("%(place)s se llamaba «%(before)s»")
            % {"place": feature, "before": before}
        )
    check_values(feature, findings)


def check_values(feature: Feature, findings: Findings) -> None:
    """What the database would refuse: too long a name, a kind that does not exist."""
    model = PLACES.get(feature.level)
    if model is None:
        return
    values = {"code": feature.code, **values_of(feature)}
    try:
        # The parent may come with the same files: `check_code` looks for it.
        model(**values).clean_fields(exclude={"province", "district"})
    except ValidationError as refusal:
        findings.errors += [
            f"{feature}: {name}: {' '.join(texts)}"
            for name, texts in refusal.message_dict.items()
        ]


def values_of(feature: Feature) -> dict[str, Any]:
    """The columns of a place's row. A kind that the file does not tell stays as it is;
    a note does not, because it speaks of the outline."""
    values = {"name": feature.name}
    kind = feature.properties.get("kind")
    if kind and feature.level in WITH_KIND:
        values["kind"] = str(kind)
    if feature.level in WITH_NOTE:
        values["note"] = str(feature.properties.get("note") or "")
    if feature.level in PARENT_FIELD:
        values[PARENT_FIELD[feature.level]] = feature.parent_code
    return values


def mend(feature: Feature, findings: Findings) -> Feature:
    outline = feature.outline
    if outline is None or outline.is_empty:
        findings.warnings.append(_("%(place)s no tiene contorno") % {"place": feature})
        return replace(feature, outline=None)
    if not outline.is_valid:
        findings.warnings.append(
            _("%(place)s: contorno inválido, reparado (%(reason)s)")
            % {"place": feature, "reason": shapely.is_valid_reason(outline)}
        )
        outline = shapely.make_valid(outline)
    polygons = [
        part
        for part in shapely.get_parts(shapely.get_parts(outline).tolist())
        if part.geom_type == "Polygon"
    ]
    if not polygons:
        findings.errors.append(
            _("%(place)s: el contorno no es un polígono") % {"place": feature}
        )
    merged = shapely.MultiPolygon(polygons)
    if polygons and not PANAMA.covers(merged) and feature.level != Level.ABROAD:
        findings.errors.append(
            _("%(place)s está fuera de Panamá: revise el sistema de coordenadas")
            % {"place": feature}
        )
    return replace(feature, outline=merged)


def check_outlines(features: list[Feature], findings: Findings) -> None:
    """A file of names only would leave its level without any outline."""
    drawn = {feature.level for feature in features if feature.outline is not None}
    for level in {feature.level for feature in features} - drawn:
        findings.errors.append(
            _("ningún lugar del nivel «%(level)s» tiene contorno")
            % {"level": level.label}
        )


def check_nesting(features: list[Feature], findings: Findings) -> None:
    outlines = {feature.key: feature.outline for feature in features}
    for feature in features:
        parent = outlines.get(feature.parent_key) if feature.parent_key else None
        if feature.outline is None or parent is None:
            continue
        outside = shapely.difference(feature.outline, parent).area
        if outside > max(NEGLIGIBLE_SQUARE_DEGREES, feature.outline.area / 1000):
            findings.warnings.append(
                _("%(place)s: el %(percent).1f %% queda fuera de %(parent)s")
                % {
                    "place": feature,
                    "percent": 100 * outside / feature.outline.area,
                    "parent": feature.parent_code,
                }
            )


def check_overlaps(features: list[Feature], findings: Findings) -> None:
    """Two districts, or two corregimientos, that claim the same ground."""
    for level in (Level.DISTRICT, Level.CORREGIMIENTO):
        drawn = [f for f in features if f.level == level and f.outline is not None]
        outlines = np.array([f.outline for f in drawn], dtype=object)
        pairs = shapely.STRtree(outlines).query(outlines, predicate="intersects")
        for one, other in pairs.T:
            if one >= other:
                continue
            shared = shapely.intersection(outlines[one], outlines[other]).area
            if shared > NEGLIGIBLE_SQUARE_DEGREES:
                findings.errors.append(
                    _("%(one)s y %(other)s se traslapan (%(km2).2f km²)")
                    % {
                        "one": drawn[one],
                        "other": drawn[other],
                        "km2": shared * 12_100,
                    }
                )


@transaction.atomic
def load_generation(
    features: list[Feature], source: str, progress: Progress
) -> Generation:
    """A new generation with these features, switched on.

    Levels that are not among the features are carried over from the active one.
    """
    one_load_at_a_time()
    before = Generation.objects.active().first()
    generation = Generation.objects.create(source=source)
    for feature in progress(features, _("Guardando")):
        save_place(feature)
        if feature.outline is not None:
            save_outline(feature, generation)
    if before:
        carry_over(before, generation, {feature.level for feature in features})
        Generation.objects.filter(pk=before.pk).update(is_active=False)
    generation.is_active = True
    generation.save(update_fields=["is_active"])
    return generation


def one_load_at_a_time() -> None:
    """Until the end of the transaction a second load waits; readers do not."""
    table = Generation._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f'LOCK TABLE "{table}" IN SHARE ROW EXCLUSIVE MODE')


def save_place(feature: Feature) -> None:
    model = PLACES.get(feature.level)
    if model:
        model._default_manager.update_or_create(
            code=feature.code, defaults=values_of(feature)
        )


def save_outline(feature: Feature, generation: Generation) -> None:
    outline = GEOSGeometry(memoryview(shapely.to_wkb(feature.outline)), srid=4326)
    assert isinstance(outline, MultiPolygon)  # noqa: S101 - `mend` has made it one
    Boundary.objects.create(
        generation=generation,
        level=feature.level,
        code=feature.code,
        outline=outline,
        approximate=bool(feature.properties.get("approximate")),
    )


def carry_over(before: Generation, generation: Generation, levels: set[Level]) -> None:
    kept = Boundary.objects.filter(generation=before).exclude(level__in=levels)
    for boundary in kept:
        boundary.pk = None
        boundary.generation = generation
        boundary.save()


def known_names() -> dict[Key, str]:
    """The name of every place already loaded."""
    return {
        (level, code): name
        for level, model in PLACES.items()
        for code, name in model._default_manager.values_list("code", "name")
    }


def gone(features: list[Feature]) -> list[str]:
    """Places that have an outline now and would have none, a sentence per level."""
    given = {feature.key for feature in features if feature.outline is not None}
    drawn = Boundary.objects.filter(generation__is_active=True).order_by("code")
    sentences = []
    for level in sorted({feature.level for feature in features}):
        codes = drawn.filter(level=level).values_list("code", flat=True)
        missing = [code for code in codes if (level, code) not in given]
        if missing:
            sentences.append(
                _("%(count)s lugares del nivel «%(level)s» se quedan sin contorno: ")
                % {"count": len(missing), "level": level.label}
                + ", ".join(missing[:MOST_NAMED])
                + ("…" if len(missing) > MOST_NAMED else "")
            )
    return sentences
