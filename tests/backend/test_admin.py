"""Whoever works in the administration reads all of it in their language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Field, Model
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.utils import translation

from backend.accounts.models import User

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


@pytest.mark.parametrize("app", sorted(OURS))
def test_a_department_of_the_administration_is_named_in_both_languages(app):
    spanish, english = in_both(apps.get_app_config(app).verbose_name)
    assert spanish != english
