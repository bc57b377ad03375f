"""Each class that is declared is kept, requirement by requirement.

The names are those of OGC 17-069r4 (Part 1: Core, /req/core, /req/geojson, /req/html,
/req/oas30) and of OGC 18-058r1 (Part 2: Coordinate Reference Systems, /req/crs).
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

from map_views.ogc.collections import COLLECTIONS, CRS84, FRAMES
from tests.factories import make_case

ROOT = "/ogc/"
CASES = "/ogc/collections/cases"
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
GEOJSON = "application/geo+json"
WGS84 = "http://www.opengis.net/def/crs/EPSG/0/4326"
PART_1 = "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/"
PART_2 = "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/"


@pytest.fixture
def case(squares):
    """The middle one of three, so that there are pages before and after."""
    return [make_case() for _ in range(3)][1]


@pytest.fixture
def resources(case):
    """An address for each operation of the definition, by its path."""
    found = {f"/collections/{name}": f"/ogc/collections/{name}" for name in COLLECTIONS}
    found |= {f"{path}/items": f"{address}/items" for path, address in found.items()}
    one = {"cases": case.number, "districts": "9001", "corregimientos": "900101"}
    found |= {
        f"/collections/{name}/items/{{featureId}}": f"/ogc/collections/{name}/items/{key}"
        for name, key in one.items()
    }
    return {
        **{"/": ROOT, "/conformance": "/ogc/conformance", "/api": "/ogc/api"},
        **{"/collections": "/ogc/collections"},
        **found,
    }


def links_of(document, rel: str) -> list[dict[str, str]]:
    return [link for link in document["links"] if link["rel"] == rel]


def has_both_forms(document, media: str) -> None:
    (this,), (other,) = links_of(document, "self"), links_of(document, "alternate")
    assert (this["type"], other["type"]) == (media, "text/html")


# ── Core ─────────────────────────────────────────────────────────────────────────


def test_what_is_declared_is_what_is_tested_here(phone, db):
    """/req/core/conformance-op, /req/core/conformance-success"""
    answer = phone.get("/ogc/conformance")
    assert answer.status_code == 200
    assert answer.json()["conformsTo"] == [
        *(PART_1 + name for name in ("core", "geojson", "html", "oas30")),
        PART_2 + "crs",
    ]


def test_the_landing_page_leads_everywhere(phone, db):
    """/req/core/root-op, /req/core/root-success, /req/core/api-definition-op"""
    answer = phone.get(ROOT)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    document = answer.json()
    for rel, media in {
        "service-desc": OPENAPI,
        "service-doc": "text/html",
        "conformance": "application/json",
        "data": "application/json",
    }.items():
        found = phone.get(links_of(document, rel)[0]["href"])
        assert found.status_code == 200, rel
        assert found["Content-Type"].startswith(media), rel
    assert links_of(document, "license")


def test_every_link_leads_somewhere_that_is_of_the_type_it_says(phone, resources):
    """/req/core/fc-md-links, /req/core/fc-rel-type, /req/core/f-links"""
    followed = set()
    for address in resources.values():
        for link in (
            phone.get(
                address,
                {"limit": 1}
                if "items" in address and address.endswith("items")
                else {},
            )
            .json()
            .get("links", [])
        ):
            assert {"href", "rel", "type", "title"} == link.keys()
            if not link["href"].startswith("http://localhost/"):
                assert link["rel"] == "license"
                continue
            answer = phone.get(link["href"])
            assert answer.status_code == 200, link
            assert answer["Content-Type"].startswith(link["type"]), link
            followed.add(link["rel"])
    assert {"self", "alternate", "items", "collection", "next", "data"} <= followed


@pytest.mark.parametrize("query", ["nada=1", "F=json", "bbox2=1", "limit=1&limt=1"])
def test_a_parameter_that_is_not_defined_is_refused_everywhere(phone, resources, query):
    """/req/core/query-param-unknown"""
    for address in [*resources.values(), "/ogc/311-movil.qgz"]:
        answer = phone.get(f"{address}?{query}")
        assert answer.status_code == 400, address
        assert answer["Content-Type"] == "application/problem+json"
        assert answer["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    "query",
    [
        *(
            "f=xml",
            "f=",
            "f=json&f=html",
            "limit=0",
            "limit=-1",
            "limit=x",
            "limit=1.5",
        ),
        *("limit=", "limit=٣", "bbox=1,2,3", "bbox=1,2,3,4,5", "bbox=a,b,c,d"),
        *(
            "bbox=-80,9,-79,8",
            "bbox=-181,8,-79,9",
            "bbox=-80,8,-79,91",
            "bbox=nan,8,9,9",
        ),
        *("bbox=1,2,3,4,5,2", "bbox=1e999,2,3,4", "bbox=-80,8,-79,9&bbox=-80,8,-79,9"),
        *("bbox-crs=EPSG:4326", "crs=4326", "crs=http://example.org/crs", "crs=%00"),
        *("datetime=ayer", "datetime=2026-13-01", "datetime=../..", "datetime=/"),
        *(
            "datetime=2026-01-02/2026-01-01",
            "datetime=2026-01-01T00:00:00",
            "after=%00",
        ),
        # In the order of time a page begins after a moment, which has an offset.
        *(
            f"after={end}&datetime=2026-01-01"
            for end in (
                *("26-0000123-2", ",26-0000123-2", "ayer,26-0000123-2"),
                *("2026-01-01T00:00:00,26-0000123-2", "0001-01-01T00:00:00%2B14:00,x"),
            )
        ),
        *("datetime=2026-01-01T25:00:00Z", "datetime=2026-01-01/2026-01-02/2026-01-03"),
        *("open=yes", "demo=2", "status=", "status=a&status=b", "category=%00"),
    ],
)
def test_a_value_that_is_not_valid_is_refused(phone, case, query):
    """/req/core/query-param-invalid, /req/crs/fc-bbox-crs-valid-value, …/fc-crs-valid-value"""
    answer = phone.get(f"{CASES}/items?{query}")
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["pointer"] == f"?{query.partition('=')[0]}"


def test_what_is_not_there_is_not_found(phone, case):
    """/req/core/sfc-md-op, /req/core/f-op"""
    for path in (
        *("nada", "collections/nada", "collections/nada/items", "collections/cases/x"),
        *("collections/cases/items/26-9999999-9", "collections/cases/items/%00"),
    ):
        answer = phone.get(ROOT + path)
        assert answer.status_code == 404, path
        assert answer["Content-Type"] == "application/problem+json"


def test_the_collections_are_described(phone, case):
    """/req/core/fc-md-success, …/fc-md-items, …/fc-md-items-links, …/fc-md-extent"""
    document = phone.get("/ogc/collections").json()
    has_both_forms(document, "application/json")
    assert [one["id"] for one in document["collections"]] == list(COLLECTIONS)
    for about in document["collections"]:
        assert {link["type"] for link in links_of(about, "items")} == {
            GEOJSON,
            "text/html",
        }
        own = phone.get(f"/ogc/collections/{about['id']}").json()
        has_both_forms(own, "application/json")
        assert {**own, "links": 0} == {**about, "links": 0}
    cases = document["collections"][0]["extent"]
    assert cases["spatial"] == {"bbox": [[-79.95, 8.55, -79.95, 8.55]], "crs": CRS84}
    ((begin, end),) = cases["temporal"]["interval"]
    assert datetime.fromisoformat(begin) <= case.filed_at
    assert end is None


def test_a_page_of_features_counts_itself_and_leads_on(phone, case):
    """/req/core/fc-limit-response-1, …/fc-links, …/fc-timeStamp, …/fc-numberReturned,
    …/fc-numberMatched"""
    address, seen = f"{CASES}/items?limit=2", []
    while address:
        document = phone.get(address).json()
        has_both_forms(document, GEOJSON)
        assert document["numberReturned"] == len(document["features"]) <= 2
        assert "numberMatched" not in document
        assert re.fullmatch(r"[\d-]{10}T[\d:]{8}Z", document["timeStamp"])
        seen += [feature["id"] for feature in document["features"]]
        address = next((link["href"] for link in links_of(document, "next")), "")
        assert not address or parse_qs(urlsplit(address).query)["limit"] == ["2"]
    assert len(seen) == len(set(seen)) == 3
    assert phone.get(f"{CASES}/items").json()["numberMatched"] == 3


def test_more_than_is_ever_given_is_no_mistake(phone, case):
    """/req/core/fc-limit-definition, …/fc-limit-response-1"""
    for limit in ("10000", "10001", "9" * 500):
        assert phone.get(f"{CASES}/items", {"limit": limit}).status_code == 200


def test_a_box_chooses(phone, case):
    """/req/core/fc-bbox-definition, …/fc-bbox-response"""
    inside = [
        "-80,8.5,-79.9,8.6",
        "-80,8.5,-10,-79.9,8.6,9000",
        "-79.95,8.55,-79.95,8.55",
    ]
    inside += ["-180,-90,180,90", "170,8,-79,9", " -80 , 8.5 , -79.9 , 8.6 "]
    for box in inside:
        assert phone.get(f"{CASES}/items", {"bbox": box}).json()["numberReturned"] == 3
    for box in ("-79.9,8.5,-79.8,8.6", "170,8,-170,9", "-79,8,170,9"):
        assert phone.get(f"{CASES}/items", {"bbox": box}).json()["numberReturned"] == 0


def test_a_time_chooses(phone, squares):
    """/req/core/fc-time-definition, …/fc-time-response"""
    moment = datetime.fromisoformat("2026-03-01T12:00:00.500000+00:00")
    make_case(filed_at=moment)
    written = phone.get(f"{CASES}/items").json()["features"][0]["properties"][
        "filed_at"
    ]
    assert written == "2026-03-01T07:00:00-05:00"
    within = [written, "2026-03-01T12:00:00Z", "2026-03-01t12:00:00z", "2026-03-01"]
    within += ["../2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z/..", "2026-03-01/"]
    within += ["/2026-03-01", "2026-03-01T12:00:00.5Z", "2026-02-28/2026-03-01"]
    # In an address a plus sign is a blank, and programs forget it.
    within += ["2026-03-01T12:00:00 00:00", "2026-03-01T12:00:00 00:00/.."]
    within += ["0001-01-01T00:00:00+05:00/9999-12-31T23:59:59-05:00"]
    for text in within:
        found = phone.get(f"{CASES}/items", {"datetime": text})
        assert found.json()["numberReturned"] == 1, text
    without = ["2026-03-01T12:00:01Z/..", "../2026-03-01T11:59:59Z", "2026-03-02"]
    without += ["2026-03-01T12:00:00.4Z", "2026-02-27/2026-02-28"]
    for text in without:
        found = phone.get(f"{CASES}/items", {"datetime": text})
        assert found.json()["numberReturned"] == 0, text
    # What has no time of its own is there at all times.
    places = phone.get("/ogc/collections/districts/items", {"datetime": "1900-01-01"})
    assert places.json()["numberReturned"] == 2


# ── GeoJSON ──────────────────────────────────────────────────────────────────────


def test_features_are_geojson_with_their_links(phone, resources, case):
    """/req/geojson/definition, /req/geojson/content, /req/core/f-success"""
    for path, address in resources.items():
        answer = phone.get(address)
        assert answer.status_code == 200
        expected = GEOJSON if "/items" in path else "application/json"
        assert answer["Content-Type"] == (OPENAPI if path == "/api" else expected)
    for accepted in ("*/*", "application/json", GEOJSON, "image/png"):
        answer = phone.get(f"{CASES}/items", headers={"Accept": accepted})
        assert answer["Content-Type"] == GEOJSON
    feature = phone.get(f"{CASES}/items/{case.number}").json()
    assert feature["type"] == "Feature"
    assert feature["id"] == feature["properties"]["number"] == case.number
    has_both_forms(feature, GEOJSON)
    assert len(links_of(feature, "collection")) == 2
    (page,) = links_of(feature, "related")
    assert urlsplit(page["href"]).path == f"/casos/{case.number}"


def test_rings_run_as_geojson_wants(phone, squares):
    """/req/geojson/content, by RFC 7946, 3.1.6"""
    (shape, _) = phone.get("/ogc/collections/districts/items").json()["features"]
    (((*ring, _),),) = shape["geometry"]["coordinates"]
    turns = [
        x1 * y2 - x2 * y1
        for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], ring[0]], strict=True)
    ]
    assert sum(turns) > 0


# ── HTML ─────────────────────────────────────────────────────────────────────────


class Page(HTMLParser):
    """The text of a page and where its links lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.links.add(dict(attrs).get("href", ""))

    def handle_data(self, data):
        self.words.append(data)


