"""/data/: the page, the dictionary and the catalogue of the open data."""

from __future__ import annotations

import csv
import re
from io import StringIO

import pytest
from django.utils import timezone

from geo.forms import CSV_HEADER
from map_views.data import builds, dictionary
from map_views.tasks import make_nightly_data
from tests.factories import make_case
from tests.jobs import run_jobs


def test_the_page_leads_to_everything(phone, squares):
    answer = phone.get("/data/")
    text = answer.content.decode()
    for address in ("/data/dictionary", "/data/catalog.jsonld", "licenses/by/4.0"):
        assert address in text
    assert 'rel="license"' in answer["Link"]
    assert "/data/catalog.jsonld" in answer["Link"]


def test_whoever_keeps_a_copy_is_told_to_ask_from_a_day_before(phone, squares):
    """A category that becomes private hides its cases at once, when all are done: each with
    its own time, of which the first is half an hour old where there are a million."""
    text = phone.get("/data/").content.decode()
    assert "lo que cambió desde un día antes de la última vez" in text


def test_the_form_leads_to_the_file(phone, squares):
    asked = {"format": "csv", "state": "open", "place": "08", "since": "", "x": "1"}
    answer = phone.get("/data/cases", asked)
    assert answer["Location"] == "/data/cases.csv?state=open&place=08"
    assert phone.get("/data/cases", {"format": "xls"})["Location"] == "/data/"


def test_days_the_wrong_way_round_are_told_in_the_form_instead_of_a_file(
    phone, squares
):
    days = {"since": "2026-03-02", "until": "2026-03-01"}
    answer = phone.get("/data/cases", {"format": "csv", "state": "open", **days})

    page = answer.content.decode()
    assert answer.status_code == 400
    assert 'id="until-problem">El último día es anterior al primero.' in page
    assert 'aria-describedby="until-problem"' in page
    for kept in ('value="open" selected', 'value="2026-03-02"', 'value="csv" checked'):
        assert kept in page
    assert phone.get("/data/cases.csv", days).status_code == 400


def test_no_column_is_exported_without_an_entry_in_the_dictionary(db):
    assert tuple(entry.name for entry in dictionary.entries()) == CSV_HEADER


def test_the_dictionary_is_told_in_both_languages(phone, squares):
    for entry in dictionary.entries():
        assert entry.es
        assert entry.en
        assert entry.es != entry.en
    english = phone.get("/data/dictionary", headers={"Accept-Language": "en"})
    assert "never changes" in english.content.decode()
    assert "as precise as <code>precision</code> says" in english.content.decode()
    assert "no cambia nunca" in phone.get("/data/dictionary").content.decode()
    rows = list(
        csv.DictReader(StringIO(phone.get("/data/dictionary.csv").content.decode()))
    )
    assert [row["column"] for row in rows] == list(CSV_HEADER)
    columns = phone.get("/data/dictionary.json").json()["columns"]
    assert [column["name"] for column in columns] == list(CSV_HEADER)


def test_what_a_column_may_hold_is_what_it_holds(phone, squares):
    make_case()
    text = phone.get("/data/cases.csv").getvalue().decode()
    (row,) = csv.DictReader(StringIO(text, newline=""))
    for entry in dictionary.entries():
        values = {value for value, *_ in entry.domain}
        assert row[entry.name] or entry.may_be_empty, entry.name
        if values and row[entry.name]:
            assert row[entry.name] in values, entry.name


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")
def test_the_catalogue_is_read_by_rdflib(phone, squares):
    rdflib = pytest.importorskip("rdflib")
    make_case()
    make_nightly_data(int(timezone.now().timestamp()))
    run_jobs()
    answer = phone.get("/data/catalog.jsonld")
    assert answer["Content-Type"] == "application/ld+json"
    graph = rdflib.Graph().parse(data=answer.content, format="json-ld")
    dcat, dct = rdflib.Namespace("http://www.w3.org/ns/dcat#"), rdflib.DCTERMS
    spdx = rdflib.Namespace("http://spdx.org/rdf/terms#")
    (catalog,) = graph.subjects(rdflib.RDF.type, dcat.Catalog)
    (dataset,) = graph.objects(catalog, dcat.dataset)
    # What DCAT-AP insists on, and what it recommends.
    for node in (catalog, dataset):
        for property in (dct.title, dct.description, dct.publisher):
            assert list(graph.objects(node, property)), property
    for property in (
        *(dct.accrualPeriodicity, dct.spatial, dct.temporal, dct.conformsTo),
        *(dcat.theme, dcat.keyword, dcat.contactPoint),
    ):
        assert list(graph.objects(dataset, property)), property
    sums = set()
    for distribution in graph.objects(dataset, dcat.distribution):
        for property in (dcat.accessURL, dct.license, dct.conformsTo):
            assert list(graph.objects(distribution, property)), property
        for checksum in graph.objects(distribution, spdx.checksum):
            sums |= {
                str(value) for value in graph.objects(checksum, spdx.checksumValue)
            }
            assert list(graph.objects(distribution, dcat.byteSize))
    assert sums == {file.sha256 for file in builds.latest_nightly()}


EU = "http://publications.europa.eu/resource/authority/file-type/"
IANA = "https://www.iana.org/assignments/media-types/"


@pytest.mark.parametrize(
    ("extension", "file_type", "media_type"),
    [
        ("geojson", "GEOJSON", "application/geo+json"),
        ("csv", "CSV", "text/csv"),
        ("gpkg", "GPKG", "application/geopackage+sqlite3"),
        ("parquet", "PARQUET", "application/vnd.apache.parquet"),
        # In neither list.
        ("geojsonl", "", ""),
        ("fgb", "", ""),
    ],
)
def test_formats_are_named_as_the_lists_name_them_that_harvesters_know(
    phone, squares, extension, file_type, media_type
):
    if extension == "parquet":
        pytest.importorskip("pyarrow")
    make_nightly_data(int(timezone.now().timestamp()))
    run_jobs()
    catalogue = phone.get("/data/catalog.jsonld").json()
    ours = [
        told
        for told in catalogue["dcat:dataset"]["dcat:distribution"]
        if re.search(rf"\.{extension}(\.gz)?#", told["@id"])
    ]
    assert ours
    type_ = {"@id": EU + file_type} if file_type else None
    media = {"@id": IANA + media_type} if media_type else None
    for told in ours:
        assert told.get("dct:format") == type_
        assert told.get("dcat:mediaType") == media
