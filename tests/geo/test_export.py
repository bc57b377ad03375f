"""The public cases as GeoJSON, however many there are."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from django.conf import settings
from django.db import connection

from backend.cases.filing import Contact
from backend.cases.models import Case
from backend.cases.workflow import Status
from geo import copying
from geo.export import geojson
from geo.filters import Box, Filters
from tests.factories import make_case, make_category, make_entity
from tests.geo.many import multiply, plan_of
from tests.servers import cloned_database

PROPERTIES = {
    "number",
    "category",
    "category_name",
    "group",
    "status",
    "open",
    "filed_at",
    "due_at",
    "updated_at",
    "resolved_at",
    "entity",
    "entity_name",
    "province",
    "province_code",
    "district",
    "district_code",
    "corregimiento",
    "corregimiento_code",
    "precision",
    "demo",
    "url",
}
DAY = datetime(2026, 3, 1, 4, 59, 59, tzinfo=UTC)


def exported(filters: Filters = Filters(), limit=None, **how):  # noqa: B008
    return json.loads(b"".join(geojson(filters, limit, **how)))


def numbers(collection) -> list[str]:
    return [feature["id"] for feature in collection["features"]]


def test_a_case_is_a_feature_of_what_anyone_may_know(squares):
    case = make_case(at=(-79.951234567, 8.554321), filed_at=DAY, description="Un hueco")
    collection = exported()
    assert collection.keys() == {"type", "features"}
    assert collection["type"] == "FeatureCollection"
    (feature,) = collection["features"]
    assert feature.keys() == {"type", "id", "geometry", "properties"}
    assert feature["type"] == "Feature"
    assert feature["id"] == case.number
    assert feature["geometry"] == {
        "type": "Point",
        "coordinates": [-79.951235, 8.554321],
    }
    told = feature["properties"]
    assert told.keys() == PROPERTIES
    assert told["number"] == case.number
    assert told["category_name"] == "Categoría PRU-01"
    assert (told["status"], told["open"]) == ("received", True)
    assert told["filed_at"] == "2026-02-28T23:59:59-05:00"
    assert told["resolved_at"] is None
    assert (told["entity"], told["entity_name"]) == ("OBRAS", "Entidad OBRAS")
    assert (told["province"], told["district"]) == ("Cuadrados", "Oeste")
    assert (told["corregimiento"], told["corregimiento_code"]) == (
        "Oeste Uno",
        "900101",
    )
    assert told["url"] == f"/casos/{case.number}"


def test_no_cases_are_a_collection_of_none(squares):
    assert exported() == {"type": "FeatureCollection", "features": []}
    assert exported(limit=5)["features"] == []


def test_words_of_any_kind_make_no_broken_json(squares):
    entity = make_entity("OBRAS")
    entity.name = 'El "Ñandú" \\ </script> \u2028 \n\t {}'
    entity.save()
    make_case()
    assert exported()["features"][0]["properties"]["entity_name"] == entity.name


def test_what_nobody_answers_and_what_has_no_corregimiento_is_exported_too(squares):
    case = make_case()
    Case.objects.filter(pk=case.pk).update(entity=None, corregimiento=None)
    (feature,) = exported()["features"]
    assert feature["properties"]["entity"] is None
    assert feature["properties"]["entity_name"] is None
    assert feature["properties"]["corregimiento"] is None


def test_cases_come_in_the_order_of_their_filing(squares):
    made = [make_case(filed_at=DAY - timedelta(days=n)).number for n in range(4)]
    assert numbers(exported()) == made


def test_with_a_limit_the_newest_come_first(squares):
    made = [make_case(filed_at=DAY + timedelta(days=n)).number for n in (2, 0, 3, 1)]
    assert numbers(exported(limit=3)) == [made[2], made[0], made[3]]
    assert numbers(exported(limit=100)) == [made[2], made[0], made[3], made[1]]


def test_names_come_in_english_too(squares):
    make_case()
    (feature,) = exported(english=True)["features"]
    assert feature["properties"]["category_name"] == "Category PRU-01"


def test_only_public_points_are_exported(squares):
    exact = make_case()
    grid = make_case(
        at=(-79.951234, 8.554321), category=make_category("P-2", precision="grid")
    )
    make_case(category=make_category("P-3", precision="none"))
    make_case(category=make_category("P-4", precision="none", private=True))
    collection = exported()
    assert numbers(collection) == [exact.number, grid.number]
    assert "79.951234" not in json.dumps(collection)


def test_nothing_private_is_exported(squares):
    case = make_case(
        description="MARCA relato",
        place_hint="MARCA seña",
        contact=Contact("MARCA nombre", "6999-1234", "marca@example.com", "MARCA"),
    )
    text = b"".join(geojson(Filters())).decode()
    for mark in ("MARCA", "6999-1234", "marca@", case.pin, str(case.report_id)):
        assert mark not in text


def test_filters_and_limit_work_together(squares):
    resolved = make_case(status=Status.RESOLVED)
    opened = [make_case(at=(-79.95 - n / 100, 8.55)) for n in range(3)]
    assert numbers(exported(Filters(state="resolved"))) == [resolved.number]
    west = Filters(state="open", box=Box(-80, 8.5, -79.955, 8.6))
    assert set(numbers(exported(west))) == {case.number for case in opened[1:]}
    assert len(numbers(exported(west, limit=1))) == 1


def test_many_cases_are_one_valid_collection(squares):
    multiply(make_case(), 1007)
    assert len(list(geojson(Filters()))) > 2
    found = numbers(exported())
    assert len(found) == len(set(found)) == 1008


def test_an_export_that_breaks_does_not_look_complete(squares, monkeypatch):
    multiply(make_case(), 10)
    monkeypatch.setattr(copying, "PIECE_BYTES", 1)
    whole = copying.copy

    def breaks(statement):
        yield from islice(whole(statement), 5)
        raise OSError("the database is gone")

    monkeypatch.setattr(copying, "copy", breaks)
    pieces = geojson(Filters())
    read: list[bytes] = []
    with pytest.raises(OSError, match="gone"):
        read.extend(pieces)
    assert len(read) == 5
    with pytest.raises(json.JSONDecodeError):
        json.loads(b"".join(read))


def test_whoever_leaves_in_the_middle_gives_everything_back(squares):
    multiply(make_case(), 3000)
    before = list(connection.savepoint_ids)
    pieces = geojson(Filters())
    assert len(list(islice(pieces, 2))) == 2
    pieces.close()
    assert list(connection.savepoint_ids) == before
    assert Case.objects.count() == 3001


def test_the_newest_and_the_whole_are_found_by_an_index(squares):
    multiply(
        make_case(),
        8000,
        filed_at="cases_case.filed_at - n * interval '1 s'",
        updated_at="cases_case.filed_at",
    )
    newest = plan_of(lambda: list(geojson(Filters(), limit=50)))
    assert "Index Scan Backward using cases_by_filing" in newest
    view = Filters(box=Box(-79.905, 8.545, -79.9, 8.55))
    assert "public_cases_by_place" in plan_of(lambda: list(geojson(view)))


MEASURE = """
import resource, django
django.setup()
from django.db import connection
from geo.export import geojson
from geo.filters import Filters
from tests.factories import make_case, make_category, make_territory
from tests.geo.many import multiply

def read(limit):
    return sum(piece.count(b"\\n") for piece in geojson(Filters(), limit)) - 2

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

make_territory()
with connection.cursor() as cursor:  # to keep them up to date takes longer than the test
    cursor.execute("DROP INDEX open_cases_by_entity_and_place, public_cases_by_place")
multiply(make_case(category=make_category()), %d)
assert read(2000) == 2000
before = peak()
print(read(None), peak() - before)
"""


@pytest.fixture(scope="module")
def elsewhere(django_db_setup, django_db_blocker):
    """A database of this module's own, where rows may stay."""
    with cloned_database(django_db_blocker) as url:
        yield url


@pytest.mark.django_db
def test_memory_stays_flat_however_many_there_are(elsewhere):
    count = 100_000  # 60 MB of text
    done = subprocess.run(
        [sys.executable, "-c", MEASURE % (count - 1)],
        env={**os.environ, "DATABASE_URL": elsewhere},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    read, grown_kb = map(int, done.stdout.split())
    assert read == count
    assert grown_kb < 20 * 1024
