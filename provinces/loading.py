"""Boundary files into a new generation: all of them, or nothing."""

from __future__ import annotations

import shapely
from django.contrib.gis.geos import GEOSGeometry, MultiPolygon
from django.db import connection, transaction
from django.utils.translation import gettext as _

from provinces.boundary_checks import (
    MOST_NAMED,
    PLACES,
    Progress,
    values_of,
)
from provinces.boundary_files import Feature, Key
from provinces.models import (
    Boundary,
    Generation,
    Level,
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
