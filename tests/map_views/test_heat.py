"""GET /api/v1/heat/: the heat under the public map."""

import gzip
import json
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backend.cases.models import Case
from backend.cases.workflow import Status
from geo import heatmap, sql
from provinces.models import District
from tests.factories import make_case, make_category, make_territory
from tests.geo.many import multiply

HEAT = "/api/v1/heat/"
TILE = "/tiles/heat/10/284/487.mvt"


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
    assert "max-age=10, stale-while-revalidate=60" in answer["Cache-Control"]
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
    west_half = {"bbox": "-80,8.5,-79.9,8.6", "zoom": "12"}
    assert total(phone, **west_half) == 2
    assert total(phone, **west_half, state="resolved") == 0


@pytest.mark.parametrize("query", ["category=,", "group=,,", "state=all&state=open"])
@pytest.mark.parametrize("address", [HEAT, TILE])
def test_a_filter_that_chooses_nothing_is_not_all_of_them(phone, address, query):
    assert phone.get(f"{address}?{query}").status_code == 400
    # What caches and links add is no filter.
    assert phone.get(f"{address}?utm_source=x&_=1").status_code == 200


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
    # Nor does a box find out where in its cell a case is: it counts whole cells.
    half = "-79.9513,8.5543,-79.9511,8.5544"
    assert total(phone, bbox=half, zoom=str(zoom)) == 2


def test_cells_that_are_cut_off_are_counted_in_the_total(phone, monkeypatch):
    for n in range(4):
        make_case(at=(-79.95 + n / 100, 8.55))
    monkeypatch.setattr(heatmap, "MOST_CELLS", 2)
    found = phone.get(HEAT, {"zoom": 14, "bbox": "-80,8.5,-79.8,8.6"}).json()
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


def test_the_question_is_one_statement_and_a_304_none(phone):
    make_case()
    asked = {"bbox": "-80,8.5,-79.8,8.6"}
    with CaptureQueriesContext(connection) as first:
        answer = phone.get(HEAT, asked)
    assert sum("cases_heattile" in query["sql"] for query in first) == 1
    with CaptureQueriesContext(connection) as second:
        again = phone.get(HEAT, asked, headers={"If-None-Match": answer["ETag"]})
    assert sum("cases_heattile" in query["sql"] for query in second) == 0
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == answer["ETag"]
    assert again["Cache-Control"] == answer["Cache-Control"]
    make_case()
    changed = phone.get(HEAT, asked, headers={"If-None-Match": answer["ETag"]})
    assert (changed.status_code, changed.json()["total"]) == (200, 2)


def test_what_changed_since_a_moment_has_no_tag_for_nothing_counted_tells_of_it(phone):
    case, soon = make_case(), timezone.now() + timedelta(minutes=5)
    for path in (HEAT, f"{HEAT}months/", TILE):
        assert "ETag" not in phone.get(path, {"changed_since": soon.isoformat()})
        assert "ETag" in phone.get(path)
    assert phone.get(HEAT, {"changed_since": soon.isoformat()}).json()["total"] == 0
    # As a photo that becomes public does.
    Case.objects.filter(pk=case.pk).update(updated_at=soon)
    assert phone.get(HEAT, {"changed_since": soon.isoformat()}).json()["total"] == 1


def test_places_have_another_tag_with_other_names_or_figures(phone):
    tile = "/tiles/places/9/143/243.mvt"
    before = {path: phone.get(path)["ETag"] for path in (f"{HEAT}places/", tile)}
    District.objects.filter(code="9001").update(
        name="Otro", population=5, population_year=2023, population_source="INEC"
    )
    for path, tag in before.items():
        again = phone.get(path, headers={"If-None-Match": tag})
        assert again.status_code == 200, path
        assert again["ETag"] != tag


def test_who_reads_another_language_has_the_same_tag(phone):
    spanish = phone.get(HEAT)
    assert phone.get(HEAT, headers={"Accept-Language": "en"})["ETag"] == spanish["ETag"]


