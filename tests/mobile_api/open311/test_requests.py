"""The public cases, as Open311 reads them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.db import OperationalError, connection
from django.test import RequestFactory

from backend.cases.handling import Transition, change_status
from backend.cases.models import Case
from backend.cases.workflow import OPEN, Status
from mobile_api.open311 import requests
from mobile_api.open311.door import Door
from mobile_api.open311.statuses import status_of
from tests.factories import EAST, WEST, make_case, make_category, make_photo
from tests.jobs import run_jobs
from tests.mobile_api.open311.schemas import EXTENDED, REQUESTS
from tests.mobile_api.open311.speaking import NOBODY, ask, refused

pytestmark = pytest.mark.usefixtures("squares")
NOW = datetime(2026, 11, 24, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def today() -> Iterator[None]:
    """The tests' own day: what was filed in it is of the last 90."""
    with time_machine.travel(NOW, tick=False):
        yield


def numbers(**query) -> list[str]:
    return [row["service_request_id"] for row in ask("requests", REQUESTS, **query)]


def test_a_case_is_told_in_the_standard_s_fields_and_no_others():
    case = make_case(description="Hueco. Llame al 6999-1234", filed_at=NOW)
    change_status(case, Transition(Status.IN_PROGRESS, "Va la cuadrilla"), None, NOW)
    (row,) = ask("requests", REQUESTS)
    assert row == {
        "service_request_id": case.number,
        "status": "open",
        "status_notes": "En proceso: Va la cuadrilla",
        "service_name": "Categoría PRU-01",
        "service_code": "PRU-01",
        "description": "Hueco. Llame al […]",
        "agency_responsible": "Entidad OBRAS",
        "service_notice": None,
        "requested_datetime": "2026-11-24T15:00:00-05:00",
        "updated_datetime": "2026-11-24T15:00:00-05:00",
        "expected_datetime": "2026-11-27T23:59:59-05:00",
        "address": "Oeste Uno, Oeste, Cuadrados",
        "address_id": "900101",
        "zipcode": None,
        "lat": 8.55,
        "long": -79.95,
        "media_url": None,
    }
    assert ask(f"requests/{case.number}", REQUESTS) == [row]


def test_extensions_are_told_to_who_asks_for_them():
    case = make_case(filed_at=NOW, photos=[make_photo()])
    run_jobs()
    change_status(case, Transition(Status.RESOLVED, "Listo"), None, NOW)
    (pure,) = ask(f"requests/{case.number}", REQUESTS)
    (row,) = ask("requests", EXTENDED, extensions="true")
    assert {name: row[name] for name in pure} == pure
    assert row["status_detail"] == "resolved"
    assert [note["description"] for note in row["notes"]] == [
        "Recibido",
        "Resuelto: Listo",
    ]
    (photo,) = row["extended_attributes"]["photos"]
    assert photo["media_url"] == pure["media_url"]
    seen = NOBODY.get(photo["media_url"].removeprefix("http://localhost"))
    assert seen["Content-Type"] == "image/jpeg"
    assert seen.getvalue().startswith(b"\xff\xd8")


@pytest.mark.parametrize("status", Status)
def test_every_status_is_open_or_closed(status):
    make_case(filed_at=NOW)
    Case.objects.update(status=status)
    word = "open" if status in OPEN else "closed"
    (row,) = ask("requests", REQUESTS, status=word)
    assert (row["status"], status_of(status)) == (word, word)
    other = {"open": "closed", "closed": "open"}[word]
    assert numbers(status=other) == []
    assert numbers(status="open,closed") == numbers()


def test_of_a_closed_case_the_time_of_its_change_is_when_it_was_closed():
    case = make_case(filed_at=NOW - timedelta(days=5))
    for days, to in ((4, Status.RESOLVED), (3, Status.REOPENED), (2, Status.RESOLVED)):
        change_status(case, Transition(to, "x"), None, NOW - timedelta(days=days))
    change_status(case, Transition(Status.CLOSED), None, NOW)
    (row,) = ask("requests", REQUESTS)
    assert row["updated_datetime"] == "2026-11-22T15:00:00-05:00"


