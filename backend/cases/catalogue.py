"""The catalogue's files, checked and loaded: all of them, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext as _

from backend.cases.consent import load_consent_texts
from backend.cases.models import Case, Category, Group
from backend.cases.privacy import public_point, shown_as
from provinces.catalogue import (
    Changes,
    InvalidCatalogue,
    Row,
    built,
    load_duties,
    load_entities,
    load_jurisdictions,
    parse_jurisdictions,
    read_rows,
    upsert,
)
from provinces.models import District

BATCH = 1000
# No report takes so long from its own time to its commit, whatever a clock says.
LONGEST_FILING = timedelta(days=1)
LATER_NUMBERS = ("similar_metres", "similar_days", "contact_days", "originals_days")

Progress = Callable[[Iterable[Any], str], Iterable[Any]]


@transaction.atomic
def load_catalogue(
    folder: Path, day: date, progress: Progress, consent: Path | None = None
) -> Changes:
    """Make the catalogue say what the folder's files say; what changed comes back.

    `consent` is the folder of the texts of consent, which are only ever added to.

    Raises InvalidCatalogue, and then nothing has changed.
    """
    if not District.objects.exists():
        raise InvalidCatalogue([_("faltan los límites: ejecute antes load_boundaries")])
    changes = Changes()
    load_duties(read_rows(folder / "duties.csv"), changes)
    load_entities(read_rows(folder / "entities.csv"), changes)
    rules = parse_jurisdictions(read_rows(folder / "jurisdictions.csv"))
    load_jurisdictions(rules, changes, day)
    load_groups(read_rows(folder / "groups.csv"), changes)
    load_categories(read_rows(folder / "categories.csv"), changes, progress)
    if consent:
        load_consent_texts(consent, changes)
    return changes


def load_groups(rows: list[Row], changes: Changes) -> None:
    upsert(built(rows, group_of), changes)


def group_of(row: Row) -> Group:
    return Group(
        code=row["code"],
        name_es=row["name_es"],
        name_en=row["name_en"],
        position=row.number("position"),
    )


def load_categories(rows: list[Row], changes: Changes, progress: Progress) -> None:
    began = timezone.now()
    before = {category.code: category for category in Category.objects.all()}
    wanted = built(rows, category_of)
    upsert(wanted, changes)
    shown_otherwise = [
        category
        for category in wanted
        if category.code in before
        and shown_as(before[category.code]) != shown_as(category)
    ]
    for category in shown_otherwise:
        republish(category, progress)
    republish_newest(shown_otherwise, progress, began)
    retire_categories({category.code for category in wanted}, changes)


def category_of(row: Row) -> Category:
    return Category(
        code=row["code"],
        group_id=row["group"],
        name_es=row["name_es"],
        name_en=row["name_en"],
        duty_id=row["duty"],
        act=row["act"],
        precision=row["precision"],
        private=row.boolean("private"),
        emergency_es=row["emergency_es"],
        emergency_en=row["emergency_en"],
        sla_amount=row.number("sla_amount"),
        sla_unit=row["sla_unit"],
        place_based=row.boolean("place_based"),
        keywords=row["keywords_es"],
        **later_columns(row),
    )


def later_columns(row: Row) -> dict[str, int | bool]:
    """What a file from before these columns leaves to the model's defaults."""
    values: dict[str, int | bool] = {
        name: row.number(name) for name in LATER_NUMBERS if name in row
    }
    if "photos_need_release" in row:
        values["photos_need_release"] = row.boolean("photos_need_release")
    return values


def retire_categories(wanted: set[str], changes: Changes) -> None:
    """A category that is gone takes no more reports; its cases keep it."""
    for category in Category.objects.filter(active=True).exclude(code__in=wanted):
        category.active = False
        category.save(update_fields=["active"])
        changes.add("-", category)


def republish(
    category: Category, progress: Progress, since: datetime | None = None
) -> None:
    """Show the category's stored cases as its new precision and privacy say."""
    cases = Case.objects.filter(category=category).only("pk", "location")
    if since:
        cases = cases.filter(filed_at__gte=since)
    what = _("Publicando %s con su nueva precisión") % category.code
    batch: list[Case] = []
    for case in progress(cases.iterator(BATCH), what):
        case.is_public = not category.private
        case.public_location = public_point(case.location, category)
        batch.append(case)
        if len(batch) == BATCH:
            save_shown(batch)
            batch.clear()
    save_shown(batch)


def republish_newest(
    categories: list[Category], progress: Progress, began: datetime
) -> None:
    """And those that were filed while the others were shown anew.

    A report holds its category's row FOR KEY SHARE from when it looks how it is shown
    until it is committed. So whoever has the row FOR UPDATE sees all that were shown as
    it said before; the next ones wait, a moment only, and see what it says now.
    """
    keys = [category.pk for category in categories]
    locked = Category.objects.filter(pk__in=keys).select_for_update(of=("self",))
    list(locked.order_by("pk"))
    for category in categories:
        republish(category, progress, began - LONGEST_FILING)


def save_shown(batch: list[Case]) -> None:
    """With their time: whoever takes the data by increments gets them again."""
    keys = [case.pk for case in batch]
    Case.objects.bulk_update(batch, ["is_public", "public_location"])
    Case.objects.filter(pk__in=keys).update(
        updated_at=Greatest(F("updated_at"), Value(timezone.now()))
    )