@pytest.mark.parametrize("path", [HEAT, f"{HEAT}months/", f"{HEAT}places/", TILE])
def test_a_question_that_takes_too_long_is_given_up(phone, monkeypatch, path):
    def slow() -> str:
        sql.rows(sa.select(sa.func.pg_sleep(10)))
        return ""

    monkeypatch.setattr("map_views.current.PATIENCE_MILLISECONDS", 30)
    monkeypatch.setattr("map_views.heat_map.version", slow)
    monkeypatch.setattr("geo.heatmap.version", slow)
    answer = phone.get(path)
    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert answer["Content-Type"] == "application/problem+json"
    # The next question has all the time it had before.
    monkeypatch.undo()
    assert phone.get(path).status_code == 200


def test_each_month_is_told_those_without_cases_too(phone):
    make_case(filed_at=datetime.fromisoformat("2025-12-31T23:00-05:00"))
    make_case(filed_at=datetime.fromisoformat("2026-02-01T00:00-05:00"))
    found = phone.get(f"{HEAT}months/", {"group": "PRU"}).json()
    assert found["months"] == [
        {"month": "2025-12", "open": 1, "resolved": 0, "other": 0},
        {"month": "2026-01", "open": 0, "resolved": 0, "other": 0},
        {"month": "2026-02", "open": 1, "resolved": 0, "other": 0},
    ]
    assert phone.get(f"{HEAT}months/", {"place": "9002"}).json()["months"] == []


def test_each_place_is_told_those_without_cases_too(phone):
    make_case()
    make_case(status=Status.RESOLVED)
    found = phone.get(f"{HEAT}places/", {"place": "90"}).json()
    assert (found["level"], found["population"]) == ("district", None)
    places = {place["code"]: place for place in found["places"]}
    assert len(places) == District.objects.count()
    # A tenth of a degree each way, at 8.5° from the equator.
    assert places["9001"].pop("area_km2") == pytest.approx(121.8, abs=0.5)
    assert places["9001"] == {
        "code": "9001",
        "name": "Oeste",
        "open": 1,
        "resolved": 1,
        "other": 0,
        "population": None,
    }
    assert (places["9002"]["open"], places["9002"]["resolved"]) == (0, 0)


def test_people_are_counted_only_where_each_place_has_its_figure(phone):
    def told() -> Any:
        return phone.get(f"{HEAT}places/").json()["population"]

    figure = {"population": 100, "population_year": 2023, "population_source": "INEC"}
    squares = District.objects.filter(code__startswith="90")
    squares.filter(code="9001").update(**figure)
    assert told() is None
    squares.update(**figure)
    assert told() == {"year": 2023, "source": "INEC"}


def test_a_level_that_is_none_is_refused(phone):
    refused = phone.get(f"{HEAT}places/", {"level": "barrio"})
    assert refused.status_code == 400
    assert refused.json()["errors"][0]["pointer"] == "?level"


def test_the_fullest_view_is_small_on_the_wire(phone):
    multiply(make_case(), 6_000)
    asked = {"zoom": "14", "bbox": "-80,8.5,-79.8,8.6"}
    answer = phone.get(HEAT, asked, headers={"Accept-Encoding": "gzip"})
    assert len(answer.content) < 100_000
    cells = json.loads(gzip.decompress(answer.content))["cells"]
    assert len(cells) > 3_000


def test_it_is_compressed_for_whoever_can_read_that(phone):
    for n in range(40):
        make_case(at=(-79.99 + n / 250, 8.55))
    asked = {"zoom": "16", "bbox": "-80,8.5,-79.8,8.6"}
    plain = phone.get(HEAT, asked)
    small = phone.get(HEAT, asked, headers={"Accept-Encoding": "gzip"})
    assert small["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in small["Vary"]
    assert len(small.content) < len(plain.content) / 2


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_is_only_read(phone, method):
    assert getattr(phone, method)(HEAT).status_code == 405
