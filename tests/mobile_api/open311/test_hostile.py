"""Whatever strangers ask and send, Open311 answers in its own words: never a 5xx."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.cases.models import Case, StatusChange
from mobile_api.open311.parameters import Parameters
from mobile_api.open311.requests import filtered
from mobile_api.open311.updates import asked_lines
from tests.factories import make_case
from tests.geo.many import multiply
from tests.mobile_api.open311.schemas import (
    ERRORS,
    EXTENDED,
    RECEIPT,
    REQUESTS,
    SERVICES,
    UPDATE_RECEIPT,
    UPDATES,
)
from tests.mobile_api.open311.speaking import BASE, NOBODY, request_form, send, valid

pytestmark = pytest.mark.usefixtures("squares")

unhurried = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
# What a form and an address can carry: no lone surrogates.
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = text | st.sampled_from(
    [
        "\x00",
        "NaN",
        "1e999",
        "-1e400",
        "9" * 400,
        ",",
        "0001-01-01",
        "9999-12-31",
        "2026-11-24T00:00:00+23:59",
        "0001-01-01T00:00:00+14:00",
        "true",
        "open",
        "8.55",
        "-79.95",
        "-80,8.5,-79.9,8.6",
        "-180,-90,180,90",
        "90",
        "180",
        "x" * 5000,
    ]
)
asked = st.dictionaries(
    st.sampled_from(
        [
            "service_request_id",
            "service_code",
            "start_date",
            "end_date",
            "status",
            "page",
            "page_size",
            "bbox",
            "lat",
            "long",
            "radius",
            "extensions",
        ]
    ),
    values | st.lists(values, max_size=3),
)
sent = st.dictionaries(
    st.sampled_from(
        [
            "service_code",
            "lat",
            "long",
            "description",
            "address_string",
            "email",
            "phone",
            "first_name",
            "media",
            "media_url",
            "photo1",
            "language",
            "consent",
            "report_id",
            "update_id",
            "attribute[a]",
            "status",
            "service_request_id",
            "updated_datetime",
        ]
    ),
    values | st.lists(values, max_size=3),
)
READ = {"requests": REQUESTS, "servicerequestupdates": UPDATES, "services": SERVICES}
WRITE = {"requests": RECEIPT, "servicerequestupdates": UPDATE_RECEIPT}


@unhurried
@given(path=st.sampled_from(sorted(READ)), query=asked)
def test_whatever_is_asked(path, query):
    answer = NOBODY.get(f"{BASE}{path}.json", query)
    assert answer.status_code in {200, 400, 404}
    schema = READ[path] if answer.status_code == 200 else ERRORS
    extended = path == "requests" and query.get("extensions") == "true"
    valid(answer, EXTENDED if extended and schema is REQUESTS else schema)


@unhurried
@given(path=st.sampled_from(sorted(WRITE)), form=sent)
def test_whatever_is_sent_with_a_key(key, path, form):
    answer = send({**request_form(key), **form}, path)
    assert answer.status_code in {200, 400, 403, 404}
    valid(answer, WRITE[path] if answer.status_code == 200 else ERRORS)


NOW = datetime(2026, 11, 24, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("page_size=10", "cases_by_filing"),
        ("bbox=-79.905,8.545,-79.9,8.55", "public_cases_by_place"),
        ("lat=8.55&long=-79.9&radius=300", "public_cases_by_place"),
    ],
)
def test_cases_are_found_by_an_index(query, index):
    an_hour_before = "cases_case.filed_at - n * interval '1 hour'"
    multiply(make_case(filed_at=NOW), 8000, filed_at=an_hour_before)
    plan = filtered(Parameters(QueryDict(query)), NOW).explain()
    assert index in plan
    assert "Seq Scan on cases_case" not in plan


def test_updates_are_found_by_an_index():
    case = make_case(filed_at=NOW)
    StatusChange.objects.bulk_create(
        StatusChange(case=case, status="assigned", changed_at=NOW - timedelta(hours=n))
        for n in range(8000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE cases_statuschange, cases_case")
    query = QueryDict("start_date=2026-11-24")
    assert "history_by_time" in asked_lines(Parameters(query), NOW).explain()


def test_all_updates_of_a_case_are_found_by_its_number():
    case = make_case(filed_at=NOW)
    multiply(make_case(filed_at=NOW), 8000)
    StatusChange.objects.bulk_create(
        StatusChange(case_id=pk, status="assigned", changed_at=NOW)
        for pk in Case.objects.values_list("pk", flat=True)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE cases_statuschange, cases_case")
    query = QueryDict(f"service_request_id={case.number}")
    plan = asked_lines(Parameters(query), NOW).explain()
    assert "Seq Scan" not in plan
    assert "history_by_time" not in plan
