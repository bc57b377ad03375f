"""/data/cases.{geojson,geojsonl,csv}: sent as PostGIS makes it, to real readers."""

from __future__ import annotations

import csv
import json
import socket
import sys
from datetime import datetime, timedelta
from io import StringIO

import pytest
import sqlalchemy as sa
from django.db import OperationalError, connection
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import func

from backend.cases.models import Case, Withdrawal
from backend.cases.workflow import Status
from geo import copying, export
from geo.filters import Filters
from geo.public_fields import NAMES
from map_views.data import streams
from map_views.data.encodings import best_encoding
from map_views.data.formats import FORMATS
from tests.factories import make_case, make_entity

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LICENCE = '<https://creativecommons.org/licenses/by/4.0/>; rel="license"'


def table(phone, **query) -> list[dict[str, str]]:
    answer = phone.get("/data/cases.csv", query)
    assert answer.status_code == 200
    text = answer.getvalue().decode()
    assert text.count("\n") == text.count("\r\n")
    return list(csv.DictReader(StringIO(text, newline="")))


def test_every_form_tells_the_same_of_a_case(phone, squares):
    case = make_case(at=(-79.951234567, 8.554321), status=Status.RESOLVED)
    (feature,) = json.loads(phone.get("/data/cases.geojson").getvalue())["features"]
    lines = phone.get("/data/cases.geojsonl")
    assert lines["Content-Type"] == "application/x-ndjson"
    assert [json.loads(line) for line in lines.getvalue().splitlines()] == [feature]
    (row,) = table(phone)
    told = feature["properties"]
    assert row["number"] == case.number == feature["id"]
    assert (row["longitude"], row["latitude"]) == ("-79.951235", "8.554321")
    for name, value in told.items():
        written = {True: "true", False: "false", None: ""}.get(value, value)
        assert row[name] == written, name
    assert row.keys() - told.keys() == {
        *("longitude", "latitude", "withdrawn_at", "withdrawal")
    }


def test_what_is_sent_quickly_is_what_the_slow_statement_says(phone, squares):
    make_case(status=Status.RESOLVED)
    odd = make_case()
    Case.objects.filter(pk=odd.pk).update(entity=None, corregimiento=None)
    told = [
        feature["properties"]
        for feature in json.loads(phone.get("/data/cases.geojson").getvalue())[
            "features"
        ]
    ]
    slowly = [dict(zip(NAMES, row[1:], strict=False)) for row in export.rows(Filters())]
    for quick, slow in zip(told, slowly, strict=True):
        assert quick.keys() == slow.keys()
        for name, value in slow.items():
            if isinstance(value, datetime):
                said = datetime.fromisoformat(quick[name])
                assert said == value.replace(microsecond=0), name
            else:
                assert quick[name] == value, name


@pytest.mark.parametrize("extension", ["geojson", "geojsonl", "csv"])
def test_every_answer_names_its_licence(phone, squares, extension):
    make_case()
    answer = phone.get(f"/data/cases.{extension}")
    assert LICENCE in answer["Link"]
    assert f"311-movil-casos.{extension}" in answer["Content-Disposition"]
    answer.close()  # nobody reads it


@examples(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    name=st.text(
        st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60
    ).filter(str.strip)
)
def test_no_words_break_a_file_or_become_a_formula(phone, squares, name):
    Case.objects.all().delete()
    row = row_of_entity(phone, name)
    (feature,) = json.loads(phone.get("/data/cases.geojson").getvalue())["features"]
    assert feature["properties"]["entity_name"] == name
    assert row["entity_name"].removeprefix("'") == name.removeprefix("'")
    assert row["entity_name"].lstrip()[:1] not in set("=+-@")
    assert row["district"] == "Oeste"


@pytest.mark.parametrize(
    "name",
    [
        *("=1+1", "+1", "-2", "@SUM(A1)", "\t=1", "\r=1", " =1", '=a","b'),
        *("\x1f@A1", "\x7f=1", "\xa0=1", " \u3000\u202f+1", "\u200b=1", "\ufeff-1"),
    ],
)
def test_a_formula_is_made_text_and_numbers_stay_numbers(phone, squares, name):
    row = row_of_entity(phone, name)
    assert row["entity_name"] == f"'{name}"
    assert float(row["longitude"]) == -79.95


@pytest.mark.parametrize("name", ["Año = 1", "ñ=1", "¡=1", "日=1", " Obras", "1 + 1"])
def test_what_is_no_formula_stays_as_it_is(phone, squares, name):
    row = row_of_entity(phone, name)
    assert row["entity_name"] == name