def leaves(document):
    if isinstance(document, dict):
        for value in document.values():
            yield from leaves(value)
    elif isinstance(document, list):
        for value in document:
            yield from leaves(value)
    elif document is not None:
        yield document


def test_every_answer_is_also_a_page_that_says_the_same(phone, resources):
    """/req/html/definition, /req/html/content"""
    for path, address in resources.items():
        told = phone.get(address, {"f": "json"}).json()
        answer = phone.get(address, headers={"Accept": "text/html,*/*;q=0.8"})
        assert answer["Content-Type"] == "text/html; charset=utf-8"
        text = answer.content.decode()
        assert text.startswith("<!doctype html>")
        assert phone.get(address, {"f": "html"}).status_code == 200
        page = Page(text)
        if path == "/api":
            continue
        words = " ".join(page.words)
        links = told.pop("links")
        for about in [*told.get("collections", []), *told.get("features", [])]:
            links += about.pop("links", [])
        hrefs = {link["href"] for link in links}
        led_to = {urlsplit(href).path for href in page.links}
        assert {urlsplit(href).path for href in hrefs} <= led_to
        told.pop("timeStamp", None)
        for value in leaves(told):
            said = json.dumps(value) if isinstance(value, bool) else str(value)
            assert said in words, (path, said)


def test_the_page_of_the_definition_names_every_operation(phone, db):
    """/req/oas30/oas-definition-1"""
    definition = phone.get("/ogc/api").json()
    words = " ".join(Page(phone.get("/ogc/api?f=html").content.decode()).words)
    for path, described in definition["paths"].items():
        assert f"GET {path}" in words
        for one in described["get"]["parameters"]:
            assert one.get("name", one.get("$ref", "").rsplit("/", 1)[-1]) in words


