"""The catalogue's files about who answers: duties, entities, jurisdictions."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
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

Thing = TypeVar("Thing")

# The comarca's district is an instrument of the statistics, not a municipality: its
# people are governed by the Congreso General Guna.
WITHOUT_MUNICIPALITY = frozenset({"1001"})
MUNICIPALITY = "municipio"
LONGEST_LEGAL_BASIS = 300


class InvalidCatalogue(Exception):
    """What is wrong with the files, in words; nothing of them was loaded."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Row(dict[str, str]):
    """A line of a file, which says where it stands when something in it is wrong."""

    def __init__(self, values: dict[str, str], where: str) -> None:
        super().__init__(values)
        self.where = where

    def __missing__(self, column: str) -> str:
        raise InvalidCatalogue([f"{self.where}: " + _("falta la columna %s") % column])

    def boolean(self, column: str) -> bool:
        """Strictly: what a spreadsheet makes of `true` must not make a secret public."""
        if self[column] not in {"true", "false"}:
            raise self.wrong(column, _("es true o false"))
        return self[column] == "true"

    def number(self, column: str) -> int:
        if not self[column].isdecimal():
            raise self.wrong(column, _("es un número entero"))
        return int(self[column])

    def wrong(self, column: str, expected: str) -> InvalidCatalogue:
        return InvalidCatalogue(
            [f"{self.where}: {column} {expected}, no «{self[column]}»"]
        )


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
            reader = csv.DictReader(file, strict=True)
            rows = [Row(row, f"{path.name}:{reader.line_num}") for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as problem:
        raise InvalidCatalogue([f"{path.name}: {problem}"]) from problem
    uneven = [row.where for row in rows if None in row or None in row.values()]
    if uneven:
        raise InvalidCatalogue(
            [_("%s: sobran o faltan columnas") % where for where in uneven]
        )
    return rows


def built(rows: Iterable[Row], build: Callable[[Row], Thing]) -> list[Thing]:
    """What a function makes of each row. Raises InvalidCatalogue with all problems."""
    things: list[Thing] = []
    problems: list[str] = []
    for row in rows:
        try:
            things.append(build(row))
        except InvalidCatalogue as invalid:
            problems += invalid.problems
    if problems:
        raise InvalidCatalogue(problems)
    return things


def load_duties(rows: Iterable[Row], changes: Changes) -> None:
    upsert(built(rows, duty_of), changes)


def duty_of(row: Row) -> Duty:
    return Duty(
        code=row["code"],
        name_es=row["name_es"],
        name_en=row["name_en"],
        description=row["description_es"],
    )


def load_entities(rows: Iterable[Row], changes: Changes) -> None:
    """The entities of the file, and a municipality for each district."""
    upsert([*built(rows, entity_of), *municipalities()], changes)


def entity_of(row: Row) -> Entity:
    return Entity(
        code=row["code"],
        name=row["name"],
        name_en=row["name_en"],
        kind=row["kind"],
    )


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
    """Make the stored rows of one model say what these say, by primary key.

    Raises InvalidCatalogue with every row that is wrong, before it saves any.
    """
    problems = [problem for thing in wanted for problem in problems_of(thing)]
    for key, times in Counter(thing.pk for thing in wanted).items():
        if times > 1:
            problems.append(
                _("%(key)s está %(times)s veces") % {"key": key, "times": times}
            )
    if problems:
        raise InvalidCatalogue(problems)
    if not wanted:
        return
    stored = type(wanted[0])._default_manager.in_bulk([thing.pk for thing in wanted])
    for thing in wanted:
        before = stored.get(thing.pk)
        if before is None:
            thing.save(force_insert=True)
            changes.add("+", thing)
            continue
        different = differences(before, thing)
        if different:
            thing.save(force_update=True, update_fields=list(different))
            changes.add("~", thing, ", ".join(different))


def problems_of(thing: models.Model) -> list[str]:
    """What the database would refuse of a row, in words."""
    try:
        thing.clean_fields()
        thing.validate_constraints()
    except ValidationError as problem:
        of_fields = problem.message_dict
        of_the_row = of_fields.pop(NON_FIELD_ERRORS, [])
        return [
            *(f"{thing.pk}: {text}" for text in of_the_row),
            *(f"{thing.pk}: {name}: {' '.join(of_fields[name])}" for name in of_fields),
        ]
    return []


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
    rules = [rule for of_row in built(reader.rows, reader.rules_of) for rule in of_row]
    check_overlaps(rules)
    return rules


def check_overlaps(rules: Iterable[Jurisdiction]) -> None:
    problems = []
    for place, same in by_place(rules).items():
        same.sort(key=first_day)
        problems += [
            _("%(rule)s: dos entidades a la vez") % {"rule": " ".join(place)}
            for one, following in pairwise(same)
            if overlap(one, following)
        ]
    if problems:
        raise InvalidCatalogue(problems)


class JurisdictionReader:
    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
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
        """One rule, or for `*` one for each district. Raises InvalidCatalogue."""
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
        rule = Jurisdiction(
            duty_id=row["duty"],
            level=row["level"],
            place=place,
            entity_id=entity,
            valid_from=day_of(row, "valid_from"),
            valid_to=day_of(row, "valid_to"),
            legal_basis=row["legal_basis"],
            note=row["note"],
            confirmed=row.boolean("confirmed"),
        )
        if first_day(rule) > last_day(rule):
            raise InvalidCatalogue([f"{row.where}: " + _("termina antes de empezar")])
        return rule

    def check(self, row: Row, place: str, entity: str) -> None:
        problems = []
        if row["duty"] not in self.duties:
            problems.append(_("no existe la competencia %s") % row["duty"])
        if entity not in self.entities:
            problems.append(_("no existe la entidad %s") % entity)
        if place not in self.places.get(row["level"], set()):
            problems.append(
                _("no existe el lugar «%(place)s» en el nivel «%(level)s»")
                % {"place": place, "level": row["level"]}
            )
        if len(row["legal_basis"]) > LONGEST_LEGAL_BASIS:
            problems.append(
                _("legal_basis tiene más de %s letras") % LONGEST_LEGAL_BASIS
            )
        if problems:
            raise InvalidCatalogue([f"{row.where}: {problem}" for problem in problems])


def day_of(row: Row, column: str) -> date | None:
    if not row[column]:
        return None
    try:
        return date.fromisoformat(row[column])
    except ValueError as problem:
        raise row.wrong(column, _("es un día (AAAA-MM-DD)")) from problem


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
    # Of two that begin on one day, one was withdrawn: the other is the one that is meant.
    by_end = Jurisdiction.objects.order_by(models.F("valid_to").asc(nulls_last=True))
    stored = {rule_key(rule): rule for rule in by_end}
    wanted = {rule_key(rule): rule for rule in rules}
    successors = by_place(rules)
    for key, rule in stored.items():
        if key not in wanted:
            retire(rule, successors.get(place_key(rule), []), day, changes)
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


def retire(
    rule: Jurisdiction, successors: list[Jurisdiction], day: date, changes: Changes
) -> None:
    """End a rule before `day`, or before the first that the file puts in its place.

    One that had not begun by then is deleted, or where cases refer to it, withdrawn.
    """
    end = min(
        [day, *(first_day(other) for other in successors if overlap(rule, other))]
    )
    if last_day(rule) < end or is_withdrawn(rule):
        return
    if first_day(rule) >= end:
        if not rule.is_in_use:
            changes.add("-", rule)
            rule.delete()
            return
        end = first_day(rule)
    rule.valid_to = end - timedelta(days=1)
    rule.save(update_fields=["valid_to"])
    changes.add("-", rule, _("termina el %s") % rule.valid_to.isoformat())


def by_place(
    rules: Iterable[Jurisdiction],
) -> dict[tuple[str, str, str], list[Jurisdiction]]:
    grouped: dict[tuple[str, str, str], list[Jurisdiction]] = defaultdict(list)
    for rule in rules:
        grouped[place_key(rule)].append(rule)
    return grouped


def place_key(rule: Jurisdiction) -> tuple[str, str, str]:
    return rule.duty_id, rule.level, rule.place


def rule_key(rule: Jurisdiction) -> tuple[str, str, str, date | None]:
    return *place_key(rule), rule.valid_from


def overlap(one: Jurisdiction, other: Jurisdiction) -> bool:
    return first_day(one) <= last_day(other) and first_day(other) <= last_day(one)


def first_day(rule: Jurisdiction) -> date:
    return rule.valid_from or date.min


def is_withdrawn(rule: Jurisdiction) -> bool:
    return last_day(rule) < first_day(rule)


def last_day(rule: Jurisdiction) -> date:
    return rule.valid_to or date.max
