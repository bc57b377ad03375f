"""Who answers for a duty at a place on a day, and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from django.contrib.gis.geos import Point
from django.db.models import Q

from provinces.models import Duty, Entity, Jurisdiction, JurisdictionQuerySet
from provinces.places import Neighbour, Place, place_at, territory

# The most local rule wins.
MOST_LOCAL_FIRST = [
    Jurisdiction.Scope.CORREGIMIENTO,
    Jurisdiction.Scope.ZONE,
    Jurisdiction.Scope.DISTRICT,
    Jurisdiction.Scope.PROVINCE,
    Jurisdiction.Scope.NATION,
]


class NobodyAnswers(Exception):
    """No jurisdiction covers this duty at this place on this day."""


class Outcome(StrEnum):
    WINS = "wins"
    LESS_LOCAL = "less-local"
    NOT_IN_EFFECT = "not-in-effect"


@dataclass(frozen=True)
class Considered:
    """A rule that was looked at, and what became of it."""

    jurisdiction: Jurisdiction
    outcome: Outcome


@dataclass(frozen=True)
class Explanation:
    duty: Duty
    day: date
    place: Place
    considered: list[Considered]
    winner: Jurisdiction | None
    second_best: Jurisdiction | None
    nearest_border: Neighbour | None


def entity_for(duty: Duty, place: Place, day: date) -> Entity:
    """The entity that answers, most local rule first. Raises NobodyAnswers."""
    return jurisdiction_for(duty, place, day).entity


def jurisdiction_for(duty: Duty, place: Place, day: date) -> Jurisdiction:
    """The rule that decides, with its entity. Raises NobodyAnswers."""
    rules = most_local_first(rules_at(duty, place).in_effect(day))
    if not rules:
        raise NobodyAnswers(f"{duty.code} at {place.district.code} on {day}")
    return rules[0]


def deciding_rule(
    rules: Iterable[Jurisdiction], place: Place, day: date
) -> Jurisdiction | None:
    """The one of these rules of one duty that would decide: for rules not yet stored."""
    here = places_of(place)
    return next(
        iter(
            most_local_first(
                rule
                for rule in rules
                if rule.place in here[rule.level] and is_in_effect(rule, day)
            )
        ),
        None,
    )


def explain(duty: Duty, point: Point, day: date, accuracy: float = 0) -> Explanation:
    """Every rule looked at for a point (WGS 84, degrees), the winner and the next.

    Raises OutsidePanama.
    """
    place = place_at(point, accuracy)
    rules = most_local_first(rules_at(duty, place))
    in_effect = [rule for rule in rules if is_in_effect(rule, day)]
    winner, second_best, *_ = [*in_effect, None, None]
    return Explanation(
        duty=duty,
        day=day,
        place=place,
        considered=[
            Considered(rule, outcome_of(rule, winner, in_effect)) for rule in rules
        ],
        winner=winner,
        second_best=second_best,
        nearest_border=territory().nearest_border(
            point.x, point.y, place.district.code
        ),
    )


def rules_at(duty: Duty, place: Place) -> JurisdictionQuerySet:
    """The rules of any day that speak of this duty in this place."""
    here = Q()
    for level, codes in places_of(place).items():
        here |= Q(level=level, place__in=codes)
    return Jurisdiction.objects.filter(here, duty=duty).select_related("entity")


def places_of(place: Place) -> dict[str, tuple[str, ...]]:
    """The codes that name this place at each level of a jurisdiction."""
    scope = Jurisdiction.Scope
    return {
        scope.CORREGIMIENTO: (place.corregimiento.code,) if place.corregimiento else (),
        scope.ZONE: place.zones,
        scope.DISTRICT: (place.district.code,),
        scope.PROVINCE: (place.province.code,),
        scope.NATION: ("",),
    }


def most_local_first(rules: Iterable[Jurisdiction]) -> list[Jurisdiction]:
    # The place breaks the tie between two zones that overlap, always the same way.
    return sorted(
        rules,
        key=lambda rule: (
            MOST_LOCAL_FIRST.index(Jurisdiction.Scope(rule.level)),
            rule.place,
            rule.valid_from or date.min,
        ),
    )


def is_in_effect(rule: Jurisdiction, day: date) -> bool:
    return (rule.valid_from or date.min) <= day <= (rule.valid_to or date.max)


def outcome_of(
    rule: Jurisdiction, winner: Jurisdiction | None, in_effect: list[Jurisdiction]
) -> Outcome:
    if rule is winner:
        return Outcome.WINS
    return Outcome.LESS_LOCAL if rule in in_effect else Outcome.NOT_IN_EFFECT