def test_services_are_chosen_by_a_list():
    for code in ("PRU-02", "PRU-03"):
        make_case(category=make_category(code), filed_at=NOW)
    second, third = Case.objects.order_by("id").values_list("number", flat=True)
    assert numbers(service_code="PRU-02") == [second]
    assert numbers(service_code="PRU-03, PRU-02") == [third, second]
    assert numbers(service_code=["PRU-02", "PRU-03"]) == [third, second]
    assert numbers(service_code="PRU-01") == []
    assert numbers(service_code="") == [third, second]  # the same as none


def test_an_unknown_or_private_service_is_not_found_and_never_everything():
    make_case(filed_at=NOW)
    make_category("PRU-08", private=True, precision="none")
    for codes in ("NADA", "PRU-08", "PRU-01,NADA"):
        (error,) = refused("requests", 404, service_code=codes)
        assert error["code"] == 404
    assert refused("requests", 400, service_code=",")


def test_what_is_private_or_shows_no_point_is_in_no_list():
    private = make_category("PRU-08", private=True, precision="none")
    secret = make_case(category=private, filed_at=NOW)
    quiet = make_case(category=make_category("PRU-07", precision="none"), filed_at=NOW)
    assert numbers() == []
    ids = f"{secret.number},{quiet.number}"
    (row,) = ask("requests", REQUESTS, service_request_id=ids)
    assert row["service_request_id"] == quiet.number
    assert (row["lat"], row["long"]) == (None, None)
    assert (row["address"], row["address_id"]) == ("Oeste, Cuadrados", "9001")
    assert refused(f"requests/{secret.number}", 404)


def test_ids_override_everything_else():
    old = make_case(filed_at=NOW - timedelta(days=400))
    new = make_case(EAST, filed_at=NOW)
    assert numbers() == [new.number]
    found = numbers(
        service_request_id=f"{old.number}, nada ,{new.number}",
        service_code="NADA",
        status="x",
        start_date="x",
        page="0",
    )
    assert found == [new.number, old.number]
    assert numbers(service_request_id="nada") == []


def test_without_dates_it_is_the_last_ninety_days_newest_first():
    edge = make_case(filed_at=NOW - timedelta(days=90))
    make_case(filed_at=NOW - timedelta(days=90, seconds=1))
    new = make_case(filed_at=NOW)
    assert numbers() == [new.number, edge.number]


def test_dates_choose_a_period_of_ninety_days_at_most():
    cases = [make_case(filed_at=NOW - timedelta(days=days)) for days in (100, 50, 10)]
    first, second, third = (case.number for case in cases)
    assert numbers(start_date="2026-08-01T00:00:00-05:00") == [second, first]
    assert numbers(end_date="2026-10-30T00:00:00Z") == [second, first]
    assert numbers(start_date="2026-11-01", end_date="2026-11-30") == [third]
    # In an address a plus is a space.
    assert numbers(start_date="2026-11-01T00:00:00 01:00") == [third]
    for query in (
        {"start_date": "2026-08-01", "end_date": "2026-11-24"},
        {"start_date": "2026-11-24", "end_date": "2026-11-23"},
        {"start_date": "ayer"},
        {"end_date": "2026-13-01"},
    ):
        assert refused("requests", 400, **query)
    assert numbers(start_date="9999-12-31T23:59:59Z") == []
    assert numbers(end_date="0001-01-01") == []


def test_a_day_that_ends_a_period_is_part_of_it_to_its_last_moment():
    midnight = datetime(2026, 11, 24, 5, tzinfo=UTC)  # in Panama
    tick = timedelta(microseconds=1)
    last, next_day = (make_case(filed_at=at) for at in (midnight - tick, midnight))
    assert numbers(start_date="2026-11-23", end_date="2026-11-23") == [last.number]
    assert numbers(end_date="2026-11-23") == [last.number]
    assert numbers(end_date="2026-11-24") == [next_day.number, last.number]
    assert numbers(end_date="2026-11-22") == []


def test_a_time_as_it_is_told_finds_the_case_that_it_was_told_of():
    case = make_case(filed_at=NOW - timedelta(seconds=9.6))
    (row,) = ask("requests", REQUESTS)
    told = row["requested_datetime"]
    assert told == "2026-11-24T14:59:50-05:00"
    assert numbers(start_date=told, end_date=told) == [case.number]
    assert numbers(end_date=told) == [case.number]
    assert numbers(end_date="2026-11-24T14:59:49-05:00") == []
    # Who writes the fraction means it.
    assert numbers(end_date="2026-11-24T14:59:50.399-05:00") == []
    assert numbers(end_date="2026-11-24T14:59:50.4-05:00") == [case.number]