# ── OpenAPI 3.0 ──────────────────────────────────────────────────────────────────


def test_the_definition_is_valid(phone, db):
    """/req/oas30/oas-definition-2, /req/oas30/oas-common"""
    answer = phone.get("/ogc/api")
    assert answer["Content-Type"] == OPENAPI
    assert answer.json()["openapi"].startswith("3.0.")
    OpenAPIV30SpecValidator(answer.json()).validate()


def test_what_is_defined_is_done(phone, resources):
    """/req/oas30/oas-impl, /req/oas30/completeness, /req/oas30/exceptions-codes"""
    definition = phone.get("/ogc/api").json()
    assert definition["servers"] == [{"url": "http://localhost/ogc"}]
    # No test territory has an outline of a province.
    of_a_province = "/collections/provinces/items/{featureId}"
    assert definition["paths"].keys() - {of_a_province} == resources.keys()
    for path, address in resources.items():
        operation = definition["paths"][path]["get"]
        names = []
        for one in operation["parameters"]:
            if "$ref" in one:
                one = definition["components"]["parameters"][
                    one["$ref"].rsplit("/")[-1]
                ]
            if one["in"] == "query":
                names.append((one["name"], one["schema"]))
        for name, schema in names:
            sample = {
                "limit": 5,
                "bbox": "-80,8,-79,9",
                "datetime": "2026-01-01/..",
                "f": "json",
            }.get(
                name,
                schema.get("default", "true" if schema["type"] == "boolean" else "x"),
            )
            assert phone.get(address, {name: sample}).status_code == 200, (path, name)
        assert {"200", "304", "400", "404", "405", "412", "500", "503"} == operation[
            "responses"
        ].keys()


