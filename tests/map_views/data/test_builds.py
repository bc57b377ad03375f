"""Files that a job makes: read back by the programs that people use for them."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import shapely
import time_machine
from django.core.files.storage import default_storage
from django.utils import timezone

from backend.cases.filing import Contact
from backend.cases.models import Case, DataFile
from backend.cases.storage import keep
from backend.cases.workflow import Status
from backend.jobs import Hopeless
from geo.filters import Filters
from geo.public_fields import BOOLEANS, MOMENTS, NAMES, OF_WITHDRAWALS
from map_views.data import builds
from map_views.data.formats import FORMATS
from map_views.data.making import OGR_DRIVERS, make
from map_views.tasks import make_nightly_data, throw_data_away
from tests.factories import make_case, make_category, make_entity
from tests.jobs import run_jobs, waiting_jobs


@pytest.fixture
def three(squares):
    """Cases at an exact point, at one of the grid, and of nobody's."""
    odd = make_case(at=(-79.91, 8.56))
    Case.objects.filter(pk=odd.pk).update(entity=None, corregimiento=None)
    make_entity("OBRAS")
    return [
        odd.number,
        make_case(status=Status.RESOLVED).number,
        make_case(category=make_category("P-2", precision="grid")).number,
    ]


def link_to(address: str, page) -> str:
    """The page's own link to the same file: it is signed anew each second."""
    path = address.partition("?")[0]
    links = re.findall(rf'href="({re.escape(path)}\?[^"]+)"', page.content.decode())
    (link,) = set(links)
    return unescape(link)


def taken(phone, extension: str, **query) -> bytes:
    """As a person does: asks, waits, follows the link."""
    page = phone.get(f"/data/cases.{extension}", query)
    assert page.status_code == 303
    state = phone.get(f"{page['Location']}.json").json()
    assert (state["state"], state["file"]) == ("waiting", None)
    assert phone.get(page["Location"]).status_code == 200
    assert run_jobs("build_data_file") == ["build_data_file"]
    state = phone.get(f"{page['Location']}.json").json()
    assert (state["state"], state["percent"]) == ("ready", 100)
    address = state["file"].partition("localhost")[2]
    answer = phone.get(address)
    assert 'rel="license"' in answer["Link"]
    body: bytes = answer.getvalue()
    assert hashlib.sha256(body).hexdigest() == state["sha256"]
    assert len(body) == state["bytes"]
    link = link_to(address, phone.get(page["Location"]))
    assert phone.get(link).getvalue() == body
    # Who asks again has it at once.
    again = phone.get(f"/data/cases.{extension}", query)
    assert again.status_code == 302
    assert waiting_jobs("build_data_file") == []
    return body


