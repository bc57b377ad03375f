"""The authority changes a category by hand."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from backend.cases.admin import CategoryAdmin
from backend.cases.models import Category
from tests.factories import make_category

pytestmark = pytest.mark.usefixtures("squares")


def test_what_a_load_changes_meanwhile_is_not_taken_back(
    chief: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = make_category().pk
    page = f"/admin/cases/category/{key}/change/"
    values = chief.get(page).context["adminform"].form.initial
    look = CategoryAdmin.get_object

    def then_it_becomes_private(*asked: Any) -> Any:
        found = look(*asked)
        Category.objects.filter(pk=key).update(private=True, precision="none")
        return found

    monkeypatch.setattr(CategoryAdmin, "get_object", then_it_becomes_private)
    assert chief.post(page, {**values, "name_es": "Bache"}).status_code == 302
    category = Category.objects.get(name_es="Bache")
    assert (category.private, category.precision) == (True, "none")