def row_of_entity(phone, name: str) -> dict[str, str]:
    """How the table tells a case of an entity with this name."""
    entity = make_entity("OBRAS")
    entity.name = name
    entity.save()
    make_case()
    (row,) = table_of(phone)
    return row


def table_of(phone) -> list[dict[str, str]]:
    text = phone.get("/data/cases.csv").getvalue().decode()
    return list(csv.DictReader(StringIO(text, newline="")))


# ── Increments ───────────────────────────────────────────────────────────────────


def test_an_increment_tells_what_to_delete(phone, squares):
    kept, gone = make_case(), make_case()
    Case.objects.filter(pk=gone.pk).update(is_public=False, public_location=None)
    since = (kept.filed_at - timedelta(minutes=1)).isoformat()
    answer = phone.get("/data/cases.geojson", {"changed_since": since})
    features = json.loads(answer.getvalue())["features"]
    assert [feature["id"] for feature in features] == [kept.number, gone.number]
    tombstone = features[1]
    assert tombstone["geometry"] is None
    assert tombstone["properties"].keys() == {"number", "withdrawn_at", "withdrawal"}
    assert tombstone["properties"]["withdrawal"] == "hidden"
    rows = table(phone, changed_since=since)
    assert [row["number"] for row in rows] == [kept.number, gone.number]
    assert {name for name, value in rows[1].items() if value} == {
        *("number", "withdrawn_at", "withdrawal")
    }
    # Nobody else is told of it.
    assert gone.number not in phone.get("/data/cases.csv").getvalue().decode()


def test_nothing_but_withdrawals_is_still_a_collection(phone, squares):
    gone = make_case()
    Case.objects.all().update(is_public=False, public_location=None)
    answer = phone.get("/data/cases.geojson", {"changed_since": "2020-01-01"})
    (only,) = json.loads(answer.getvalue())["features"]
    assert only["id"] == gone.number
    answer = phone.get("/data/cases.geojson", {"changed_since": "2100-01-01"})
    assert json.loads(answer.getvalue())["features"] == []


def test_a_number_that_is_public_is_never_told_to_be_deleted(phone, squares):
    case = make_case()
    Withdrawal.objects.create(
        number=case.number, withdrawn_at=case.filed_at, reason="deleted"
    )
    rows = table(phone, changed_since="2020-01-01")
    assert [(row["number"], row["withdrawn_at"]) for row in rows] == [(case.number, "")]


# ── Compression ──────────────────────────────────────────────────────────────────


def test_zstd_is_sent_to_whoever_reads_it(phone, squares):
    made = [make_case().number for _ in range(30)]
    answer = phone.get("/data/cases.csv", headers={"Accept-Encoding": "gzip, zstd"})
    assert answer["Content-Encoding"] == "zstd"
    assert "Accept-Encoding" in answer["Vary"]
    text = zstd.decompress(answer.getvalue()).decode()
    rows = csv.DictReader(StringIO(text, newline=""))
    assert [row["number"] for row in rows] == made


@pytest.mark.parametrize(
    ("accepted", "chosen"),
    [
        ("", ""),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip", "gzip"),
        ("gzip;q=1.0, zstd;q=0.5", "gzip"),
        ("zstd;q=0, gzip;q=0", ""),
        ("*", "zstd"),
        ("*;q=0", ""),
        ("br, identity", ""),
        ("gzip;q=nonsense", ""),
        ("GZIP", "gzip"),
    ],
)
def test_the_encoding_is_what_the_reader_likes_best(accepted, chosen):
    assert best_encoding(accepted) == chosen


# ── What is not understood ───────────────────────────────────────────────────────


@pytest.mark.parametrize("extension", ["geojson", "csv", "gpkg"])
@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("grupo=VIA", "grupo"),
        ("State=open", "State"),
        ("category=,", "category"),
        ("state=all&state=open", "state"),
        ("limit=5&limit=6", "limit"),
        ("bbox=-8_0,8,-7_9,9", "bbox"),
    ],
)
def test_a_filter_that_is_not_understood_gives_nothing(
    phone, squares, extension, query, name
):
    refused = phone.get(f"/data/cases.{extension}?{query}")
    assert refused.status_code == 400
    assert refused["Content-Type"] == "application/problem+json"
    (error,) = refused.json()["errors"]
    assert error["pointer"] == f"?{name}"


