"""What is wrong with boundary files, in words; and their rings mended."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import shapely
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from provinces.boundary_files import Feature, Key
from provinces.models import (
    Corregimiento,
    District,
    Level,
    Province,
    Zone,
)

CODE_LENGTH = {Level.PROVINCE: 2, Level.DISTRICT: 4, Level.CORREGIMIENTO: 6}
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
# Panama with its seas, in degrees: outside it the CRS of a file is not what it says.
PANAMA = shapely.box(-84.0, 5.5, -76.0, 11.0)
# An overlap or an outcrop smaller than this is the rounding of the last decimal.
NEGLIGIBLE_SQUARE_DEGREES = 1e-7
# How many codes a sentence names before it says "…".
MOST_NAMED = 10

Progress = Callable[[Iterable[Any], str], Iterable[Any]]


@dataclass
class Findings:
    """What is wrong with the files, in words: errors stop the load, warnings do not."""

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


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
    # The heat has seven bits for each character.
    if length and not (feature.code.isascii() and feature.code.isalnum()):
        findings.errors.append(
            _("%(place)s: un código tiene solo cifras y letras de la A a la Z")
            % {"place": feature}
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
