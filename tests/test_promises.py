"""What must hold everywhere, also in what is written tomorrow."""

from __future__ import annotations

import ast
import json
import os
import re
import runpy
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID, uuid4

import pytest
import yaml
from django.conf import settings
from django.contrib import admin
from django.contrib.gis import forms
from django.contrib.gis.db.models import GeometryField
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from backend.accounts.devices import issue_device
from backend.accounts.models import User
from backend.cases.citizens import Complaint, flag, invite, step_of, take_step
from backend.cases.filing import Contact
from backend.cases.handling import Transition, change_status
from backend.cases.heat import fold
from backend.cases.models import Case, Category
from backend.cases.photos import withhold
from backend.cases.workflow import OPEN, Status
from geo import features, sql
from geo.any_view import numbers_of
from geo.cells import LEVELS, View, cell_at, corner
from geo.export import geojson
from geo.features import CASES, CRS84, Area, Question
from geo.filters import STATES, Box, Filters
from geo.heatmap import heat, months
from geo.nearby import nearby
from geo.tiles import drawn_points
from map_views.ogc.collections import FRAMES
from tests.factories import (
    make_case,
    make_category,
    make_crew,
    make_entity,
    make_photo,
    make_territory,
)
from tests.geo.many import multiply, plan_of
from tests.jobs import run_jobs
from tests.mobile_api.calls import (
    SIMILAR,
    citizens_phone,
    phone_of,
    send,
    step_body,
    transition_body,
)

ROOT = Path(settings.BASE_DIR)
PACKAGES = ["backend", "geo", "map_views", "mobile_api", "provinces"]


@pytest.fixture(autouse=True)
def quick_passwords(settings):
    """A hash that takes a fifth of a second protects nothing here."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def sources() -> Iterator[tuple[str, ast.Module]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


# ── The database ─────────────────────────────────────────────────────────────────


def test_no_migration_is_missing(db):
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def points_tile() -> None:
    """The one statement of a tile that looks at the cases themselves."""
    zoom, x, y = 16, 18224, 31199
    view = View.of_tile(zoom, x, y)
    asked = drawn_points(Filters())
    sql.rows(asked, **numbers_of(view), zoom=zoom, x=x, y=y)


CORNER = Box(-79.905, 8.545, -79.9, 8.55)
QUESTIONS = {
    "geo/export.py": lambda: list(geojson(Filters(box=CORNER))),
    "geo/features.py": lambda: features.page(
        CASES, Question(limit=100, area=Area(CRS84, (CORNER,)))
    ),
    "geo/sums.py": lambda: heat(Filters(box=CORNER), 16),
    "geo/tiles.py": points_tile,
    "geo/totals.py": lambda: months(Filters(box=CORNER)),
    "geo/nearby.py": lambda: nearby(["OBRAS"], -79.9, 8.55, 5000, OPEN, 20),
}
# Of the heat's version, which is of no place.
OTHER_QUESTIONS = {"geo/heatmap.py"}


def test_every_question_of_the_map_is_found_by_the_index_of_places(db):
    make_territory()
    multiply(make_case(category=make_category()), 8000)
    fold()
    for module, question in QUESTIONS.items():
        plan = plan_of(question)
        # Or by the key of what was counted beforehand.
        found = re.search(
            r"(public|open)_cases_by(_entity_and)?_place|cases_heat(cell|tile)_pkey",
            plan,
        )
        assert found, f"{module}:\n{plan}"
        assert "Seq Scan on cases_case" not in plan, f"{module}:\n{plan}"


def test_no_question_of_the_map_is_without_such_a_test():
    asking = {
        path
        for path, tree in sources()
        for call in calls_of(tree)
        if path.startswith("geo/")
        and call in {"sql.rows", "sql.rows_in_binary", "sql.stream", "copying.copy"}
    }
    assert asking == QUESTIONS.keys() | OTHER_QUESTIONS


# ── Nothing a stranger writes reaches GDAL or GEOS ───────────────────────────────

# They read files and addresses, or have done so (CVE-2026-15307, CVE-2026-114582).
READERS = {
    "GEOSGeometry",
    "GEOSGeometryBase",
    "OGRGeometry",
    "GDALRaster",
    "SpatialReference",
    "CoordTransform",
    "DataSource",
    "LayerMapping",
    "WKTReader",
    "WKBReader",
    "fromstr",
    "fromfile",
    "from_ewkt",
    "from_gml",
    "from_json",
    "from_wkt",
    "from_bbox",
    "from_geojson",
    "transform",
    "hex_regex",
}
MAY_READ = {
    # The well-known binary form that shapely has just written.
    ("provinces/loading.py", "GEOSGeometry"),
    # Boundary files, which an operator loads by hand.
    ("provinces/boundary_files.py", "shapely.from_geojson"),
    # Numbers into numbers, with a function of ours.
    ("map_views/basemap.py", "shapely.transform"),
    ("provinces/boundary_index.py", "shapely.transform"),
}


def calls_of(tree: ast.AST) -> Iterator[str]:
    """The names of what is called, as they are written: `f`, `module.f`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(
            node.func, ast.Name | ast.Attribute
        ):
            yield ast.unparse(node.func)


