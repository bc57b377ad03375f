"""GET /data/cases.geojson: the public cases to take away."""

import gzip
import http.client
import json
import socket
from datetime import timedelta

import psycopg
import pytest

from backend.cases.models import Case
from backend.cases.workflow import Status
from map_views.parameters import MOST_FEATURES
from tests.factories import make_case, make_category, make_territory
from tests.servers import libpq_url, wait_until

EXPORT = "/data/cases.geojson"


@pytest.fixture
def squares(db):
    make_territory()
    make_category()


def numbers(phone, **query) -> list[str]:
    answer = phone.get(EXPORT, query)
    assert answer.status_code == 200
    return [feature["id"] for feature in json.loads(answer.getvalue())["features"]]


def test_the_public_cases_are_one_geojson_file(phone, squares):
    case = make_case()
    answer = phone.get(EXPORT)
    assert answer.status_code == 200
    assert answer.streaming
    assert answer["Content-Type"] == "application/geo+json"
    assert "311-movil-casos.geojson" in answer["Content-Disposition"]
    assert answer["Cache-Control"] == "public, max-age=10"
    assert answer["X-Content-Type-Options"] == "nosniff"
    (feature,) = json.loads(answer.getvalue())["features"]
    assert feature["id"] == case.number
    assert feature["geometry"]["coordinates"] == [-79.95, 8.55]


def test_nothing_is_an_empty_file(phone, squares):
    assert numbers(phone) == []


def test_filters_and_limit_reach_the_question(phone, squares):
    first = make_case()
    second = make_case(at=(-79.85, 8.55), filed_at=first.filed_at + timedelta(days=1))
    Case.objects.filter(pk=second.pk).update(status=Status.RESOLVED)
    assert numbers(phone) == [first.number, second.number]
    assert numbers(phone, state="open") == [first.number]
    assert numbers(phone, bbox="-79.9,8.5,-79.8,8.6") == [second.number]
    assert numbers(phone, limit=1) == [second.number]
    assert numbers(phone, limit=1, state="open") == [first.number]
    assert numbers(phone, category="NADA") == []


def test_an_increment_holds_what_has_changed_since(phone, squares):
    old, new = make_case(), make_case()
    Case.objects.filter(pk=new.pk).update(updated_at=new.filed_at + timedelta(hours=2))
    since = (new.filed_at + timedelta(hours=1)).isoformat()
    assert numbers(phone, changed_since=since) == [new.number]
    assert numbers(phone, changed_since=old.filed_at.isoformat()) == [
        old.number,
        new.number,
    ]


def test_names_come_in_the_readers_language(phone, squares):
    make_case()
    for language, name in (("es", "Categoría PRU-01"), ("en", "Category PRU-01")):
        answer = phone.get(EXPORT, headers={"Accept-Language": language})
        (feature,) = json.loads(answer.getvalue())["features"]
        assert feature["properties"]["category_name"] == name
        # A cache in between keeps the two apart.
        assert {"Accept-Language", "Cookie"} <= set(answer["Vary"].split(", "))


def test_it_is_compressed_for_whoever_can_read_that(phone, squares):
    made = [make_case().number for _ in range(30)]
    plain = phone.get(EXPORT).getvalue()
    small = phone.get(EXPORT, headers={"Accept-Encoding": "gzip"})
    assert small["Content-Encoding"] == "gzip"
    body = small.getvalue()
    assert len(body) < len(plain) / 4
    collection = json.loads(gzip.decompress(body))
    assert [feature["id"] for feature in collection["features"]] == made


@pytest.mark.parametrize("limit", ["0", "-1", "x", str(MOST_FEATURES + 1)])
def test_a_limit_that_is_none_is_refused(phone, squares, limit):
    refused = phone.get(EXPORT, {"limit": limit})
    assert refused.status_code == 400
    assert refused["Content-Type"] == "application/problem+json"
    (error,) = refused.json()["errors"]
    assert error["pointer"] == "?limit"


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_it_is_only_read(phone, squares, method):
    assert getattr(phone, method)(EXPORT).status_code == 405


# ── Through a real server ────────────────────────────────────────────────────────

MANY = """
from tests.factories import make_case, make_category, make_territory
from tests.geo.many import multiply
make_territory()
multiply(make_case(category=make_category()), 20000)
"""


@pytest.fixture(scope="module")
def crowded(server):
    """The server, with so many cases that no buffer holds them."""
    server.manage("shell", "-c", MANY)
    return server


def sessions(server) -> set[str]:
    """What the server's connections to the database wait for."""
    found = server.rows(
        "SELECT wait_event FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    return {event for (event,) in found}


@pytest.mark.django_db
def test_a_reader_who_leaves_in_the_middle_frees_the_database(crowded):
    with socket.create_connection(("127.0.0.1", crowded.port)) as reader:
        reader.sendall(f"GET {EXPORT} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        assert reader.recv(1000).startswith(b"HTTP/1.1 200 OK")
        wait_until(lambda: "ClientWrite" in sessions(crowded), "the export waits")
    wait_until(
        lambda: sessions(crowded) <= {"ClientRead"}, "the database is free again"
    )


@pytest.mark.django_db
def test_an_export_cut_by_the_database_is_not_taken_for_a_whole_one(crowded):
    reader = http.client.HTTPConnection("127.0.0.1", crowded.port, timeout=30)
    reader.request("GET", EXPORT)
    answer = reader.getresponse()
    assert answer.status == 200
    first = answer.read(1000)
    wait_until(lambda: "ClientWrite" in sessions(crowded), "the export waits")
    with psycopg.connect(libpq_url(crowded.database_url)) as database:
        database.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)) as cut:
        answer.read()
    rest = getattr(cut.value, "partial", b"")
    with pytest.raises(json.JSONDecodeError):
        json.loads(first + rest)
    reader.close()


@pytest.mark.django_db
def test_asking_only_for_the_headers_reads_no_cases(crowded):
    reader = http.client.HTTPConnection("127.0.0.1", crowded.port, timeout=30)
    for _ in range(2):
        # The connection would be out of step if a body had been sent.
        reader.request("HEAD", EXPORT)
        answer = reader.getresponse()
        assert (answer.status, answer.read()) == (200, b"")
    reader.close()