def test_the_ninety_days_are_those_between_the_dates_as_they_are_written():
    edge = make_case(filed_at=NOW - timedelta(days=90))
    for start, end in (
        ("2026-08-26", "2026-11-24"),
        ("2026-08-26T15:00:00-05:00", "2026-11-24T15:00:00-05:00"),
    ):
        assert numbers(start_date=start, end_date=end) == [edge.number]
    for start, end in (
        ("2026-08-25", "2026-11-24"),
        ("2026-08-26T14:59:59-05:00", "2026-11-24T15:00:00-05:00"),
    ):
        assert refused("requests", 400, start_date=start, end_date=end)
    assert numbers(start_date="9999-12-30", end_date="9999-12-31") == []


def test_pages_follow_each_other_without_a_gap():
    all_of_them = [make_case(filed_at=NOW).number for _ in range(5)][::-1]
    pages = [numbers(page=page, page_size=2) for page in (1, 2, 3, 4)]
    assert pages == [all_of_them[:2], all_of_them[2:4], all_of_them[4:], []]
    for query in ({"page": 0}, {"page_size": 1001}, {"page": "x"}, {"page": 1001}):
        assert refused("requests", 400, **query)


def test_a_box_and_a_circle_choose_a_place():
    west = make_case(WEST, filed_at=NOW)
    east = make_case(EAST, filed_at=NOW)
    assert numbers(bbox="-80,8.5,-79.9,8.6") == [west.number]
    assert numbers(lat=EAST[1], long=EAST[0]) == [east.number]
    metres = 11_000  # between the two: 10.996 km
    assert len(numbers(lat=EAST[1], long=EAST[0], radius=metres)) == 2
    assert len(numbers(lat=EAST[1], long=EAST[0], radius=metres - 50)) == 1
    for query in (
        {"bbox": "-79,8,-80,9"},
        {"bbox": "1,2,3"},
        {"bbox": "nan,1,2,3"},
        {"lat": 91, "long": 0},
        {"radius": 5},
        {"lat": 8, "long": -80, "radius": 50_001},
        {"lat": "1_0", "long": -80},
    ):
        assert refused("requests", 400, **query)


def test_a_mistyped_an_unknown_and_a_private_number_are_not_there():
    for number in ("26-0000123-4", "26-0000123-2", "x", "%00", "26-0000123-2.yaml"):
        assert refused(f"requests/{number}", 404)[0]["code"] == 404


def test_however_many_cases_it_asks_the_same_few_questions(
    django_assert_max_num_queries,
):
    for _ in range(3):
        make_case(filed_at=NOW, photos=[make_photo((40, 30))])
    run_jobs()
    # The savepoint and its release, the time limit, and three questions.
    with django_assert_max_num_queries(6):
        answer = NOBODY.get("/open311/v2/requests.json?extensions=true")
    assert len(answer.json()) == 3


def test_any_page_may_read_it_and_a_cache_keep_it_for_a_while():
    case = make_case(filed_at=NOW)
    address = f"/open311/v2/requests/{case.number}.json"
    first = NOBODY.get(address)
    assert first["Access-Control-Allow-Origin"] == "*"
    assert "max-age=30" in first["Cache-Control"]
    assert NOBODY.head(address)["ETag"] == first["ETag"]
    again = NOBODY.get(address, headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    assert again["Access-Control-Allow-Origin"] == "*"
    change_status(case, Transition(Status.ASSIGNED, id=uuid4()), None, NOW)
    changed = NOBODY.get(address, headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200


def test_while_the_database_is_away_it_says_so_in_open311_s_words(monkeypatch):
    def away(*_: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(requests, "with_all_that_is_told", away)
    refused("requests", 503)
    assert NOBODY.get("/open311/v2/requests.xml")["Retry-After"] == "2"


def test_the_time_of_a_question_is_bounded(db):
    class Slow(Door):
        root = "services"

        def read(self, request, **path):
            with connection.cursor() as cursor:
                cursor.execute("SHOW statement_timeout")
                return [{"service_code": cursor.fetchone()[0]}]

    answer: Any = Slow.as_view()(RequestFactory().get("/"))
    assert b'"10s"' in answer.content