def readers_in(path: str, tree: ast.AST) -> set[tuple[str, str]]:
    names = set(calls_of(tree))
    return {(path, name) for name in names if name.rsplit(".", 1)[-1] in READERS}


def test_no_text_reaches_the_parsers_of_shapes():
    found = set().union(*(readers_in(path, tree) for path, tree in sources()))
    assert found <= MAY_READ


def test_what_may_be_read_is_what_we_have_written():
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "GEOSGeometry":
                first = ast.unparse(node.args[0])
                assert first.startswith("memoryview(shapely.to_wkb("), path


@pytest.mark.parametrize(
    "line",
    [
        "GEOSGeometry(text)",
        "geos.GEOSGeometry(text)",
        "SpatialReference(srid)",
        "Point.from_ewkt(text)",
        "case.location.transform(srid)",
        "GDALRaster(request.GET['r'])",
    ],
)
def test_a_call_of_such_a_parser_would_be_seen(line):
    assert readers_in("geo/new.py", ast.parse(line)) - MAY_READ


def test_gdal_is_imported_nowhere():
    for path, tree in sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names]
                written = f"{getattr(node, 'module', '')} {' '.join(names)}"
                assert "gdal" not in written, path
                assert "osgeo" not in written, path


def shapes_from(model: Any, steps: int = 3) -> Iterator[str]:
    """The lookups that lead from a model to a shape."""
    for field in model._meta.get_fields():
        if isinstance(field, GeometryField):
            yield field.name
        elif field.related_model and steps:
            for rest in shapes_from(field.related_model, steps - 1):
                yield f"{field.name}__{rest}"