@pytest.mark.parametrize(
    ("extension", "driver"), [("gpkg", "GPKG"), ("fgb", "FlatGeobuf")]
)
def test_gdal_reads_what_is_made(phone, three, tmp_path, extension, driver):
    file = tmp_path / f"casos.{extension}"
    file.write_bytes(taken(phone, extension))
    told = subprocess.run(
        ["ogrinfo", "-al", "-so", str(file)], capture_output=True, text=True, check=True
    ).stdout
    assert driver in told
    assert f"Feature Count: {len(three)}" in told
    assert "Geometry: Point" in told
    for name in (*NAMES, *OF_WITHDRAWALS):
        kind = (
            "Integer(Boolean)"
            if name in BOOLEANS
            else "DateTime"
            if name in MOMENTS
            else "String"
        )
        assert f"{name}: {kind}" in told, name
    lines = subprocess.run(
        ["ogr2ogr", "-f", "GeoJSONSeq", "/vsistdout/", str(file)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    found = {
        feature["properties"]["number"]: feature for feature in map(json.loads, lines)
    }
    assert found.keys() == set(three)
    odd = found[three[0]]
    assert odd["geometry"]["coordinates"] == pytest.approx([-79.91, 8.56])
    assert odd["properties"].get("entity") is None
    assert odd["properties"]["district"] == "Oeste"


def test_a_moment_in_a_geopackage_is_written_as_its_standard_says(
    phone, increment, tmp_path
):
    """OGC 12-128r18, table 1: a DATETIME is in UTC, with thousandths and a Z."""
    since, kept, _ = increment
    file = tmp_path / "casos.gpkg"
    file.write_bytes(taken(phone, "gpkg", changed_since=since))
    with closing(sqlite3.connect(file)) as database:
        columns = database.execute("PRAGMA table_info(casos)").fetchall()
        database.row_factory = sqlite3.Row
        rows = database.execute("SELECT * FROM casos ORDER BY fid").fetchall()
    kinds = {name: kind for _, name, kind, *_ in columns}
    assert {kinds[name] for name in MOMENTS} == {"DATETIME"}
    moments = [row[name] for row in rows for name in MOMENTS if row[name]]
    assert len(moments) == 4  # three of a case, and when another was withdrawn
    for moment in moments:
        assert re.fullmatch(r"[\d-]{10}T[\d:]{8}\.000Z", moment)
    filed_at = Case.objects.get(number=kept).filed_at.replace(microsecond=0)
    assert datetime.fromisoformat(rows[0]["filed_at"]) == filed_at


def test_pyarrow_reads_the_geoparquet(phone, three, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "casos.parquet"
    file.write_bytes(taken(phone, "parquet"))
    table = parquet.read_table(file)
    assert table.column_names == ["geometry", *NAMES, *OF_WITHDRAWALS]
    assert str(table.schema.field("filed_at").type) == "timestamp[us, tz=UTC]"
    assert str(table.schema.field("open").type) == "bool"
    geo = json.loads(table.schema.metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    assert geo["columns"][geo["primary_column"]] == {
        "encoding": "WKB",
        "geometry_types": ["Point"],
        "edges": "planar",
    }
    rows = table.to_pylist()
    assert [row["number"] for row in rows] == three
    point = shapely.from_wkb(rows[0]["geometry"])
    assert (point.x, point.y) == pytest.approx((-79.91, 8.56))
    assert rows[0]["entity"] is None
    assert [row["open"] for row in rows] == [True, False, True]


def test_without_the_extra_it_is_said(phone, three, monkeypatch):
    monkeypatch.setattr("map_views.data.formats.find_spec", lambda name: None)
    answer = phone.get("/data/cases.parquet")
    assert answer.status_code == 501
    assert answer.json()["type"] == "/problems/format-not-installed"
    assert "parquet" not in phone.get("/data/").content.decode()


def test_a_file_with_filters_holds_what_they_leave(phone, three, tmp_path):
    file = tmp_path / "casos.gpkg"
    file.write_bytes(taken(phone, "gpkg", state="resolved", bbox="-80,8.5,-79.8,8.6"))
    told = subprocess.run(
        ["ogrinfo", "-al", "-so", str(file)], capture_output=True, text=True, check=True
    ).stdout
    assert "Feature Count: 1" in told


@pytest.fixture
def increment(squares) -> tuple[str, str, str]:
    """Since when; a case that changed since then, and one that is public no more."""
    since = timezone.now() - timedelta(hours=1)
    with time_machine.travel(since - timedelta(days=1)):
        make_case()
    kept, gone = make_case(), make_case()
    Case.objects.filter(pk=gone.pk).update(is_public=False, public_location=None)
    return since.isoformat(), kept.number, gone.number


def test_an_increment_in_a_geopackage_tells_what_to_delete(phone, increment, tmp_path):
    since, kept, gone = increment
    file = tmp_path / "casos.gpkg"
    file.write_bytes(taken(phone, "gpkg", changed_since=since))
    here, away = features_of(file)
    assert (here["properties"]["number"], away["properties"]["number"]) == (kept, gone)
    assert here["geometry"]["type"] == "Point"
    assert away["geometry"] is None
    assert away["properties"]["withdrawal"] == "hidden"
    assert "withdrawn_at" in away["properties"]


def test_an_increment_in_geoparquet_tells_what_to_delete(phone, increment, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    since, kept, gone = increment
    file = tmp_path / "casos.parquet"
    file.write_bytes(taken(phone, "parquet", changed_since=since))
    here, away = parquet.read_table(file).to_pylist()
    assert (here["number"], here["withdrawn_at"]) == (kept, None)
    assert (away["number"], away["withdrawal"]) == (gone, "hidden")
    assert away["geometry"] is None
    assert away["withdrawn_at"].tzinfo


def test_an_increment_in_flatgeobuf_has_beside_it_what_to_delete(
    phone, increment, tmp_path
):
    since, kept, gone = increment
    file = tmp_path / "casos.fgb"
    file.write_bytes(taken(phone, "fgb", changed_since=since))
    (here,) = features_of(file)
    assert here["properties"]["number"] == kept

    (asked,) = DataFile.objects.all()
    assert asked.rows == 1
    state = phone.get(f"/data/builds/{asked.pk}.json").json()
    address = state["withdrawals"].partition("localhost")[2]
    assert address in phone.get(f"/data/builds/{asked.pk}").content.decode()
    answer = phone.get(address)
    assert "retirados" in answer["Content-Disposition"]
    header, row = answer.getvalue().decode().splitlines()
    assert header == "number,withdrawn_at,withdrawal"
    assert row.split(",")[::2] == [gone, "hidden"]


@pytest.mark.parametrize("query", [{}, {"changed_since": "2020-01-01", "limit": "9"}])
def test_what_is_no_increment_has_nothing_beside_it(phone, three, query):
    taken(phone, "fgb", **query)
    (asked,) = DataFile.objects.all()
    state = phone.get(f"/data/builds/{asked.pk}.json").json()
    assert state["withdrawals"] is None


def test_an_increment_is_never_an_hour_old(phone, three):
    taken(phone, "gpkg", changed_since="2020-01-01")
    taken(phone, "fgb")
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        later = phone.get("/data/cases.gpkg", {"changed_since": "2020-01-01"})
        assert later.status_code == 303
        assert phone.get("/data/cases.fgb").status_code == 302


@pytest.mark.parametrize("extension", ["gpkg", "fgb"])
def test_of_a_few_cases_there_are_the_newest(phone, three, tmp_path, extension):
    file = tmp_path / f"casos.{extension}"
    file.write_bytes(taken(phone, extension, limit="2"))
    numbers = [feature["properties"]["number"] for feature in features_of(file)]
    assert sorted(numbers) == sorted(three[1:])


def test_of_a_few_cases_there_are_the_newest_in_geoparquet(phone, three, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "casos.parquet"
    file.write_bytes(taken(phone, "parquet", limit="2"))
    rows = parquet.read_table(file).to_pylist()
    assert [row["number"] for row in rows] == three[:0:-1]


def features_of(file: Path) -> list[dict[str, Any]]:
    """As GDAL reads them."""
    command = ["ogr2ogr", "-f", "GeoJSONSeq", "/vsistdout/", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_link_is_for_an_hour_and_a_file_for_a_day(phone, three):
    taken(phone, "gpkg")
    (file,) = DataFile.objects.all()
    link = builds.url_of(file)
    assert phone.get(link.partition("?")[0]).status_code == 404
    assert phone.get(f"{link}x").status_code == 404
    now = timezone.now()
    with time_machine.travel(now + timedelta(hours=1, minutes=1)):
        assert phone.get(link).status_code == 404
        assert phone.get(builds.url_of(file)).getvalue()
    with time_machine.travel(now + timedelta(hours=25)):
        assert phone.get(builds.url_of(file)).status_code == 404


def test_what_has_expired_is_thrown_away(phone, three):
    taken(phone, "gpkg")
    (file,) = DataFile.objects.all()
    throw_data_away(int(timezone.now().timestamp()))
    assert default_storage.exists(file.name)
    throw_data_away(int((timezone.now() + timedelta(hours=25)).timestamp()))
    run_jobs()
    assert not DataFile.objects.exists()
    assert not default_storage.exists(file.name)


def test_what_somebody_asked_for_is_not_told_to_be_all_of_last_night(phone, three):
    taken(phone, "gpkg", category="P-2")
    assert DataFile.objects.get().state == DataFile.State.READY
    assert builds.latest_nightly() == []


def test_a_file_without_a_row_may_have_one_in_a_moment_and_not_a_day_later(db):
    name = f"{builds.FOLDER}/311-movil.gpkg"
    keep(name, b"what a maker left behind")
    throw_data_away(int(timezone.now().timestamp()))
    assert default_storage.exists(name)
    throw_data_away(int((timezone.now() + timedelta(hours=25)).timestamp()))
    assert not default_storage.exists(name)


def test_so_many_may_wait_and_no_more(phone, three, monkeypatch):
    monkeypatch.setattr(builds, "MOST_UNFINISHED", 1)
    assert phone.get("/data/cases.gpkg").status_code == 303
    # The same again is no other.
    assert phone.get("/data/cases.gpkg").status_code == 303
    refused = phone.get("/data/cases.fgb")
    assert refused.status_code == 503
    assert int(refused["Retry-After"]) > 0
    assert DataFile.objects.count() == 1


def test_of_each_part_of_the_network_so_many_are_made_in_an_hour(
    phone, three, settings
):
    settings.LIMITS_FACTOR = 1
    for _ in range(2):  # what is there or on its way costs nothing
        for most in range(1, 7):
            assert phone.get("/data/cases.gpkg", {"limit": most}).status_code == 303
    refused = phone.get("/data/cases.gpkg", {"limit": 7})
    assert refused.status_code == 429
    assert refused["Content-Type"] == "application/problem+json"
    assert refused.json()["type"] == "/problems/too-many-requests"
    assert 0 < int(refused["Retry-After"]) <= 3600
    # Whoever calls from elsewhere has the file made, and then it is everybody's.
    elsewhere = {"REMOTE_ADDR": "198.51.100.7"}
    assert phone.get("/data/cases.gpkg", {"limit": 7}, **elsewhere).status_code == 303
    assert phone.get("/data/cases.gpkg", {"limit": 7}).status_code == 303
    assert DataFile.objects.count() == 7


def test_a_file_that_finds_no_place_is_not_counted(phone, three, settings, monkeypatch):
    settings.LIMITS_FACTOR = 1
    monkeypatch.setattr(builds, "MOST_UNFINISHED", 0)
    for _ in range(7):
        assert phone.get("/data/cases.gpkg").status_code == 503


def test_the_headers_of_a_file_are_known_without_it(phone, three, monkeypatch):
    body = taken(phone, "gpkg")
    (file,) = DataFile.objects.all()
    link = builds.url_of(file)
    whole = phone.get(link)
    assert whole.getvalue() == body
    monkeypatch.delattr("map_views.data.build_pages.opened")
    head = phone.head(link)
    assert (head.status_code, head.getvalue()) == (200, b"")
    assert head["Content-Length"] == str(len(body))
    assert {**head.headers} == {**whole.headers}


def test_a_file_that_cannot_be_made_says_so(phone, three, monkeypatch):
    monkeypatch.setitem(OGR_DRIVERS, "gpkg", "Nonsense")
    page = phone.get("/data/cases.gpkg")["Location"]
    with pytest.raises(Hopeless):
        run_jobs("build_data_file")
    assert phone.get(f"{page}.json").json()["state"] == "failed"
    # It is not what the next one gets.
    assert phone.get("/data/cases.gpkg")["Location"] != page


def test_every_night_there_is_a_file_of_everything(phone, three):
    at = int(datetime(2026, 11, 24, 7, 41, tzinfo=UTC).timestamp())
    with time_machine.travel(at):
        make_nightly_data(at)
        make_nightly_data(at)
        done = run_jobs("build_data_file")
        files = {file.format: file for file in builds.latest_nightly()}
        assert done == ["build_data_file"] * len(files)
        assert {"geojson", "geojsonl", "csv", "gpkg", "fgb"} <= files.keys()
        assert {file.rows for file in files.values()} == {len(three)}
        page = phone.get("/data/").content.decode()
        assert page.count("(gzip)") == 3
        for file in files.values():
            assert file.sha256 in page
            answer = phone.get(builds.url_of(file))
            body = answer.getvalue()
            assert hashlib.sha256(body).hexdigest() == file.sha256
            assert "2026-11-24" in answer["Content-Disposition"]
        packed = phone.get(builds.url_of(files["geojson"])).getvalue()
    features = json.loads(gzip.decompress(packed))["features"]
    assert [feature["id"] for feature in features] == three


def test_nothing_private_is_in_a_file_of_any_format(phone, squares, tmp_path):
    mark = "MARCA-"
    category = make_category("P-2", precision="grid")
    case = make_case(
        at=(-79.9301237, 8.5401237),
        category=category,
        description=f"{mark}relato",
        place_hint=f"{mark}seña",
        contact=Contact(f"{mark}nombre", "6999-1234", "marca@example.com", f"{mark}v"),
    )
    private = make_category("P-3", precision="none", private=True)
    hidden = make_case(category=private, description=f"{mark}privado")
    for form in FORMATS.values():
        file = tmp_path / f"casos.{form.extension}"
        make(form, Filters(), file, lambda percent: None, english=False)
        text = read_back(file)
        assert case.number in text, form
        secret = [mark, "6999-1234", "marca@", "79.93012", "8.54012", hidden.number]
        for known in (*secret, case.pin, str(case.report_id)):
            assert known not in text, (form, known)


def read_back(file: Path) -> str:
    """All that the file says, as text."""
    if file.suffix == ".parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
        rows = parquet.read_table(file).to_pylist()
        return str([(shapely.from_wkb(row.pop("geometry")).wkt, row) for row in rows])
    if file.suffix in {".gpkg", ".fgb"}:
        command = ["ogr2ogr", "-f", "GeoJSONSeq", "/vsistdout/", str(file)]
        return subprocess.run(
            command, capture_output=True, text=True, check=True
        ).stdout + file.read_bytes().decode(errors="replace")
    return gzip.decompress(file.read_bytes()).decode()


def test_of_no_cases_there_are_files_too(phone, squares):
    at = int(timezone.now().timestamp())
    make_nightly_data(at)
    run_jobs()
    assert {file.rows for file in builds.latest_nightly()} == {0}
