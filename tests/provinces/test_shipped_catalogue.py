"""The catalogue that comes with the system is whole: nothing waits for nobody."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from django.conf import settings

from backend.cases.models import Category, Group
from provinces.models import District, Duty, Entity, Jurisdiction
from provinces.routing import is_in_effect

FOLDER = Path(settings.BASE_DIR) / "fixtures" / "catalogue"
SCOPE = Jurisdiction.Scope
GUNA_YALA = "1001"


def test_all_eighty_categories_are_there_in_both_languages(db):
    categories = Category.objects.filter(active=True).select_related("group", "duty")
    assert categories.count() == 80
    for category in categories:
        names = [category.name_es, category.name_en]
        names += [category.group.name_es, category.group.name_en]
        names += [category.duty.name_es, category.duty.name_en]
        assert all(name.strip() for name in names), category.code
        assert category.code[:3] == category.group_id
    for field in ("name_es", "name_en"):
        assert categories.values(field).distinct().count() == 80


def test_every_group_has_categories(db):
    assert Group.objects.count() == 13
    assert not Group.objects.filter(categories=None).exists()


def test_every_category_has_an_act_a_precision_and_a_term(db):
    for category in Category.objects.all():
        assert category.act in Category.Act.values
        assert category.precision in Category.Precision.values
        assert category.sla_unit in Category.SlaUnit.values
        assert category.sla_amount > 0
        category.full_clean()


def test_a_private_category_shows_no_point(db):
    private = Category.objects.filter(private=True)
    assert private.count() > 5
    assert not private.exclude(precision=Category.Precision.NONE).exists()


def test_what_may_point_at_a_person_is_private(db):
    delicate = Category.objects.filter(
        duty__in=[
            "violence-against-women",
            "child-protection",
            "public-servants-conduct",
        ]
    )
    assert delicate.count() >= 3
    assert not delicate.filter(private=False).exists()


def test_who_or_whose_home_a_photo_may_show_is_released_by_a_person(db):
    delicate = Category.objects.exclude(precision=Category.Precision.EXACT)
    assert delicate.count() > 30
    assert not delicate.filter(photos_need_release=False).exists()
    vehicles = ["parking-enforcement", "abandoned-vehicles"]
    assert not Category.objects.filter(
        duty__in=vehicles, photos_need_release=False
    ).exists()
    # A photo of a pothole waits for nobody.
    assert not Category.objects.get(code="VIA-01").photos_need_release


def test_what_shows_no_point_is_like_no_other_and_all_else_may_be(db):
    for category in Category.objects.all():
        placeless = category.precision == Category.Precision.NONE
        assert (category.similar_metres == 0) == placeless, category.code
        assert (category.similar_days == 0) == placeless, category.code
        assert category.similar_metres <= 500
        assert category.originals_days <= category.contact_days


def test_a_power_cut_is_soon_another_and_a_pothole_stays_the_same(db):
    power_cut = Category.objects.get(code="ELE-05")
    pothole = Category.objects.get(code="VIA-01")
    assert power_cut.similar_days < 7 < pothole.similar_days
    assert power_cut.similar_metres > pothole.similar_metres


def test_an_emergency_notice_comes_in_both_languages_and_says_whom_to_call(db):
    urgent = Category.objects.exclude(emergency_es="", emergency_en="")
    assert urgent.count() > 5
    for category in urgent:
        for notice in (category.emergency_es, category.emergency_en):
            assert any(digit.isdecimal() for digit in notice), category.code


def test_no_text_of_the_catalogue_is_in_markup(db):
    for category in Category.objects.all():
        texts = [category.name_es, category.name_en, category.keywords]
        assert not any(sign in text for text in texts for sign in "<>&"), category.code


def test_every_duty_is_some_categorys(db):
    assert Duty.objects.count() == 55
    assert not Duty.objects.filter(categories=None).exists()


@pytest.mark.parametrize(
    "day", [date(2026, 1, 18), date(2026, 1, 19), date(2026, 11, 2), date(2030, 1, 1)]
)
def test_every_duty_has_somebody_in_every_district_but_guna_yala(db, day):
    districts = set(District.objects.values_list("code", flat=True)) - {GUNA_YALA}
    assert len(districts) == 81
    for duty in Duty.objects.prefetch_related("jurisdictions"):
        rules = [rule for rule in duty.jurisdictions.all() if is_in_effect(rule, day)]
        if any(rule.level == SCOPE.NATION for rule in rules):
            continue
        covered = {rule.place for rule in rules if rule.level == SCOPE.DISTRICT}
        assert covered == districts, duty.code


def test_rules_begin_where_others_end(db):
    """A rule that ends is followed by another in its place the next day."""
    ended = Jurisdiction.objects.exclude(valid_to=None)
    assert ended.exists()
    for rule in ended:
        assert rule.valid_to is not None
        following = Jurisdiction.objects.filter(
            duty=rule.duty,
            level=rule.level,
            place=rule.place,
            valid_from=rule.valid_to + timedelta(days=1),
        )
        assert following.count() == 1


def test_a_municipality_answers_in_its_own_district_alone(db):
    of_municipalities = Jurisdiction.objects.filter(
        entity__kind=Entity.Kind.MUNICIPALITY
    ).select_related("entity")
    assert of_municipalities.count() > 800
    for rule in of_municipalities:
        assert rule.level == SCOPE.DISTRICT
        assert rule.place == rule.entity.district_id


def test_every_entity_has_a_name_in_both_languages(db):
    assert Entity.objects.filter(kind=Entity.Kind.MUNICIPALITY).count() == 81
    for entity in Entity.objects.all():
        assert entity.name.strip(), entity.code
        assert entity.name_en.strip(), entity.code


def test_the_concession_is_noted_where_the_municipality_has_one(db):
    rules = Jurisdiction.objects.filter(duty="waste-collection")
    notes = {rule.place: rule.note for rule in rules}
    for district in ("1301", "1302", "1303"):
        assert notes[district].startswith("Concesión: Aseo Capital")
    assert "EMAS" in notes["1304"]


def test_the_files_can_be_read_in_a_review():
    files = sorted(FOLDER.glob("*.csv"))
    assert len(files) == 5
    assert sum(path.stat().st_size for path in files) < 100_000
    for path in files:
        # Debian's and GitHub's viewers alike: UTF-8, no mark, Unix lines.
        content = path.read_bytes()
        assert not content.startswith(b"\xef\xbb\xbf")
        assert b"\r" not in content
        assert content.endswith(b"\n")
