"""An operator looks for a case, of millions."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client, RequestFactory

from backend.cases.models import Case
from tests.factories import make_case
from tests.geo.many import multiply

CASES = "/admin/cases/case/"


@pytest.fixture
def operator(squares: None, chief: Client) -> Client:
    return chief


def found(operator: Client, asked: str) -> set[str]:
    page = operator.get(CASES, {"q": asked})
    assert page.status_code == 200
    return {case.number for case in page.context["cl"].result_list}


def test_a_case_is_found_by_its_number_however_it_is_written(operator):
    one, other = make_case(), make_case()
    for written in (
        *(one.number, one.number.replace("-", ""), one.number.replace("-", " ")),
        f" {one.number[:-2]} ",
    ):
        assert found(operator, written) == {one.number}
    assert found(operator, one.number[:2]) == {one.number, other.number}
    assert found(operator, "") == {one.number, other.number}
    for none in ("hueco", f"{one.number}1", "00-0000000-0", "0000"):
        assert found(operator, none) == set()


def test_it_is_found_by_the_index_of_numbers(operator):
    multiply(make_case(), 8000, number="'25-' || lpad(n::text, 7, '0') || '-0'")
    cases = admin.site.get_model_admin(Case)
    request = RequestFactory().get(CASES)
    some, _ = cases.get_search_results(request, Case.objects.all(), "25-00012")
    assert some.count() == 100
    assert "using cases_case_number_key" in some.order_by("-id")[:100].explain()


def test_cases_are_sorted_by_what_has_an_index(operator):
    make_case()
    page = operator.get(CASES).content.decode()
    assert page.count('class="sortable') == 2


@pytest.mark.parametrize(
    ("language", "title"), [("es", "Administración"), ("en", "Administration")]
)
def test_the_administration_says_whose_it_is(operator, language, title):
    page = operator.get("/admin/", headers={"Accept-Language": language})
    assert "Django" not in page.content.decode()
    assert f"<title>{title} | 311 móvil</title>" in page.content.decode()
