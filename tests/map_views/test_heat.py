"""GET /api/v1/heat/: the heat under the public map."""

from datetime import datetime

import pytest
from django.test import Client

from backend.cases.models import Case
from backend.cases.workflow import Status
from geo import heatmap
from tests.factories import make_case, make_category, make_territory

HEAT = "/api/v1/heat/"


@pytest.fixture(autouse=True)
def squares(db):
    make_territory()
    make_category()


def total(phone: Client, **query: str) -> int:
    answer = phone.get(HEAT, query)
    assert answer.status_code == 200
    found = answer.json()
    assert sum(weight for *_, weight in found["cells"]) == found["total"]
    return int(found["total"])


def test_the_view_is_told_in_cells(phone):
    for _ in range(3):
        make_case()
    make_case(at=(-79.85, 8.55))
    answer = phone.get(HEAT, {"bbox": "-80,8.5,-79.8,8.6", "zoom": "12"})
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "public, max-age=10"
    found = answer.json()
    assert found.keys() == {"cells", "cell", "total", "generated_at"}
    assert found["total"] == 4
    (lon, lat, weight), (_, _, one) = found["cells"]
    assert (weight, one) == (3, 1)
    assert abs(lon + 79.95) < 0.003
    assert abs(lat - 8.55) < 0.003
    assert found["cell"] == pytest.approx(605, abs=1)
    assert datetime.fromisoformat(found["generated_at"]).utcoffset()


def test_nothing_is_no_cells(phone):
    found = phone.get(HEAT).json()
    assert (found["cells"], found["total"]) == ([], 0)


def test_every_filter_reaches_the_question(phone):
    west = make_case()
    make_case(at=(-79.85, 8.55), status=Status.RESOLVED)
    make_case(category=make_category("PRU-02"))
    Case.objects.filter(pk=west.pk).update(
        filed_at="2026-01-05T05:00Z", updated_at="2026-01-06T05:00Z"
    )
    assert total(phone) == 3
    assert total(phone, state="open") == 2
    assert total(phone, state="resolved") == 1
    assert total(phone, category="PRU-02") == 1
    assert total(phone, group="PRU") == 3
    assert total(phone, group="NAD") == 0
    assert total(phone, entity="OBRAS") == 3
    assert total(phone, entity="NADA") == 0
    assert total(phone, place="9001") == 2
    assert total(phone, until="2026-01-05") == 1
    assert total(phone, until="2026-01-04") == 0
    assert total(phone, since="2026-01-06") == 2
    assert total(phone, changed_since="2026-01-07") == 2
    assert total(phone, bbox="-80,8.5,-79.9,8.6") == 2
    assert total(phone, bbox="-80,8.5,-79.9,8.6", state="resolved") == 0


def test_a_case_goes_from_open_to_resolved_at_once(phone):
    case = make_case()
    assert (total(phone, state="open"), total(phone, state="resolved")) == (1, 0)
    Case.objects.filter(pk=case.pk).update(status=Status.RESOLVED)
    assert (total(phone, state="open"), total(phone, state="resolved")) == (0, 1)


def test_what_the_public_may_see_no_point_of_is_not_counted(phone):
    make_case(category=make_category("P-1", precision="none"))
    make_case(category=make_category("P-2", precision="none", private=True))
    assert total(phone) == 0


@pytest.mark.parametrize("zoom", range(4, 19))
def test_no_zoom_shows_the_exact_place_of_a_case_on_the_grid(phone, zoom):
    category = make_category("P-1", precision="grid")
    make_case(at=(-79.951234, 8.554321), category=category)
    make_case(at=(-79.951001, 8.554499), category=category)
    found = phone.get(HEAT, {"zoom": zoom}).json()
    # Two reports of one cell of the public grid are one place.
    assert [weight for *_, weight in found["cells"]] == [2]
    # Nor does a box find out where in its cell a case is.
    half = "-79.9513,8.5543,-79.9511,8.5544"
    assert total(phone, bbox=half, zoom=str(zoom)) == 0


def test_cells_that_are_cut_off_are_counted_in_the_total(phone, monkeypatch):
    for n in range(4):
        make_case(at=(-79.95 + n / 100, 8.55))
    monkeypatch.setattr(heatmap, "MOST_CELLS", 2)
    found = phone.get(HEAT, {"zoom": 14}).json()
    assert (len(found["cells"]), found["total"]) == (2, 4)


def test_wrong_parameters_are_told_together(phone):
    refused = phone.get(HEAT, {"zoom": "99", "state": "nada", "bbox": "1,2"})
    assert refused.status_code == 400
    assert refused["Content-Type"] == "application/problem+json"
    body = refused.json()
    assert body["type"] == "/problems/invalid-parameters"
    assert {error["pointer"] for error in body["errors"]} == {
        "?zoom",
        "?state",
        "?bbox",
    }


def test_the_question_is_one_statement(phone, django_assert_num_queries):
    with django_assert_num_queries(1):
        phone.get(HEAT, {"bbox": "-80,8.5,-79.8,8.6"})


def test_it_is_compressed_for_whoever_can_read_that(phone):
    for n in range(40):
        make_case(at=(-79.99 + n / 250, 8.55))
    asked = {"zoom": "16"}
    plain = phone.get(HEAT, asked)
    small = phone.get(HEAT, asked, headers={"Accept-Encoding": "gzip"})
    assert small["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in small["Vary"]
    assert len(small.content) < len(plain.content) / 2


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_is_only_read(phone, method):
    assert getattr(phone, method)(HEAT).status_code == 405
