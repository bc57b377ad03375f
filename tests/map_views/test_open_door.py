"""/data/ and /ogc/: read by the pages of any site, refusing in words that programs know."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import OperationalError

from geo import copying
from tests.factories import make_case

CASES = "/ogc/collections/cases/items"
NOBODY = UUID(int=7)
IN_A_BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
ANSWERED = {
    "/data/cases.csv": 200,
    "/data/cases.geojson?limit=1": 200,
    "/data/cases.gpkg": 303,
    "/data/cases.csv?x=1": 400,
    "/data/cases.xyz": 404,
    "/data/withdrawals.csv": 200,
    f"/data/builds/{NOBODY}.json": 404,
    f"/data/files/{NOBODY}/311-movil-casos.gpkg": 404,
    "/data/dictionary.json": 200,
    "/data/dictionary.csv": 200,
    "/data/catalog.jsonld": 200,
    "/data/nada": 404,
    "/data": 301,
    "/ogc/": 200,
    CASES: 200,
    "/ogc/nada": 404,
    "/ogc/collections?x=1": 400,
}
CLOSED = ("/", "/api/v1/heat/", "/database", "/admin/login/")


@pytest.mark.parametrize(("address", "status"), ANSWERED.items())
def test_the_page_of_any_site_may_read_it(phone, squares, address, status):
    answer = phone.get(address, headers={"Origin": "https://example.org"})
    assert answer.status_code == status
    assert answer["Access-Control-Allow-Origin"] == "*"
    exposed = set(answer["Access-Control-Expose-Headers"].split(", "))
    assert exposed >= {"ETag", "Link", "Content-Disposition", "Retry-After"}
    assert not answer.cookies
    assert "Access-Control-Allow-Credentials" not in answer


def test_it_may_also_read_that_the_database_is_away(phone, squares, monkeypatch):
    def away(_statement):
        raise OperationalError("gone")

    monkeypatch.setattr(copying, "copy", away)
    answer = phone.get("/data/cases.csv")
    assert answer.status_code == 503
    assert answer["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("address", ANSWERED)
def test_a_browser_that_asks_before_it_asks_is_let_in(phone, db, address):
    answer = phone.options(
        address,
        headers={
            "Origin": "https://example.org",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "if-none-match",
        },
    )
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer["Access-Control-Allow-Origin"] == "*"
    for name in ("Allow", "Access-Control-Allow-Methods"):
        assert answer[name] == "GET, HEAD, OPTIONS"
    assert set(answer["Access-Control-Allow-Headers"].split(", ")) >= {
        *("If-None-Match", "If-Modified-Since", "Accept", "Accept-Language")
    }
    assert int(answer["Access-Control-Max-Age"]) > 0
    assert not answer.cookies


@pytest.mark.parametrize("address", CLOSED)
def test_no_other_door_is_opened(phone, db, address):
    for answer in (phone.get(address), phone.options(address)):
        assert "Access-Control-Allow-Origin" not in answer


# ── Refusals ─────────────────────────────────────────────────────────────────────

GONE = [address for address, status in ANSWERED.items() if status == 404]


@pytest.mark.parametrize("address", [*GONE, f"/data/builds/{NOBODY}", "/data/files/x"])
def test_a_program_is_told_in_its_own_way_that_nothing_is_there(phone, db, address):
    for accepted in ("*/*", "application/json", "text/csv"):
        answer = phone.get(address, headers={"Accept": accepted})
        assert answer.status_code == 404
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["type"] == "/problems/not-found"


@pytest.mark.parametrize("address", [f"/data/builds/{NOBODY}", "/data/cases.xyz"])
def test_a_person_gets_the_page_that_says_so(phone, db, address):
    answer = phone.get(address, headers=IN_A_BROWSER)
    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")
    assert "Accept" in answer["Vary"]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize(
    "address", ["/data/", "/data/cases.csv", "/data/catalog.jsonld", CASES, "/ogc/nada"]
)
def test_it_is_only_read(squares, method, address, client):
    # As a browser sends it: without the token that a change would need.
    client.handler.enforce_csrf_checks = True
    answer = getattr(client, method)(address, headers={"Host": "localhost"})
    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD, OPTIONS"
    assert answer["Content-Type"] == "application/problem+json"


def test_whoever_wants_what_is_no_longer_so_is_told_in_json(phone, squares):
    make_case()
    for address in (CASES, "/ogc/"):
        answer = phone.get(address, headers={"If-Match": '"something else"'})
        assert answer.status_code == 412
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["type"] == "/problems/precondition-failed"