@pytest.mark.parametrize("query", ["since=2026-01-01", "changed_since=2026&x="])
def test_nor_does_one_of_withdrawals(phone, squares, query):
    refused = phone.get(f"/data/withdrawals.csv?{query}")
    assert refused.status_code == 400
    assert refused["Content-Type"] == "application/problem+json"


def test_a_plus_sign_that_was_forgotten_is_there_again(phone, squares):
    case = make_case()
    for moment in ("2020-01-01T00:00:00+00:00", "2020-01-01T00:00:00 00:00"):
        answer = phone.get(f"/data/cases.csv?changed_since={moment}")
        assert case.number in answer.getvalue().decode()


# ── Headers alone ────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
def test_who_asks_for_the_headers_alone_starts_no_work(
    phone, squares, form, django_assert_num_queries
):
    make_case()
    address = f"/data/cases.{form.extension}"
    with django_assert_num_queries(0):
        head = phone.head(address, headers={"Accept-Encoding": "zstd"})
    assert (head.status_code, head.getvalue()) == (200, b"")
    assert head["Content-Type"] == form.media_type
    assert f"311-movil-casos.{form.extension}" in head["Content-Disposition"]
    assert head["Link"] == LICENCE
    assert "Content-Length" not in head  # nobody knows it yet
    if form.stream:
        whole = phone.get(address, headers={"Accept-Encoding": "zstd"})
        assert whole.getvalue()
        assert {**head.headers} == {**whole.headers}
    # What would be refused is.
    assert phone.head(f"{address}?grupo=VIA").status_code == 400


def test_so_it_is_with_withdrawals(phone, squares, django_assert_num_queries):
    with django_assert_num_queries(0):
        head = phone.head("/data/withdrawals.csv")
    assert head.status_code == 200
    assert "retirados" in head["Content-Disposition"]


# ── Bounds and failures ──────────────────────────────────────────────────────────


def test_only_so_many_take_everything_at_once(
    phone, squares, settings, django_db_blocker
):
    make_case()
    settings.EXPORTS_AT_ONCE = 1
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended('export', 0))"
            )
        refused = phone.get("/data/cases.csv")
        assert refused.status_code == 503
        assert int(refused["Retry-After"]) > 0
        assert refused["Content-Type"] == "application/problem+json"
        # The map's list goes on, but not what only calls itself a part.
        assert len(table(phone, limit=streams.FEW_ROWS)) == 1
        many = phone.get("/data/cases.csv", {"limit": streams.FEW_ROWS + 1})
        assert many.status_code == 503
    finally:
        other.close()
    assert len(table(phone)) == 1


def test_a_few_cases_are_not_looked_for_without_end(phone, squares, monkeypatch):
    """Of what finds nothing, all cases are looked through: by anybody, at no place's cost."""
    make_case()
    long = sa.select(sa.cast(func.pg_sleep(3), sa.Text))
    monkeypatch.setattr(export, "statements", lambda *asked, **how: [long])
    monkeypatch.setattr(streams, "MILLISECONDS", 200)
    for extension in ("csv", "geojson", "geojsonl"):
        answer = phone.get(f"/data/cases.{extension}", {"limit": streams.FEW_ROWS})
        assert answer.status_code == 503
        assert json.loads(answer.content)["type"].endswith("too-long")
    # Who waits for one of the places may take as long as it takes.
    assert phone.get("/data/cases.csv").getvalue()


def test_a_database_that_is_away_says_when_to_come_back(phone, squares, monkeypatch):
    def away(_statement):
        raise OperationalError("gone")

    monkeypatch.setattr(copying, "copy", away)
    answer = phone.get("/data/cases.csv")
    assert answer.status_code == 503
    assert answer["Retry-After"]


def test_a_format_that_is_none_is_not_found(phone, squares):
    assert phone.get("/data/cases.xls").status_code == 404


def test_a_reader_who_stays_away_is_cut(monkeypatch):
    monkeypatch.setattr(copying, "PATIENCE_SECONDS", 0.2)
    ours, postgres = socket.socketpair()
    with ours, postgres, copying.Patience(ours.fileno()) as patience:
        patience.reader_has_it()
        postgres.settimeout(10)
        assert postgres.recv(1) == b""


def test_a_reader_who_comes_back_is_not_cut(monkeypatch):
    monkeypatch.setattr(copying, "PATIENCE_SECONDS", 0.2)
    ours, postgres = socket.socketpair()
    with ours, postgres, copying.Patience(ours.fileno()) as patience:
        patience.reader_has_it()
        patience.reader_is_back()
        postgres.settimeout(0.5)
        with pytest.raises(TimeoutError):
            postgres.recv(1)
