"""What a change of rules would do to stored cases, changing nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from backend.cases.deadlines import PANAMA
from backend.cases.models import Case, CaseQuerySet
from provinces.models import Jurisdiction
from provinces.places import Named, Place
from provinces.routing import deciding_rule

NOBODY = "—"


@dataclass(frozen=True)
class Move:
    case: Case
    before: str
    after: str


def rehearse(
    cases: CaseQuerySet, rules: Iterable[Jurisdiction]
) -> Iterator[Move | None]:
    """For each case, where it would go instead, or None where it would stay.

    Each is judged by the place it was filed for and the day it was filed on.
    """
    by_duty: dict[str, list[Jurisdiction]] = defaultdict(list)
    for rule in rules:
        by_duty[rule.duty_id].append(rule)
    for case in cases.select_related("category").order_by("id").iterator():
        winner = deciding_rule(
            by_duty[case.category.duty_id],
            place_of(case),
            case.filed_at.astimezone(PANAMA).date(),
        )
        before = case.entity_id or NOBODY
        after = winner.entity_id if winner else NOBODY
        yield None if before == after else Move(case, before, after)


def place_of(case: Case) -> Place:
    corregimiento = case.corregimiento_id
    return Place(
        province=Named(case.province_id, ""),
        district=Named(case.district_id, ""),
        corregimiento=Named(corregimiento, "") if corregimiento else None,
        zones=tuple(case.zones),
    )
