"""Who answers for a duty at a place on a day, and why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from django.contrib.gis.geos import Point
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provinces.models import Duty, Entity, Jurisdiction, Level, Zone
from provinces.places import Named, OutsidePanama, Place, place_at
from provinces.routing import (
    NobodyAnswers,
    Outcome,
    deciding_rule,
    entity_for,
    explain,
    jurisdiction_for,
    jurisdictions_at,
    rulebook,
)
from tests.factories import (
    EAST,
    OUTLINES,
    WEST,
    make_boundary,
    make_duty,
    make_entity,
    make_jurisdiction,
    make_territory,
)

TODAY = date(2026, 11, 2)
SAN_MIGUELITO = (-79.5, 9.03)
SCOPE = Jurisdiction.Scope
# A rule for each level, all of them true of WEST; the most local first.
LEVELS = {
    SCOPE.CORREGIMIENTO: "900101",
    SCOPE.ZONE: "ZONA",
    SCOPE.DISTRICT: "9001",
    SCOPE.PROVINCE: "90",
    SCOPE.NATION: "",
}


def place(lon: float, lat: float) -> Place:
    return place_at(Point(lon, lat, srid=4326))


def who(duty: str, at: tuple[float, float], day: date = TODAY) -> str:
    return entity_for(Duty.objects.get(code=duty), place(*at), day).code


@pytest.fixture
def squares(db: None) -> None:
    """The two squares, and a zone over the western one."""
    generation = make_territory()
    Zone.objects.create(code="ZONA", name="Zona")
    make_boundary(generation, Level.ZONE, "ZONA", OUTLINES["9001"])


@contextmanager
def checked_at_once() -> Iterator[None]:
    """Constraints that wait for the end of the transaction speak at its end."""
    with transaction.atomic():
        yield
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def test_the_nations_entity_answers_where_no_rule_is_more_local(squares):
    duty = make_duty()
    make_jurisdiction(duty, make_entity("OBRAS"))
    make_jurisdiction(duty, make_entity("MUN-9002"), SCOPE.DISTRICT, "9002")
    assert who(duty.code, WEST) == "OBRAS"
    assert who(duty.code, EAST) == "MUN-9002"


def test_the_most_local_rule_answers_over_all_levels(squares):
    duty = make_duty()
    for level, code in reversed(LEVELS.items()):
        make_jurisdiction(duty, make_entity(level.upper()[:16]), level, code)
    assert place(*WEST).zones == ("ZONA",)
    for level, code in LEVELS.items():
        assert who(duty.code, WEST) == level.upper()
        Jurisdiction.objects.get(duty=duty, level=level, place=code).delete()
    with pytest.raises(NobodyAnswers):
        who(duty.code, WEST)


def test_nobody_answers_where_no_rule_speaks(squares):
    duty = make_duty()
    make_jurisdiction(duty, make_entity(), SCOPE.DISTRICT, "9002")
    with pytest.raises(NobodyAnswers, match=r"test-duty at 9001 on 2026-11-02"):
        who(duty.code, WEST)


def test_a_rule_of_another_duty_does_not_answer(squares):
    make_jurisdiction(make_duty("other-duty"), make_entity())
    make_duty()
    with pytest.raises(NobodyAnswers):
        who("test-duty", WEST)


def test_a_rule_holds_on_its_first_and_on_its_last_day(squares):
    duty = make_duty()
    first, last = date(2026, 3, 1), date(2026, 3, 31)
    make_jurisdiction(duty, make_entity(), valid_from=first, valid_to=last)
    for day in (first, last):
        assert who(duty.code, WEST, day) == "OBRAS"
    for day in (first - timedelta(days=1), last + timedelta(days=1)):
        with pytest.raises(NobodyAnswers):
            who(duty.code, WEST, day)


def test_a_local_rule_that_has_ended_leaves_the_field_to_the_nation(squares):
    duty = make_duty()
    make_jurisdiction(duty, make_entity("NACION"))
    make_jurisdiction(
        duty, make_entity("LOCAL"), SCOPE.DISTRICT, "9001", valid_to=TODAY
    )
    assert who(duty.code, WEST) == "LOCAL"
    assert who(duty.code, WEST, TODAY + timedelta(days=1)) == "NACION"


def test_of_two_zones_that_overlap_the_same_one_always_answers(squares):
    duty = make_duty()
    here = Place(Named("90", ""), Named("9001", ""), None, zones=("Z3", "Z1", "Z2"))
    for code in ("Z2", "Z3", "Z1"):
        make_jurisdiction(duty, make_entity(f"DE-{code}"), SCOPE.ZONE, code)
    assert entity_for(duty, here, TODAY).code == "DE-Z1"


def test_the_database_refuses_two_entities_at_once_for_a_duty_in_a_place(db):
    duty = make_duty()
    make_jurisdiction(duty, make_entity("A"), valid_to=TODAY)
    with (
        pytest.raises(IntegrityError, match="one_entity_per_duty_and_place_at_a_time"),
        checked_at_once(),
    ):
        make_jurisdiction(duty, make_entity("B"), valid_from=TODAY)
    with checked_at_once():
        make_jurisdiction(duty, make_entity("B"), valid_from=TODAY + timedelta(days=1))


def test_a_change_of_rules_may_pass_through_an_overlap(db):
    duty = make_duty()
    before = make_jurisdiction(duty, make_entity("A"))
    with checked_at_once():
        make_jurisdiction(duty, make_entity("B"), valid_from=TODAY)
        before.valid_to = TODAY - timedelta(days=1)
        before.save()


def test_the_administration_is_told_of_an_overlap_in_words(db):
    duty = make_duty()
    make_jurisdiction(duty, make_entity("A"))
    second = Jurisdiction(
        duty=duty, level=SCOPE.NATION, entity=make_entity("B"), valid_from=TODAY
    )
    with pytest.raises(ValidationError, match="Ya responde alguien"):
        second.full_clean()


@pytest.mark.parametrize(
    ("level", "code", "rule"),
    [
        (SCOPE.NATION, "0810", "only_the_nation_needs_no_place"),
        (SCOPE.DISTRICT, "", "only_the_nation_needs_no_place"),
    ],
)
def test_only_a_rule_for_the_nation_has_no_place(db, level, code, rule):
    with pytest.raises(IntegrityError, match=rule):
        make_jurisdiction(make_duty(), make_entity(), level, code)


def test_a_rule_does_not_end_before_it_begins(db):
    with pytest.raises(IntegrityError, match="a_jurisdiction_ends_after_it_begins"):
        make_jurisdiction(
            make_duty(),
            make_entity(),
            valid_from=TODAY,
            valid_to=TODAY - timedelta(days=2),
        )


def test_a_rule_that_was_withdrawn_ends_the_day_before_and_holds_on_no_day(squares):
    duty = make_duty()
    yesterday = TODAY - timedelta(days=1)
    withdrawn = make_jurisdiction(
        duty, make_entity("RETIRADA"), valid_from=TODAY, valid_to=yesterday
    )
    with pytest.raises(ValidationError, match="anterior"):
        withdrawn.full_clean()
    place = place_at(Point(*WEST, srid=4326))
    for day in (yesterday, TODAY, TODAY + timedelta(days=1)):
        with pytest.raises(NobodyAnswers):
            jurisdiction_for(duty, place, day)
    other = make_jurisdiction(duty, make_entity("OTRA"), valid_from=TODAY)
    assert jurisdiction_for(duty, place, TODAY) == other


def test_an_explanation_lists_the_rules_the_winner_and_the_second_best(squares):
    duty = make_duty()
    nation = make_jurisdiction(duty, make_entity("NACION"))
    local = make_jurisdiction(duty, make_entity("LOCAL"), SCOPE.DISTRICT, "9001")
    past = make_jurisdiction(
        duty, make_entity("ANTES"), SCOPE.CORREGIMIENTO, "900101", valid_to=date.min
    )
    make_jurisdiction(duty, make_entity("ESTE"), SCOPE.DISTRICT, "9002")

    why = explain(duty, Point(*WEST, srid=4326), TODAY)

    assert [(one.jurisdiction, one.outcome) for one in why.considered] == [
        (past, Outcome.NOT_IN_EFFECT),
        (local, Outcome.WINS),
        (nation, Outcome.LESS_LOCAL),
    ]
    assert (why.winner, why.second_best) == (local, nation)
    assert (why.duty, why.day) == (duty, TODAY)
    assert why.place.district.code == "9001"


def test_an_explanation_tells_the_nearest_border_however_far(squares):
    why = explain(make_duty(), Point(*WEST, srid=4326), TODAY)
    assert why.nearest_border is not None
    assert why.nearest_border.code == "9002"
    assert why.nearest_border.metres == pytest.approx(0.05 * 110_088, rel=0.001)
    assert why.place.near_border is None


def test_where_nobody_answers_the_explanation_has_no_winner(squares):
    duty = make_duty()
    past = make_jurisdiction(duty, make_entity(), valid_to=date(2020, 1, 1))
    why = explain(duty, Point(*WEST, srid=4326), TODAY)
    assert [one.jurisdiction for one in why.considered] == [past]
    assert (why.winner, why.second_best) == (None, None)


def test_nothing_is_explained_outside_panama(squares):
    with pytest.raises(OutsidePanama):
        explain(make_duty(), Point(-74.08, 4.71, srid=4326), TODAY)


DAYS = st.one_of(st.none(), st.dates(date(2026, 1, 1), date(2026, 1, 9)))
RULES = st.lists(
    st.tuples(
        st.sampled_from([*LEVELS.items(), (SCOPE.DISTRICT, "9002")]), DAYS, DAYS
    ).filter(lambda rule: rule[1] is None or rule[2] is None or rule[1] <= rule[2]),
    max_size=12,
)


@given(rules=RULES, day=st.dates(date(2025, 12, 31), date(2026, 1, 10)))
@settings(
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_rules_not_yet_stored_decide_as_stored_ones_would(db, rules, day):
    here = Place(
        Named("90", ""), Named("9001", ""), Named("900101", ""), zones=("ZONA",)
    )
    with transaction.atomic():
        duty, entity = make_duty(), make_entity()
        stored = []
        for (level, code), valid_from, valid_to in rules:
            rule = Jurisdiction(
                duty=duty,
                level=level,
                place=code,
                entity=entity,
                valid_from=valid_from,
                valid_to=valid_to,
            )
            try:
                rule.validate_constraints()
            except ValidationError:  # overlaps with an earlier one
                continue
            rule.save()
            stored.append(rule)
        try:
            decided = jurisdiction_for(duty, here, day)
        except NobodyAnswers:
            decided = None
        assert deciding_rule(reversed(stored), here, day) == decided
        assert jurisdictions_at(here, day).get(duty.code) == decided
        # An independent look: the first level that has a rule on that day.
        candidates = [
            rule
            for level, code in LEVELS.items()
            for rule in stored
            if (rule.level, rule.place) == (level, code)
            and (rule.valid_from is None or rule.valid_from <= day)
            and (rule.valid_to is None or day <= rule.valid_to)
        ]
        assert decided == (candidates[0] if candidates else None)
        transaction.set_rollback(True)


# The shipped rules.


@pytest.mark.parametrize(
    "at",
    [SAN_MIGUELITO, (-79.51973, 8.9936), (-82.43085, 8.42729), (-78.8, 9.4), EAST],
)
def test_all_duties_at_once_are_answered_as_one_by_one(
    db, django_assert_num_queries, at
):
    here = place(*at)
    rulebook()  # in memory, as for all but the first who ask
    with django_assert_num_queries(1):
        rules = jurisdictions_at(here, TODAY)
    for duty in Duty.objects.all():
        try:
            alone = jurisdiction_for(duty, here, TODAY)
        except NobodyAnswers:
            assert duty.code not in rules
        else:
            assert rules[duty.code] == alone
    assert len(rules) > 30


def test_rubbish_in_san_miguelito_changes_hands_on_the_19th_of_january_2026(db):
    assert place(*SAN_MIGUELITO).district.code == "0810"
    assert who("waste-collection", SAN_MIGUELITO, date(2026, 1, 18)) == "MUN-0810"
    assert who("waste-collection", SAN_MIGUELITO, date(2026, 1, 19)) == "AAUD"


@pytest.mark.parametrize(
    ("entity", "where"),
    [
        ("EDECHI", (-82.43085, 8.42729)),  # David
        ("EDECHI", (-82.4018, 9.30091)),  # Almirante
        ("EDECHI", (-81.86, 8.55)),  # Ngäbe-Buglé
        ("EDEMET", (-80.98, 8.1)),  # Santiago de Veraguas
        ("EDEMET", (-80.43, 7.96)),  # Chitré
        ("EDEMET", (-79.62338, 8.89319)),  # Veracruz, in Arraiján
        ("EDEMET", (-79.5345, 8.9525)),  # San Felipe, in the capital
        ("ENSA", SAN_MIGUELITO),
        ("ENSA", (-79.9, 9.355)),  # Colón
        ("ENSA", (-78.14, 8.65)),  # Santa Fe de Darién
        ("ENSA", (-77.7508, 8.94672)),  # Mulatupo, in Guna Yala
    ],
)
@pytest.mark.parametrize("duty", ["electricity-distribution", "street-lighting"])
def test_electricity_is_its_distributors(db, duty, entity, where):
    assert who(duty, where) == entity


@pytest.mark.parametrize(
    ("district", "where", "concession"),
    [
        ("1301", (-79.62338, 8.89319), "Aseo Capital"),
        ("1302", (-79.88, 8.75), "Aseo Capital"),
        ("1303", (-79.9, 8.6), "Aseo Capital"),
    ],
)
def test_rubbish_by_concession_is_the_municipalitys_and_names_the_concession(
    db, district, where, concession
):
    here = place(*where)
    duty = Duty.objects.get(code="waste-collection")
    rule = jurisdiction_for(duty, here, TODAY)
    assert here.district.code == district
    assert rule.entity.code == f"MUN-{district}"
    assert concession in rule.note


def test_a_municipal_duty_in_guna_yala_has_nobody_on_purpose(db):
    with pytest.raises(NobodyAnswers):
        who("waste-collection", (-77.7508, 8.94672))
    assert not Entity.objects.filter(district="1001").exists()