# ── Coordinate reference systems ─────────────────────────────────────────────────


def test_every_collection_names_its_systems(phone, case):
    """/req/crs/fc-md-crs-list, /req/crs/fc-md-storageCrs-valid-value"""
    for about in phone.get("/ogc/collections").json()["collections"]:
        assert about["crs"] == list(FRAMES)
        assert about["storageCrs"] in about["crs"]
        assert about["crs"][0] == CRS84


@pytest.mark.parametrize("uri", FRAMES)
def test_the_system_that_is_asked_for_is_the_one_that_comes(phone, case, uri):
    """/req/crs/fc-crs-action, /req/crs/ogc-crs-header, …/ogc-crs-header-value"""
    for address in (f"{CASES}/items", f"{CASES}/items/{case.number}"):
        answer = phone.get(address, {"crs": uri})
        assert answer["Content-Crs"] == f"<{uri}>"
        found = answer.json()
        feature = found["features"][1] if "features" in found else found
        x, y = feature["geometry"]["coordinates"]
        expected = {
            CRS84: (-79.95, 8.55),
            WGS84: (8.55, -79.95),
            "http://www.opengis.net/def/crs/EPSG/0/3857": (-8899993, 955334),
            "http://www.opengis.net/def/crs/EPSG/0/32617": (615536, 945240),
        }[uri]
        assert (x, y) == pytest.approx(expected, abs=500 if x < -180 or x > 180 else 0)
    assert phone.get(f"{CASES}/items")["Content-Crs"] == f"<{CRS84}>"


def test_a_box_is_read_in_its_system(phone, case):
    """/req/crs/fc-bbox-crs-definition, /req/crs/fc-bbox-crs-action"""
    boxes = {
        CRS84: "-80,8.5,-79.9,8.6",
        WGS84: "8.5,-80,8.6,-79.9",
        "http://www.opengis.net/def/crs/EPSG/0/3857": "-8905559,950000,-8894000,961000",
        "http://www.opengis.net/def/crs/EPSG/0/32617": "610000,940000,620000,950000",
    }
    for uri, box in boxes.items():
        query = {"bbox": box, "bbox-crs": uri}
        assert phone.get(f"{CASES}/items", query).json()["numberReturned"] == 3, uri
        away = {**query, "bbox": "10,10,11,11"}
        assert phone.get(f"{CASES}/items", away).json()["numberReturned"] == 0, uri
    # As wide as a program draws that has zoomed out beyond the world.
    for uri in list(boxes)[2:]:
        query = {"bbox": "-1e12,-1e12,1e12,1e12", "bbox-crs": uri}
        assert phone.get(f"{CASES}/items", query).json()["numberReturned"] == 3, uri
