"""Whoever works in the administration reads all of it in their language."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.auth.models import Group as PeopleGroup
from django.contrib.auth.models import Permission
from django.core.exceptions import FieldDoesNotExist
from django.db.models import AutoField, Field, Model
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.utils import timezone, translation

from backend.accounts.models import User
from backend.cases.models import DayOff, Flag
from tests.factories import (
    make_case,
    make_category,
    make_duty,
    make_entity,
    make_group,
)

pytestmark = pytest.mark.django_db
OURS = {"accounts", "cases", "provinces"}
# Written alike in both languages.
ALIKE = {"corregimiento"}


def own_pages() -> list[tuple[type[Model], Any]]:
    return [
        (model, page)
        for model, page in admin.site._registry.items()
        if model._meta.app_label in OURS
    ]


def words_shown(
    model: type[Model], page: Any, request: Any
) -> Iterator[Field[Any, Any]]:
    """The fields whose names stand on a model's pages: columns, filters and labels."""
    filters = [
        each[0] if isinstance(each, tuple) else each for each in page.list_filter
    ]
    labels = flatten_fieldsets(page.get_fieldsets(request))
    for name in {*page.list_display, *filters, *labels}:
        yield from field_of(model, name)
    for inline in page.get_inline_instances(request):
        for name in flatten_fieldsets(inline.get_fieldsets(request)):
            yield from field_of(inline.model, name)


def field_of(model: type[Model], path: Any) -> Iterator[Field[Any, Any]]:
    """The field at the end of a path, unless it is something that is worked out."""
    first, _, rest = str(path).partition("__")
    try:
        field = model._meta.get_field(first)
    except FieldDoesNotExist:
        return
    if rest and field.related_model:
        yield from field_of(field.related_model, rest)
    elif isinstance(field, Field) and not field.auto_created:
        yield field


def in_both(words: Any) -> list[str]:
    """In Spanish and in English."""
    said = []
    for language in ("es", "en"):
        with translation.override(language):
            said.append(str(words))
    return said


@pytest.fixture
def asking(chief: Client) -> HttpRequest:
    """A chief's request, for what a page shows to whom."""
    request = RequestFactory().get("/admin/")
    request.user = User.objects.get()
    return request


def test_every_field_that_is_shown_has_a_name_in_both_languages(asking):
    shown = {
        field
        for model, page in own_pages()
        for field in words_shown(model, page, asking)
        if field.model._meta.app_label in OURS
    }
    assert len(shown) > 90
    nameless, untranslated = [], []
    for field in shown:
        spanish, english = in_both(field.verbose_name)
        if spanish in ALIKE:
            continue
        if spanish == field.name.replace("_", " "):
            nameless.append(str(field))
        if spanish == english:
            untranslated.append(str(field))
    assert nameless == [], "no name for people"
    assert untranslated == []


@pytest.mark.parametrize(
    "written",
    ["", " ", "x" * 5000, "-1", "99999999999999999999", "2026-02-30", "[]"],
)
def test_whatever_is_written_in_a_form_is_taken_or_what_is_wrong_is_said(
    chief, asking, written
):
    asked = 0
    for model, page in own_pages():
        if not page.has_add_permission(asking):
            continue
        asked += 1
        names = flatten_fieldsets(page.get_fieldsets(asking))
        inlines = {
            f"{formset.get_default_prefix()}-{what}": count
            for formset, _ in page.get_formsets_with_inlines(asking)
            for what, count in (("TOTAL_FORMS", 0), ("INITIAL_FORMS", 0))
        }
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/add/"
        answer = chief.post(address, dict.fromkeys(names, written) | inlines)
        if answer.status_code != 302:  # a duty may be called anything
            assert answer.context["adminform"].form.errors, (address, written)
    assert asked >= 6


@pytest.fixture
def known_by_key(squares) -> list[Model]:
    """One of each that people know by something that they write themselves."""
    day = DayOff.objects.create(day="2026-11-06", name_es="Puente", name_en="Bridge")
    return [make_category(), make_group(), make_duty(), make_entity(), day]


def test_what_is_known_by_a_key_stays_what_it_is(chief, asking, known_by_key):
    pages = {
        model
        for model, page in own_pages()
        if page.has_change_permission(asking)
        and not isinstance(model._meta.pk, AutoField)
    }
    assert {type(each) for each in known_by_key} == pages
    for each in known_by_key:
        key, names = each._meta.pk.name, ["name_es", "name_en", "name"]
        page = (
            f"/admin/{each._meta.app_label}/{each._meta.model_name}/{each.pk}/change/"
        )
        shown = chief.get(page).context["adminform"]
        assert flatten_fieldsets(shown.fieldsets)[0] == key
        values = shown.form.initial
        sent = {name: "" if value is None else value for name, value in values.items()}
        sent |= {name: "Otro" for name in names if name in sent}
        before = type(each).objects.count()
        another = "2026-11-07" if key == "day" else "XXX"
        answer = chief.post(page, {**sent, key: another})
        assert answer.status_code == 302, page
        assert type(each).objects.count() == before, page
        assert "Otro" in str(vars(type(each).objects.get(pk=each.pk))), page


def test_what_is_chosen_to_be_deleted_is_deleted(chief, asking, known_by_key):
    """Its page asks once more, by what it wrote itself of what was chosen."""
    for each in known_by_key:
        page = admin.site._registry[type(each)]
        new = f"/admin/{each._meta.app_label}/{each._meta.model_name}/"
        if "delete_selected" in page.get_actions(asking):
            chosen = {ACTION_CHECKBOX_NAME: str(each.pk), "action": "delete_selected"}
            asked = chief.post(new, chosen).content.decode()
            said = re.search(rf'name="{ACTION_CHECKBOX_NAME}" value="([^"]*)"', asked)
            assert said is None or said[1] == str(each.pk), new
        else:
            assert page.has_delete_permission(asking)
            assert (
                chief.post(f"{new}{each.pk}/delete/", {"post": "yes"}).status_code
                == 302
            )
            assert not type(each).objects.filter(pk=each.pk).exists()


def test_all_that_a_page_shows_can_be_chosen_at_once(chief, squares):
    case = make_case()
    flags = Flag.objects.bulk_create(
        Flag(id=uuid4(), case=case, reason="other", raised_at=timezone.now())
        for _ in range(100)
    )
    chosen = {ACTION_CHECKBOX_NAME: [str(flag.pk) for flag in flags]}
    page = "/admin/cases/flag/"
    answer = chief.post(page, {**chosen, "action": "settle_them", "index": 0})
    assert answer.status_code == 302
    assert not Flag.objects.filter(settled_at=None).exists()
    everything = [permission.pk for permission in Permission.objects.all()]
    group = {"name": "Todo", "permissions": everything}
    assert chief.post("/admin/auth/group/add/", group).status_code == 302
    assert PeopleGroup.objects.get().permissions.count() == len(everything) > 100


@pytest.mark.parametrize("app", sorted(OURS))
def test_a_department_of_the_administration_is_named_in_both_languages(app):
    spanish, english = in_both(apps.get_app_config(app).verbose_name)
    assert spanish != english
