"""Who answers for a duty at a place on a day, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache

from django.contrib.gis.geos import Point

from provinces.editions import Edition, edition_in_force
from provinces.models import Duty, Entity, Jurisdiction
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


class Rulebook:
    """All rules of any day, with their entities, by the place of which they speak."""

    def __init__(self) -> None:
        self._by_place: dict[tuple[str, str], list[Jurisdiction]] = defaultdict(list)
        # One statement: rules and entities of one instant. Whoever asks sorts them.
        for rule in Jurisdiction.objects.select_related("entity").order_by():
            self._by_place[rule.level, rule.place].append(rule)

    def at(self, place: Place, duty: Duty | None = None) -> list[Jurisdiction]:
        """Those that speak of a place, of one duty or of all, the most local first."""
        return most_local_first(
            rule
            for level, codes in places_of(place).items()
            for code in codes
            for rule in self._by_place.get((level, code), ())
            if duty is None or rule.duty_id == duty.pk
        )


def rulebook(edition: Edition | None = None) -> Rulebook:
    """The rules, in memory: a change is seen by the next call.

    They are everybody's who asks: nobody may change one of them.
    """
    return rulebook_of((edition or edition_in_force()).rules)


@lru_cache(maxsize=2)
def rulebook_of(version: int) -> Rulebook:
    # Read after its number: at worst newer than that, and then soon read once more.
    return Rulebook()


def entity_for(duty: Duty, place: Place, day: date) -> Entity:
    """The entity that answers, most local rule first. Raises NobodyAnswers."""
    return jurisdiction_for(duty, place, day).entity


def jurisdiction_for(
    duty: Duty, place: Place, day: date, edition: Edition | None = None
) -> Jurisdiction:
    """The rule that decides, with its entity. Raises NobodyAnswers.

    `edition` is the one in force, for who knows it already.
    """
    for rule in rulebook(edition).at(place, duty):
        if is_in_effect(rule, day):
            return rule
    raise NobodyAnswers(f"{duty.code} at {place.district.code} on {day}")


def jurisdictions_at(
    place: Place, day: date, edition: Edition | None = None
) -> dict[str, Jurisdiction]:
    """The rule that decides, with its entity, for each duty that one speaks of there.

    `edition` is the one in force, for who knows it already.
    """
    rules: dict[str, Jurisdiction] = {}
    for rule in rulebook(edition).at(place):
        if is_in_effect(rule, day):
            rules.setdefault(rule.duty_id, rule)
    return rules


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
    rules = rulebook().at(place, duty)
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
