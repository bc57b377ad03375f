"""Boundary files into a new generation: all of them, or nothing."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import shapely
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon
from django.db import transaction
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
TO_WGS84 = [
    *("ogr2ogr", "-f", "GeoJSONSeq", "-t_srs", "EPSG:4326"),
    *("-lco", "COORDINATE_PRECISION=7"),
]
# Panama with its seas, in degrees: outside it the CRS of a file is not what it says.
PANAMA = shapely.box(-84.0, 5.5, -76.0, 11.0)
# An overlap or an outcrop smaller than this is the rounding of the last decimal.
NEGLIGIBLE_SQUARE_DEGREES = 1e-7

Progress = Callable[[Iterable[Any], str], Iterable[Any]]


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
    code = code_field or pick(fields, CODE_FIELDS, path)
    name = name_field or pick(fields, NAME_FIELDS, path)
    return [to_feature(row, level, code, name) for row in features]


def as_wgs84(path: Path) -> Iterator[str]:
    if not path.exists():
        raise UnreadableFile(_("no existe el archivo %(file)s") % {"file": path})
    source = f"/vsizip/{path}" if path.suffix == ".zip" else str(path)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "features.geojsonl"
        # GDAL's own program: any format, any CRS, longitude first.
        done = subprocess.run(  # noqa: S603 - the operator's file, no shell
            [*TO_WGS84, str(target), source],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0 or not target.exists():
            reason = done.stderr.strip().splitlines()
            raise UnreadableFile(
                _("GDAL no puede leer %(file)s: %(reason)s")
                % {"file": path, "reason": reason[0] if reason else "?"}
            )
        yield from target.read_text(encoding="utf-8").splitlines()


def pick(fields: list[str], wanted: list[str], path: Path) -> str:
    by_lower = {name.lower(): name for name in fields}
    for name in wanted:
        if name in by_lower:
            return by_lower[name]
    raise UnreadableFile(
        _(
            "%(file)s no tiene un campo con el código y otro con el nombre; "
            "tiene %(fields)s: indíquelos con --code-field y --name-field"
        )
        % {"file": path, "fields": ", ".join(fields)}
    )


def to_feature(row: dict[str, Any], level: Level, code: str, name: str) -> Feature:
    geometry = row["geometry"]
    outline = shapely.from_geojson(json.dumps(geometry)) if geometry else None
    properties = row["properties"]
    return Feature(
        level=level,
        code=str(properties[code] or "").strip(),
        name=str(properties[name] or "").strip(),
        outline=outline,
        properties=properties,
    )


def checked(
    features: list[Feature], known: dict[str, str], progress: Progress
) -> tuple[list[Feature], Findings]:
    """The features with their rings mended, and what was found wrong.

    `known` are the codes and names of places that need not be in the files.
    """
    findings = Findings()
    check_codes(features, known, findings)
    mended = [mend(feature, findings) for feature in progress(features, _("Revisando"))]
    check_nesting(mended, findings)
    check_overlaps(mended, findings)
    return mended, findings


def check_codes(
    features: list[Feature], known: dict[str, str], findings: Findings
) -> None:
    seen: set[tuple[str, str]] = set()
    codes = {feature.code for feature in features} | set(known)
    for feature in features:
        if not feature.code or not feature.name:
            findings.errors.append(
                _("un lugar sin código o sin nombre: «%(place)s»") % {"place": feature}
            )
        if (feature.level, feature.code) in seen:
            findings.errors.append(
                _("el código %(place)s está dos veces") % {"place": feature}
            )
        seen.add((feature.level, feature.code))
        check_code(feature, codes, known, findings)


def check_code(
    feature: Feature, codes: set[str], known: dict[str, str], findings: Findings
) -> None:
    length = CODE_LENGTH.get(feature.level)
    if length and len(feature.code) != length:
        findings.errors.append(
            _("%(place)s: el código de este nivel tiene %(length)s dígitos")
            % {"place": feature, "length": length}
        )
    if feature.level in PARENT and parent_code(feature) not in codes:
        findings.errors.append(
            _("%(place)s: no existe el lugar %(parent)s al que pertenece")
            % {"place": feature, "parent": parent_code(feature)}
        )
    before = known.get(feature.code, feature.name)
    if before.casefold() != feature.name.casefold():
        findings.warnings.append(
            _("%(place)s se llamaba «%(before)s»")
            % {"place": feature, "before": before}
        )


def parent_code(feature: Feature) -> str:
    return feature.code[:-2]


def mend(feature: Feature, findings: Findings) -> Feature:
    outline = feature.outline
    if outline is None or outline.is_empty:
        findings.warnings.append(_("%(place)s no tiene contorno") % {"place": feature})
        return Feature(
            feature.level, feature.code, feature.name, None, feature.properties
        )
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
    return Feature(
        feature.level, feature.code, feature.name, merged, feature.properties
    )


def check_nesting(features: list[Feature], findings: Findings) -> None:
    outlines = {feature.code: feature.outline for feature in features}
    for feature in features:
        if feature.level not in PARENT or feature.outline is None:
            continue
        parent = outlines.get(parent_code(feature))
        if parent is None:
            continue
        outside = shapely.difference(feature.outline, parent).area
        if outside > max(NEGLIGIBLE_SQUARE_DEGREES, feature.outline.area / 1000):
            findings.warnings.append(
                _("%(place)s: el %(percent).1f %% queda fuera de %(parent)s")
                % {
                    "place": feature,
                    "percent": 100 * outside / feature.outline.area,
                    "parent": parent_code(feature),
                }
            )


def check_overlaps(features: list[Feature], findings: Findings) -> None:
    """Two districts, or two corregimientos, that claim the same ground."""
    for level in (Level.DISTRICT, Level.CORREGIMIENTO):
        drawn = [f for f in features if f.level == level and f.outline is not None]
        outlines = [f.outline for f in drawn]
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
    before = Generation.objects.select_for_update().active().first()
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


def save_place(feature: Feature) -> None:
    kind = feature.properties.get("kind")
    note = feature.properties.get("note") or ""
    match feature.level:
        case Level.PROVINCE:
            defaults = {"name": feature.name, "note": note}
            if kind:
                defaults["kind"] = kind
            Province.objects.update_or_create(code=feature.code, defaults=defaults)
        case Level.DISTRICT:
            parent = {"province_id": parent_code(feature)}
            District.objects.update_or_create(
                code=feature.code,
                defaults={"name": feature.name, "note": note, **parent},
            )
        case Level.CORREGIMIENTO:
            parent = {"district_id": parent_code(feature)}
            defaults = {"name": feature.name, **parent}
            if kind:
                defaults["kind"] = kind
            Corregimiento.objects.update_or_create(code=feature.code, defaults=defaults)
        case Level.ZONE:
            Zone.objects.update_or_create(
                code=feature.code, defaults={"name": feature.name}
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


def known_names() -> dict[str, str]:
    """The code and name of every place already loaded."""
    return {
        **dict(Province.objects.values_list("code", "name")),
        **dict(District.objects.values_list("code", "name")),
        **dict(Corregimiento.objects.values_list("code", "name")),
    }
