"""The catalogue's files about who answers: duties, entities, jurisdictions."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from provinces.models import (
    Corregimiento,
    District,
    Duty,
    Entity,
    Jurisdiction,
    Province,
    Zone,
)

Row = dict[str, str]

# The comarca's district is an instrument of the statistics, not a municipality: its
# people are governed by the Congreso General Guna.
WITHOUT_MUNICIPALITY = frozenset({"1001"})
MUNICIPALITY = "municipio"


class InvalidCatalogue(Exception):
    """What is wrong with the files, in words; nothing of them was loaded."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass
class Changes:
    """What a load changed: a line for each row that is new, other or gone."""

    lines: list[str] = field(default_factory=list)

    def add(self, sign: str, thing: models.Model, what: str = "") -> None:
        name = f"{sign} {thing._meta.verbose_name} {thing.pk or ''} {thing}"
        self.lines.append(f"{name}: {what}" if what else name)


def read_rows(path: Path) -> list[Row]:
    """A CSV file's rows (UTF-8, a header). Raises InvalidCatalogue."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise InvalidCatalogue([f"{path.name}: {problem}"]) from problem
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise InvalidCatalogue(
                [_("%(file)s, línea %(line)s: sobran o faltan columnas")
                 % {"file": path.name, "line": number}]
            )  # fmt: skip
    return rows


def load_duties(rows: Iterable[Row], changes: Changes) -> None:
    upsert(
        [
            Duty(
                code=row["code"],
                name_es=row["name_es"],
                name_en=row["name_en"],
                description=row["description_es"],
            )
            for row in rows
        ],
        changes,
    )


def load_entities(rows: Iterable[Row], changes: Changes) -> None:
    """The entities of the file, and a municipality for each district."""
    listed = [
        Entity(
            code=row["code"],
            name=row["name"],
            name_en=row["name_en"],
            kind=row["kind"],
        )
        for row in rows
    ]
    upsert([*listed, *municipalities()], changes)


def municipalities() -> list[Entity]:
    return [
        Entity(
            code=f"MUN-{district.code}",
            name=f"Municipio de {district.name}",
            name_en=f"Municipality of {district.name}",
            kind=Entity.Kind.MUNICIPALITY,
            district=district,
        )
        for district in District.objects.exclude(code__in=WITHOUT_MUNICIPALITY)
    ]


def upsert(wanted: Sequence[models.Model], changes: Changes) -> None:
    """Make the stored rows say what these say, by primary key."""
    for thing in wanted:
        validated(thing)
        model = type(thing)
        stored = model._default_manager.filter(pk=thing.pk).first()
        if stored is None:
            thing.save(force_insert=True)
            changes.add("+", thing)
            continue
        different = differences(stored, thing)
        if different:
            thing.save(force_update=True, update_fields=list(different))
            changes.add("~", thing, ", ".join(different))


def validated(thing: models.Model) -> None:
    try:
        thing.clean_fields()
    except ValidationError as problem:
        problems = [
            f"{thing.pk}: {name}: {' '.join(texts)}"
            for name, texts in problem.message_dict.items()
        ]
        raise InvalidCatalogue(problems) from problem


def differences(before: models.Model, after: models.Model) -> dict[str, Any]:
    return {
        f.name: getattr(after, f.attname)
        for f in after._meta.concrete_fields
        if not f.primary_key and getattr(before, f.attname) != getattr(after, f.attname)
    }


def parse_jurisdictions(rows: Iterable[Row]) -> list[Jurisdiction]:
    """The rules of a file, not stored: `*` becomes each district's own municipality.

    Raises InvalidCatalogue with every row that cannot be understood.
    """
    reader = JurisdictionReader(list(rows))
    rules = [rule for row in reader.rows for rule in reader.rules_of(row)]
    reader.check_overlaps(rules)
    if reader.problems:
        raise InvalidCatalogue(reader.problems)
    return rules


class JurisdictionReader:
    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        self.problems: list[str] = []
        self.duties = set(Duty.objects.values_list("code", flat=True))
        self.entities = set(Entity.objects.values_list("code", flat=True))
        self.municipality_of = dict(
            Entity.objects.filter(kind=Entity.Kind.MUNICIPALITY).values_list(
                "district_id", "code"
            )
        )
        self.places = known_places()
        self.named = {
            f"{district}/{name}": code
            for code, name, district in Corregimiento.objects.values_list(
                "code", "name", "district_id"
            )
        }
        self.explicit = {
            (row["duty"], row["place"]) for row in rows if row["level"] == "district"
        }

    def rules_of(self, row: Row) -> list[Jurisdiction]:
        if row["place"] == "*" and row["entity"] == MUNICIPALITY:
            return [
                self.rule(row, district, entity)
                for district, entity in sorted(self.municipality_of.items())
                if (row["duty"], district) not in self.explicit
            ]
        entity = row["entity"]
        if entity == MUNICIPALITY:
            entity = self.municipality_of.get(row["place"], MUNICIPALITY)
        return [self.rule(row, self.named.get(row["place"], row["place"]), entity)]

    def rule(self, row: Row, place: str, entity: str) -> Jurisdiction:
        self.check(row, place, entity)
        return Jurisdiction(
            duty_id=row["duty"],
            level=row["level"],
            place=place,
            entity_id=entity,
            valid_from=self.day(row, "valid_from"),
            valid_to=self.day(row, "valid_to"),
            legal_basis=row["legal_basis"],
            note=row["note"],
            confirmed=row["confirmed"] == "true",
        )

    def check(self, row: Row, place: str, entity: str) -> None:
        if row["duty"] not in self.duties:
            self.complain(row, _("no existe la competencia %s") % row["duty"])
        if entity not in self.entities:
            self.complain(row, _("no existe la entidad %s") % entity)
        if place not in self.places.get(row["level"], set()):
            self.complain(
                row,
                _("no existe el lugar «%(place)s» en el nivel «%(level)s»")
                % {"place": place, "level": row["level"]},
            )

    def day(self, row: Row, name: str) -> date | None:
        if not row[name]:
            return None
        try:
            return date.fromisoformat(row[name])
        except ValueError:
            self.complain(row, _("%s no es un día (AAAA-MM-DD)") % row[name])
            return None

    def check_overlaps(self, rules: list[Jurisdiction]) -> None:
        by_place: dict[tuple[str, str, str], list[Jurisdiction]] = {}
        for rule in rules:
            by_place.setdefault((rule.duty_id, rule.level, rule.place), []).append(rule)
        for (duty, level, place), same in by_place.items():
            same.sort(key=lambda rule: rule.valid_from or date.min)
            for one, following in pairwise(same):
                if (one.valid_to or date.max) >= (following.valid_from or date.min):
                    self.problems.append(
                        _("%(rule)s: dos entidades a la vez")
                        % {"rule": f"{duty} {level} {place}"}
                    )

    def complain(self, row: Row, what: str) -> None:
        rule = f"{row['duty']} {row['level']} {row['place']}"
        self.problems.append(f"{rule}: {what}")


def known_places() -> dict[str, set[str]]:
    scope = Jurisdiction.Scope
    return {
        scope.NATION: {""},
        scope.PROVINCE: set(Province.objects.values_list("code", flat=True)),
        scope.DISTRICT: set(District.objects.values_list("code", flat=True)),
        scope.CORREGIMIENTO: set(Corregimiento.objects.values_list("code", flat=True)),
        scope.ZONE: set(Zone.objects.values_list("code", flat=True)),
    }


def load_jurisdictions(rules: list[Jurisdiction], changes: Changes, day: date) -> None:
    """Make the stored rules say what these say.

    A rule that is gone ends the day before `day`: the cases that it routed keep it.
    """
    stored = {rule_key(rule): rule for rule in Jurisdiction.objects.all()}
    wanted = {rule_key(rule): rule for rule in rules}
    for key in stored.keys() - wanted.keys():
        retire(stored[key], day, changes)
    for key, rule in wanted.items():
        before = stored.get(key)
        if before is None:
            rule.save()
            changes.add("+", rule)
            continue
        different = differences(before, rule)
        if different:
            Jurisdiction.objects.filter(pk=before.pk).update(**different)
            changes.add("~", rule, ", ".join(different))


def rule_key(rule: Jurisdiction) -> tuple[str, str, str, date | None]:
    return rule.duty_id, rule.level, rule.place, rule.valid_from


def retire(rule: Jurisdiction, day: date, changes: Changes) -> None:
    eve = day - timedelta(days=1)
    if rule.valid_to and rule.valid_to <= eve:
        return
    if rule.valid_from and rule.valid_from > eve:
        changes.add("-", rule)
        rule.delete()
        return
    rule.valid_to = eve
    rule.save(update_fields=["valid_to"])
    changes.add("-", rule, _("termina el %s") % eve.isoformat())