def test_the_administration_reads_no_shape_from_an_address(db):
    staff = Client(HTTP_HOST="localhost")
    staff.force_login(User.objects.create_superuser("jefa"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        stranger = f"/vsicurl/http://127.0.0.1:{listener.getsockname()[1]}/"
        asked = 0
        for model in admin.site._registry:
            address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
            for shape in set(shapes_from(model)):
                for text in (stranger, '{"type":"Point","coordinates":[0,0]}'):
                    answer = staff.get(address, {f"{shape}__intersects": text})
                    # Sent back to the list without it, or refused.
                    assert answer.status_code in {302, 400}, (address, shape)
                    asked += 1
        assert asked > 20
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_the_administration_has_no_field_for_a_shape(db):
    request = RequestFactory().get("/admin/")
    request.user = User.objects.create_superuser("jefa")
    for model, page in admin.site._registry.items():
        fields = page.get_form(request, change=True).base_fields.values()
        assert not any(isinstance(field, forms.GeometryField) for field in fields), (
            model
        )


# ── Every address ────────────────────────────────────────────────────────────────

SAMPLES = {"int": "1", "slug": "x", "str": "x", "path": "x", "uuid": str(UUID(int=311))}


def addresses(patterns: Any = None, before: str = "/") -> Iterator[str]:
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        route = str(pattern.pattern)
        if isinstance(pattern, URLResolver) and pattern.namespace != "admin":
            yield from addresses(pattern.url_patterns, before + route)
        elif isinstance(pattern, URLPattern) and not route.startswith("^"):
            yield before + re.sub(r"<(\w+):\w+>", lambda m: SAMPLES[m[1]], route)


@pytest.fixture
def staff(db) -> Client:
    make_territory()
    user = make_crew(username="mesa")
    user.is_staff = True
    user.save()
    return phone_of(user)


def test_there_are_addresses_to_try():
    found = set(addresses())
    assert {
        "/",
        "/api/v1/reports/",
        "/fotos/x",
        "/readyz",
        "/data/cases.geojson",
        "/open311/v2/requests.xml",
    } <= found


JUNK = [
    ("application/json", b"{"),
    ("application/json", b"[" * 50_000),
    ("application/json", b'{"id": "\\ud800"}'),
    ("application/json", b"[]"),
    ("application/x-www-form-urlencoded", b"a=%00&numero=%00&pin=%00&language=%00"),
    ("application/x-www-form-urlencoded", b"%ff=%ff&numero=%ff&next=%ff"),
    ("multipart/form-data; boundary=x", b"--x\r\n"),
    ("application/x-www-form-urlencoded; charset=latin-1", b"api_key=\xe9"),
    ("multipart/form-data", b"x"),
    ("text/xml", b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>"),
]


@pytest.mark.parametrize("address", sorted(set(addresses())))
def test_no_address_falls_over(staff, address):
    for method in ("post", "put", "patch", "delete"):
        for content_type, body in JUNK:
            answer = staff.generic(method.upper(), address, body, content_type)
            assert answer.status_code < 500, (method, body)
    for query in ("", "?a=%00&bbox=%ff", "?numero=%00&propio=%00&v=%00&s=%00"):
        answer = staff.get(address + query)
        assert answer.status_code < 500
        if answer.streaming:
            answer.getvalue()


@pytest.mark.parametrize("address", sorted(set(addresses())))
def test_every_answer_carries_the_safe_headers(staff, address):
    answer = staff.get(address)
    assert answer["X-Content-Type-Options"] == "nosniff"
    # One page is made to be framed by others, and nothing on it can be pressed by mistake.
    if address != "/mapa/incrustar":
        assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert "Server" not in answer
    if answer.streaming:
        answer.getvalue()


# ── Who may do what, for every operation that the API describes ──────────────────

CASE, NEAR = "/api/v1/cases/{number}/", "/api/v1/crew/cases/nearby/"
MOVE = "/api/v1/crew/cases/{number}/transitions/"
MY_DATA = "/api/v1/cases/{number}/my-data/"
PHOTO = "/api/v1/reports/{report_id}/photos/{photo_id}/"
HERE = "?lat=8.55&lon=-79.95"
PRU_01 = f"{HERE}&category=PRU-01"

# Who calls: nobody in particular, the phone that sent the case, another phone, whoever
# has the case's PIN, a crew of another entity, the case's own crew, and a member of the
# staff without an entity.
Row = list[int]
EVERYONE: Row = [200] * 7


def by_token(stranger: int, other_crew: int, own_crew: int, staff: int) -> Row:
    """Where neither a phone nor a PIN makes a difference."""
    return [stranger] * 4 + [other_crew, own_crew, staff]


# Private cases are there only for whoever has their PIN, and for their crew.
BY_PHONE: tuple[Row, Row] = (
    [401, 201, 201, 201, 401, 401, 401],
    [401, 404, 404, 201, 401, 401, 401],
)
BY_PIN: tuple[Row, Row] = (
    [403, 403, 403, 201, 403, 403, 403],
    [404, 404, 404, 201, 404, 404, 404],
)
# By operation: what each of them is answered for a public and for a private case.
MATRIX: dict[tuple[str, str], tuple[Row, Row]] = {
    (CASE, "get"): (EVERYONE, [404, 404, 404, 200, 404, 404, 404]),
    (f"{CASE}answer/", "post"): BY_PIN,
    (f"{CASE}cancel/", "post"): BY_PIN,
    (f"{CASE}confirm/", "post"): BY_PIN,
    (f"{CASE}flag/", "post"): BY_PHONE,
    (f"{CASE}follow/", "post"): BY_PHONE,
    (f"{CASE}reopen/", "post"): BY_PIN,
    (f"{CASE}support/", "post"): BY_PHONE,
    (MY_DATA, "get"): (
        [403, 403, 403, 200, 403, 403, 403],
        [404, 404, 404, 200, 404, 404, 404],
    ),
    (MY_DATA, "delete"): (
        [403, 403, 403, 204, 403, 403, 403],
        [404, 404, 404, 204, 404, 404, 404],
    ),
    (SIMILAR, "get"): (EVERYONE, EVERYONE),
    (NEAR, "get"): (by_token(401, 200, 200, 200),) * 2,
    (MOVE, "post"): (by_token(401, 404, 201, 404),) * 2,
    ("/api/v1/auth/token/", "post"): ([400] * 7,) * 2,
    ("/api/v1/auth/token/", "delete"): (by_token(401, 204, 204, 204),) * 2,
    ("/api/v1/categories/", "get"): (EVERYONE, EVERYONE),
    ("/api/v1/config/", "get"): (EVERYONE, EVERYONE),
    ("/api/v1/devices/", "post"): ([201] * 7,) * 2,
    # A phone's own, and nobody else's.
    ("/api/v1/devices/me/", "delete"): ([401, 204, 204, 204, 401, 401, 401],) * 2,
    ("/api/v1/devices/me/", "get"): ([401, 200, 200, 200, 401, 401, 401],) * 2,
    ("/api/v1/devices/me/", "patch"): ([401, 200, 200, 200, 401, 401, 401],) * 2,
    ("/api/v1/heat/", "get"): (EVERYONE, EVERYONE),
    ("/api/v1/heat/months/", "get"): (EVERYONE, EVERYONE),
    ("/api/v1/heat/places/", "get"): (EVERYONE, EVERYONE),
    ("/api/v1/places/at/", "get"): (EVERYONE, EVERYONE),
    ("/api/v1/places/search/", "get"): (EVERYONE, EVERYONE),
    ("/api/v1/proof/", "get"): (EVERYONE, EVERYONE),
    ("/api/v1/reports/", "post"): ([400] * 7,) * 2,
    # For whoever holds the report's id; here without a photo.
    (PHOTO, "get"): (EVERYONE, EVERYONE),
    (PHOTO, "put"): ([422] * 7,) * 2,
    ("/api/v1/routing/explain/", "get"): (by_token(401, 403, 403, 200),) * 2,
}
QUERIES = {
    NEAR: HERE,
    SIMILAR: PRU_01,
    "/api/v1/places/at/": HERE,
    "/api/v1/routing/explain/": PRU_01,
}
# What is sent, where it is not `{}`, and the status that the case must have for it.
BODIES: dict[str, Callable[[], dict[str, Any]]] = {
    MOVE: transition_body,
    f"{CASE}answer/": lambda: step_body("El de la esquina."),
    f"{CASE}cancel/": step_body,
    f"{CASE}confirm/": step_body,
    f"{CASE}flag/": lambda: step_body(reason="other"),
    f"{CASE}follow/": lambda: step_body(on=True),
    f"{CASE}reopen/": lambda: step_body("Sigue igual."),
    f"{CASE}support/": step_body,
}
STARTS = {
    f"{CASE}answer/": Status.WAITING_FOR_CITIZEN,
    f"{CASE}confirm/": Status.RESOLVED,
    f"{CASE}reopen/": Status.RESOLVED,
}


def test_every_operation_says_who_may():
    document = yaml.safe_load((ROOT / "mobile_api" / "openapi.yaml").read_text())
    described = {
        (path, method)
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert described == MATRIX.keys()


def everyone_of(case: Case) -> list[Client]:
    """Those who call, in the order of the table."""
    sent_by = issue_device()
    Case.objects.filter(pk=case.pk).update(device=sent_by.device)
    own_phone = {"Authorization": f"Device {sent_by.token}"}
    return [
        Client(HTTP_HOST="localhost"),
        Client(HTTP_HOST="localhost", headers=own_phone),
        citizens_phone(),
        citizens_phone(case.pin),
        phone_of(make_crew(make_entity("IDAAN"), "otra")),
        phone_of(make_crew(case.entity, "propia")),
        phone_of(User.objects.create_user("oficina", is_staff=True)),
    ]


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize(("path", "method"), MATRIX)
def test_everyone_may_do_what_the_table_says_and_no_more(db, path, method, private):
    make_territory()
    precision = "none" if private else "exact"
    make_category()
    category = make_category("P-1", private=private, precision=precision)
    case = make_case(category=category, status=STARTS.get(path, Status.RECEIVED))
    known = {"number": case.number, "report_id": case.report_id, "photo_id": uuid4()}
    address = path.format(**known) + QUERIES.get(path, "")
    body = BODIES.get(path, dict)
    answers = [
        who.generic(method.upper(), address, json.dumps(body()), "application/json")
        if method == "post"
        else getattr(who, method)(address)
        for who in everyone_of(case)
    ]
    assert [answer.status_code for answer in answers] == MATRIX[path, method][private]
    told = [case.number in answer.content.decode() for answer in answers]
    if path == NEAR:
        assert told == [False] * 5 + [True, False]
    if path == SIMILAR:
        assert told == [not private] * 7


# ── What the public may not know ─────────────────────────────────────────────────

MARK = "MARCA-"
DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)
# In metres. No clock says so, whatever the fraction of its seconds.
ACCURACY = 61.7329
kinds = st.sampled_from(["exact", "grid", "none", "private"])


def is_like_a_cells_middle(at: tuple[float, float]) -> bool:
    """Whether the heat says one of these coordinates of whatever case is in its cell."""
    return any(
        f"{degrees:.5f}" == f"{middle:.5f}"
        for level in LEVELS
        for x, y in [cell_at(*at, level)]
        for degrees, middle in zip(at, corner(x + 0.5, y + 0.5, level), strict=True)
    )


places = (
    st.tuples(st.integers(1, 999), st.integers(1, 999))
    # Seven decimals that no grid's middle has.
    .map(lambda at: (-79.9501237 + at[0] / 20_000, 8.5201237 + at[1] / 20_000))
    .filter(lambda at: not is_like_a_cells_middle(at))
)
filters = st.fixed_dictionaries(
    {},
    optional={
        "state": st.sampled_from(list(STATES)),
        "category": st.sampled_from(["K-exact", "K-grid", "K-none", "K-priva"]),
        "group": st.just("PRU"),
        "entity": st.just("OBRAS"),
        "place": st.sampled_from(["90", "9001", "9002", "900101", "900201"]),
        "since": st.sampled_from(["2026-03-01", "2026-03-02"]),
        "until": st.sampled_from(["2026-03-01", "2026-03-02"]),
        "changed_since": st.just("2026-03-01"),
        "bbox": st.sampled_from(["-80,8.5,-79.8,8.6", "-79.93,8.53,-79.92,8.56"]),
    },
)


def make_marked(kind: str, at: tuple[float, float], number: int) -> Case:
    precision = "none" if kind == "private" else kind
    category = make_category(
        f"K-{kind[:5]}",
        precision=precision,
        private=kind == "private",
        # As wide and as old as can be: whatever could be similar is.
        similar_metres=30_000,
        similar_days=30_000,
    )
    case = make_case(
        at=at,
        category=category,
        filed_at=DAY + timedelta(hours=number),
        description=f"{MARK}relato 6999-1234 marca@example.com",
        place_hint=f"{MARK}seña",
        accuracy=ACCURACY,
        captured_at=datetime(2025, 7, 8, tzinfo=UTC),
        contact=Contact(f"{MARK}nombre", "6999-1234", "marca@example.com", f"{MARK}v"),
    )
    if number % 2:
        note = "Llamé al 6999-1234"
        change_status(case, Transition(Status.RESOLVED, note, uuid4()), None)
        take_step(case, step_of("reopen", uuid4(), f"{MARK}respuesta"))
    somebody = issue_device().device
    flag(case, somebody, Complaint(uuid4(), "other", f"{MARK}aviso"))
    with patch("backend.cases.citizens.enqueue"):
        invite(case, "marca@example.com", "es")
    case.refresh_from_db()
    return case


def public_answers(query: dict[str, Any], cases: list[Case]) -> dict[str, str]:
    """Everything that anyone may read, by where it is read."""
    anyone = Client(HTTP_HOST="localhost")
    found = {
        address: anyone.get(address, query).getvalue().decode()
        for address in (
            "/data/cases.geojson",
            "/data/cases.geojsonl",
            "/data/cases.csv",
            "/api/v1/heat/",
        )
    }
    found |= ogc_answers(anyone, query, cases)
    for zoom in (4, 12, 18):
        answer = anyone.get("/api/v1/heat/", {**query, "zoom": zoom})
        found[f"heat at {zoom}"] = answer.content.decode()
    for address, question in open311_questions(query).items():
        found[address] = anyone.get(address, question).content.decode()
    for case in cases:
        own = f"/api/v1/cases/{case.number}/"
        by_open311 = f"/open311/v2/requests/{case.number}.json?extensions=true&/cases/2"
        for address in (own, f"/casos/{case.number}", by_open311):
            found[address] = anyone.get(address).content.decode()
        for path, body in BODIES.items():
            address = path.replace("{number}", case.number)
            for who in (anyone, citizens_phone()):
                told = send(who, body(), address)
                found[f"{address} {told.status_code}"] = told.content.decode()
        for category in Category.objects.filter(code__startswith="K-"):
            asked: dict[str, Any] = {
                "lat": case.location.y,
                "lon": case.location.x,
                "category": category.code,
            }
            told = anyone.get(SIMILAR, asked)
            assert told.status_code == 200
            found[f"similar to {case.number} in {category}"] = told.content.decode()
    return found


def ogc_answers(
    anyone: Client, query: dict[str, Any], cases: list[Case]
) -> dict[str, str]:
    """Every form and reference system of the features, and each by itself."""
    here = "/ogc/collections/cases"
    asked: dict[str, Any] = {
        name: query[name]
        for name in ("category", "group", "entity", "bbox")
        if name in query
    }
    place = {2: "province_code", 4: "district_code", 6: "corregimiento_code"}
    if "place" in query:
        asked[place[len(query["place"])]] = query["place"]
    if query.get("state") == "open":
        asked["open"] = "true"
    if "since" in query:
        asked["datetime"] = f"{query['since']}/.."
    addresses = [(here, {}), (f"{here}/items", {**asked, "f": "html"})]
    addresses += [(f"{here}/items", {**asked, "crs": uri}) for uri in FRAMES]
    for case in cases:
        its_own = f"{here}/items/{case.number}"
        addresses += [(its_own, {}), (its_own, {"f": "html"})]
    found = {}
    for address, more in addresses:
        answer = anyone.get(address, more)
        assert answer.status_code in {200, 404}
        found[f"{address} {more}"] = answer.content.decode()
    return found


def open311_questions(query: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """All that Open311 tells of all cases, with as much of a query as it understands."""
    asked: dict[str, Any] = {"start_date": DAY.date(), "extensions": "true"}
    if "bbox" in query:
        asked["bbox"] = query["bbox"]
    if "category" in query:
        asked["service_code"] = query["category"]
    return {
        "/open311/v2/requests.json": asked,
        "/open311/v2/requests.xml": asked,
        "/open311/v2/servicerequestupdates.json": {},
    }


@examples(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(made=st.lists(st.tuples(kinds, places), min_size=2, max_size=6), query=filters)
def test_no_public_door_gives_away_what_is_not_public(db, made, query):
    Case.objects.all().delete()
    make_territory()
    cases = [make_marked(kind, at, n) for n, (kind, at) in enumerate(made)]
    secret = [f"{MARK}nombre", f"{MARK}seña", f"{MARK}v", "6999-1234", "marca@"]
    secret += [f"{MARK}respuesta", f"{MARK}aviso"]
    secret += [str(ACCURACY), "2025-07-08", "2025-07-07"]
    exact = {coordinate for kind, at in made if kind == "exact" for coordinate in at}
    for kind, at in made:
        if kind != "exact" and not exact & set(at):
            secret += [f"{degrees:.{n}f}" for degrees in at for n in (5, 6, 7)]
    private = [case for case in cases if not case.is_public]
    pointless = [case for case in cases if case.public_location is None]
    for door, text in public_answers(query, cases).items():
        for mark in secret:
            assert mark not in text, (door, mark)
        assert not any(case.pin in text.split('"') for case in cases), door
        if "/casos/" in door or "/cases/2" in door:
            continue
        for case in pointless:
            assert case.number not in text, door
    for case in private:
        assert (
            Client(HTTP_HOST="localhost").get(f"/casos/{case.number}").status_code
            == 404
        )


def test_such_a_leak_would_be_seen(db):
    make_territory()
    case = make_marked("exact", (-79.9301237, 8.5401237), 1)
    found = public_answers({}, [case])
    assert "-79.930124" in found["/data/cases.geojson"]
    assert "-79.930124" in found[f"/ogc/collections/cases/items/{case.number} {{}}"]
    assert f"{MARK}relato" in found[f"/api/v1/cases/{case.number}/"]
    assert case.number in found[f"/casos/{case.number}"]
    assert case.number in found[f"similar to {case.number} in {case.category}"]
    for address in open311_questions({}):
        assert case.number in found[address]


def test_a_private_photo_is_not_reached_from_any_public_answer(db):
    make_territory()
    category = make_category("K-1", private=True, precision="none")
    private = make_case(category=category, photos=[make_photo()])
    run_jobs()
    photo = private.photos.get()
    for door, text in public_answers({}, [photo.case]).items():
        for known in (photo.pk, photo.image, photo.thumbnail, photo.original):
            assert str(known) not in text, door


def test_a_photo_is_in_public_answers_while_it_is_released_and_its_original_never(db):
    make_territory()
    case = make_case(category=make_category(), photos=[make_photo()])

    def doors_that_tell(name: str) -> int:
        return sum(name in text for text in public_answers({}, [case]).values())

    photo = case.photos.get()
    assert doors_that_tell(str(photo.pk)) == 0
    run_jobs()
    photo.refresh_from_db()
    assert doors_that_tell(photo.image) == 3
    assert doors_that_tell(photo.original) == 0
    withhold(photo)
    for name in (str(photo.pk), photo.image, photo.thumbnail):
        assert doors_that_tell(name) == 0


# ── The tools that keep watch ────────────────────────────────────────────────────


def run(
    *command: str, folder: Path = ROOT, environment: dict[str, str] | None = None
) -> tuple[int, str]:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


BAD_STYLE = {
    "E711": "def f(x: object) -> bool:\n    return x == None\n",
    "F401": "import os\n",
    "I001": "import sys\nimport os\n\nprint(os, sys)\n",
    "BLE001": "try:\n    pass\nexcept Exception:\n    pass\n",
    "DTZ005": "from datetime import datetime\n\nx = datetime.now()\n",
    "T201": "print(1)\n",
    "S608": 'def f(x: str) -> str:\n    return f"SELECT a FROM b WHERE c = {x}"\n',
    "TID252": "from . import x\n",
    "ERA001": "# x = f(1)\n",
}


def test_the_linter_sees_what_it_must(tmp_path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "geo").mkdir()
    for code, text in BAD_STYLE.items():
        (tmp_path / "geo" / f"{code.lower()}.py").write_text(text)
    ruff = [sys.executable, "-m", "ruff", "check", "--no-cache"]
    status, told = run(*ruff, "--output-format", "concise", folder=tmp_path)
    assert status == 1
    for code in BAD_STYLE:
        assert re.search(rf"geo/{code.lower()}\.py:.*\b{code}\b", told), code
    shutil.rmtree(tmp_path / "geo")
    (tmp_path / "fine.py").write_text('"""Fine."""\n')
    assert run(*ruff, folder=tmp_path)[0] == 0


BREACHES = {
    "Each floor knows only the floors below": ("provinces/places.py", "geo.sql"),
    "Only geo speaks SQLAlchemy": ("map_views/data/streams.py", "sqlalchemy"),
    "The rules know nothing of HTTP": ("backend/cases/filing.py", "rest_framework"),
    "Pure modules stay pure": ("backend/cases/deadlines.py", "django.utils.timezone"),
}


@pytest.fixture
def copy_of_the_code(tmp_path: Path) -> Path:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            target = tmp_path / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def contracts(folder: Path) -> tuple[int, str]:
    linter = "from importlinter.cli import lint_imports_command as lint; lint()"
    return run(sys.executable, "-c", linter, "--no-cache", folder=folder)


def test_the_contracts_are_kept_and_a_breach_of_any_is_seen(copy_of_the_code):
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text())
    written = configuration["tool"]["importlinter"]["contracts"]
    assert {contract["name"] for contract in written} == BREACHES.keys()
    status, told = contracts(copy_of_the_code)
    assert (status, told.count(" KEPT")) == (0, len(BREACHES)), told
    for path, module in BREACHES.values():
        with (copy_of_the_code / path).open("a") as file:
            file.write(f"\nimport {module}\n")
    status, told = contracts(copy_of_the_code)
    assert status == 1
    for name in BREACHES:
        assert f"{name} BROKEN" in told, told


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_every_package_by_its_hashes_and_names_no_address(name):
    text = (ROOT / name).read_text()
    assert "://" not in text
    assert not re.search(
        r"^\s*(-|--)(i|index-url|extra-index-url|find-links)\b", text, re.M
    )
    packages = [
        block
        for block in re.split(r"\n(?=[a-z0-9])", text, flags=re.IGNORECASE)
        if not block.startswith("#")
    ]
    assert len(packages) > 10
    for package in packages:
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[^\s;]+", package), package[
            :80
        ]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", package), package[:80]


def pins(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text()
    return dict(re.findall(r"^([A-Za-z0-9._-]+)(?:\[.+\])?==([^\s;\\]+)", text, re.M))


def test_what_runs_in_production_is_what_the_tests_run_with():
    production, tested = pins("requirements.lock"), pins("requirements-dev.lock")
    assert production.items() <= tested.items()


# Who uses such a library gives all of its own away; LGPL and MPL leave the rest as it is.
GIVES_ALL_AWAY = re.compile(r"\bA?GPL|GNU (Affero )?General Public")
OF_OTHER_SYSTEMS = {"colorama", "tzdata"}  # locked, and not installed here


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-extras.lock"])
def test_no_library_has_a_licence_that_would_be_all_of_ours(name):
    libraries = pins(name).keys() - OF_OTHER_SYSTEMS
    assert len(libraries) > 40
    licences = {library: licences_of(library) for library in libraries}
    assert [library for library, told in licences.items() if not told] == []
    assert [
        (library, told)
        for library, told in licences.items()
        if GIVES_ALL_AWAY.search(told)
    ] == []


@pytest.mark.parametrize(
    ("told", "gives_all_away"),
    [
        ("GPL-3.0-or-later", True),
        ("MIT AND AGPL-3.0-only", True),
        ("GNU Affero General Public License v3", True),
        ("GNU General Public License (GPL)", True),
        ("LGPL-3.0-only", False),
        ("GNU Lesser General Public License v3 (LGPLv3)", False),
    ],
)
def test_such_a_licence_would_be_seen(told, gives_all_away):
    assert bool(GIVES_ALL_AWAY.search(told)) is gives_all_away


def licences_of(library: str) -> str:
    """All that its metadata say of it, in one line; of a text, how it begins."""
    told = metadata.metadata(library)
    names = [
        line.rpartition("::")[2].strip()
        for line in told.get_all("Classifier", [])
        if line.startswith("License ::")
    ]
    texts = [*told.get_all("License-Expression", []), *told.get_all("License", [])]
    return "; ".join([*(text[:100] for text in texts), *names])


# ── The settings ─────────────────────────────────────────────────────────────────

KEY = "a9-Zk" * 12
PRODUCTION = {
    "SECRET_KEY": KEY,
    "HTTPS": "true",
    "ALLOWED_HOSTS": "311.example.org",
    "CSRF_TRUSTED_ORIGINS": "https://311.example.org",
}


def test_production_is_safe_by_django_s_own_checks():
    check = ["manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    status, told = run(sys.executable, *check, environment=PRODUCTION)
    assert status == 0, told


def test_without_https_django_would_complain():
    check = ["manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    status, told = run(
        sys.executable, *check, environment={**PRODUCTION, "HTTPS": "false"}
    )
    assert status == 1
    assert "security.W008" in told


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("SECRET_KEY", "", "SECRET_KEY"),
        ("SECRET_KEY", "short", "SECRET_KEY needs at least 32"),
        ("STATEMENT_TIMEOUT_MS", "0", "is a whole number from 1 to 2147483647, not 0"),
        (
            "STATEMENT_TIMEOUT_MS",
            "-5",
            "is a whole number from 1 to 2147483647, not -5",
        ),
        (
            "STATEMENT_TIMEOUT_MS",
            "5s",
            "is a whole number from 1 to 2147483647, not 5s",
        ),
        ("STATEMENT_TIMEOUT_MS", "99999999999", "from 1 to 2147483647"),
        ("LOCK_TIMEOUT_MS", "0", "LOCK_TIMEOUT_MS is a whole number from 1 to"),
        (
            "SNAP_METRES",
            "far",
            "SNAP_METRES is a whole number from 0 to 500000, not far",
        ),
        ("SNAP_METRES", "-1", "SNAP_METRES is a whole number from 0 to 500000, not -1"),
        ("SNAP_METRES", "1e9", "SNAP_METRES is a whole number from 0 to 500000"),
        ("PROXIES", "-1", "PROXIES is a whole number from 0 to 100, not -1"),
        ("LIMITS_FACTOR", "0", "LIMITS_FACTOR is a number from 0.001 to 1000000"),
        ("LIMITS_FACTOR", "-1", "LIMITS_FACTOR is a number from 0.001 to 1000000"),
        ("LIMITS_FACTOR", "nan", "LIMITS_FACTOR is a number from 0.001 to 1000000"),
        ("LIMITS_FACTOR", "inf", "LIMITS_FACTOR is a number from 0.001 to 1000000"),
        ("REPLICA_MOST_SECONDS", "0", "REPLICA_MOST_SECONDS is a number from 0.001 to"),
        ("ACCESS_LOG_DAYS", "0", "ACCESS_LOG_DAYS is a whole number from 1 to 36500"),
        (
            "ACCESS_LOG_DAYS",
            "9999999999",
            "ACCESS_LOG_DAYS is a whole number from 1 to",
        ),
        ("EXPORTS_AT_ONCE", "0", "EXPORTS_AT_ONCE is a whole number from 1 to"),
        ("DATA_FILE_HOURS", "0", "DATA_FILE_HOURS is a whole number from 1 to"),
        ("DATA_SNAPSHOT_DAYS", "0", "DATA_SNAPSHOT_DAYS is a whole number from 1 to"),
        ("DATA_CONTACT", "soporte", "DATA_CONTACT begins with mailto:"),
        ("S3_ENDPOINT", "http://127.0.0.1:9000", "S3_… settings without S3_BUCKET"),
        ("S3_SIGNED_LINKS", "yes", "S3_… settings without S3_BUCKET"),
        ("S3_BUCKET", "Fotos del 311", "S3_BUCKET is no name of a bucket"),
        ("REOPEN_DAYS", "-1", "REOPEN_DAYS is a whole number from 0 to 36500, not -1"),
        ("REOPEN_DAYS", "9999999", "REOPEN_DAYS is a whole number from 0 to 36500"),
        ("EMAIL_URL", "consolemail://", "the log is no place"),
        ("EMAIL_FROM", "311 móvil", "EMAIL_FROM needs an address"),
        ("EMAIL_URL", "carrier-pigeon://", "Invalid email schema"),
        ("PUSH_CONTACT", "soporte", "PUSH_CONTACT begins with mailto:"),
        ("OPEN311_TYPE", "real", "OPEN311_TYPE is production or test"),
        ("WORKER_SILENCE_SECONDS", "long", "is a number from 0.1 to 86400, not long"),
        ("WORKER_SILENCE_SECONDS", "-5", "is a number from 0.1 to 86400, not -5"),
        ("WORKER_SILENCE_SECONDS", "nan", "is a number from 0.1 to 86400, not nan"),
        ("WORKER_GRACE_SECONDS", "-1", "WORKER_GRACE_SECONDS is a number from 0 to"),
    ],
)
def test_a_setting_refuses_nonsense(name, value, why, monkeypatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=re.escape(why)):
        runpy.run_path(str(ROOT / "backend" / "config" / "settings.py"))


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"S3_ENDPOINT": "minio:9000"}, "S3_ENDPOINT begins with http"),
        ({"S3_ACCESS_KEY": "a"}, "S3_ACCESS_KEY and S3_SECRET_KEY go together"),
        ({"S3_SECRET_KEY": "a"}, "S3_ACCESS_KEY and S3_SECRET_KEY go together"),
        ({"S3_SIGNED_LINKS": "yes"}, "S3_SIGNED_LINKS needs S3_ENDPOINT"),
    ],
)
def test_half_an_s3_is_refused(more, why):
    environment = {"S3_BUCKET": "fotos-311", **more}
    status, told = run(sys.executable, "manage.py", "check", environment=environment)
    assert status != 0
    assert why in told


def test_without_a_key_nothing_starts(monkeypatch):
    monkeypatch.delenv("SECRET_KEY")
    status, told = run(sys.executable, "manage.py", "check")
    assert status != 0
    assert "SECRET_KEY" in told


def test_an_error_shows_no_trace_to_strangers(db, monkeypatch):
    assert settings.DEBUG is False

    def broken(*_: object) -> None:
        raise RuntimeError("MARCA secreta")

    monkeypatch.setattr("map_views.heat_map.heat", broken)
    anyone = Client(HTTP_HOST="localhost", raise_request_exception=False)
    answer = anyone.get("/api/v1/heat/")
    assert answer.status_code == 500
    for trace in (b"MARCA", b"Traceback", b"heat_map.py"):
        assert trace not in answer.content
