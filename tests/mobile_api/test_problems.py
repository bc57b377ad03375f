"""Every refusal in one shape (RFC 9457), in the reader's language."""

import logging
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.test import Client
from django.utils import translation
from rest_framework import exceptions

from backend.cases import filing
from backend.cases.filing import ReportIdReused
from mobile_api.errors import ANSWERS
from mobile_api.problems import pointers, problem_response
from provinces.models import Generation
from tests.factories import make_case
from tests.mobile_api.calls import (
    REPORTS,
    TOKEN,
    point,
    problem_of,
    report_body,
    send,
    wrong_fields,
)

OUTSIDE = {"location": point(-84.08, 9.93)}


def test_a_refusal_says_what_is_wrong_in_spanish(squares, phone):
    refused = send(phone, report_body(**OUTSIDE))
    assert refused["Content-Type"] == "application/problem+json"
    assert refused["Content-Language"] == "es"
    assert refused.json() == {
        "type": "/problems/outside-panama",
        "title": "El punto está fuera de Panamá.",
        "status": 422,
        "detail": "Mueva el marcador al lugar del problema, dentro del país.",
    }


def test_a_refusal_says_what_is_wrong_in_english(squares, phone):
    refused = send(phone, report_body(**OUTSIDE), headers={"Accept-Language": "en"})
    assert refused["Content-Language"] == "en"
    assert refused.json()["title"] == "The point is outside Panama."


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ("en", "en"),
        ("en-GB,es;q=0.5", "en"),
        ("fr", "es"),
        ("es-PA", "es"),
        ("*", "es"),
    ],
)
def test_the_language_is_the_readers(squares, phone, asked, answered):
    refused = send(phone, report_body(**OUTSIDE), headers={"Accept-Language": asked})
    assert refused["Content-Language"] == answered
    assert "Accept-Language" in refused["Vary"]


def test_a_wrong_field_is_told_in_the_readers_language(squares, phone):
    spanish = send(phone, {})
    english = send(phone, {}, headers={"Accept-Language": "en"})
    assert wrong_fields(spanish) == wrong_fields(english)
    assert spanish.json()["errors"][0]["detail"] == "Este campo es requerido."
    assert english.json()["errors"][0]["detail"] == "This field is required."


@pytest.mark.parametrize("error", ANSWERS, ids=lambda e: f"{e.__module__}.{e.__name__}")
def test_every_refusal_has_its_words(error):
    answer = ANSWERS[error]
    with translation.override("es"):
        title, detail = str(answer.title), str(answer.detail)
    assert title
    assert title.endswith(".")
    assert "%" not in title + detail
    assert 400 <= answer.status <= 503
    with translation.override("en"):
        assert str(answer.title) != title
        assert not detail or str(answer.detail) != detail


def test_a_type_of_problem_has_one_status():
    statuses: dict[str, int] = {}
    for answer in ANSWERS.values():
        assert statuses.setdefault(answer.type, answer.status) == answer.status


def test_an_error_of_ours_stays_an_error():
    assert problem_response(RuntimeError("nuestro"), {}) is None


def test_an_error_answers_as_the_nearest_of_its_parents():
    class Odd(SuspiciousOperation):
        pass

    for error, status in [
        (Odd(), 400),
        (PermissionDenied(), 403),
        (ReportIdReused(), 409),
    ]:
        answer = problem_response(error, {})
        assert answer is not None
        assert answer.status_code == status


@pytest.mark.parametrize(
    "error", [OperationalError("dsn=secreto"), InterfaceError("x")]
)
def test_without_a_database_the_phone_is_told_to_come_back(
    phone, squares, monkeypatch, error, caplog
):
    def away(*_):
        raise error

    monkeypatch.setattr(filing, "already_filed", away)
    with caplog.at_level(logging.ERROR):
        refused = send(phone, report_body())
    assert problem_of(refused, 503) == "unavailable"
    assert int(refused["Retry-After"]) > 0
    assert "secreto" not in refused.content.decode()


def test_without_boundaries_the_service_is_not_ready(phone, squares):
    Generation.objects.update(is_active=False)
    assert problem_of(send(phone, report_body()), 503) == "unavailable"


def test_pointers_lead_to_the_field(db):
    wrong: dict[str, Any] = {
        "a": ["x"],
        "b": {"c": ["y"], "non_field_errors": ["z"]},
        "d": {0: ["w"]},
        "non_field_errors": ["v"],
    }
    error = exceptions.ValidationError(wrong)
    found = [(pointer, str(detail)) for pointer, detail in pointers(error.detail)]
    assert found == [
        ("/a", "x"),
        ("/b/c", "y"),
        ("/b", "z"),
        ("/d/0", "w"),
        ("", "v"),
    ]


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
@pytest.mark.parametrize("path", ["/api/v1/", "/api/v1/nada/", "/api/v1/reports"])
def test_where_there_is_nothing_the_answer_says_so(db, method, path):
    strict = Client(HTTP_HOST="localhost", enforce_csrf_checks=True)
    assert problem_of(getattr(strict, method)(path), 404) == "not-found"


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        (REPORTS, "delete", "POST, OPTIONS"),
        ("/api/v1/cases/26-0000123-6/", "post", "GET, HEAD, OPTIONS"),
    ],
)
def test_only_the_methods_that_there_are(phone, path, method, allowed):
    refused = getattr(phone, method)(path)
    assert problem_of(refused, 405) == "method-not-allowed"
    assert refused["Allow"] == allowed


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "x",
        "",
        "a/b/c",
    ],
)
def test_other_types_of_body_are_refused(phone, squares, content_type):
    refused = phone.generic("POST", REPORTS, b"{}", content_type=content_type)
    assert problem_of(refused, 415) == "unsupported-media-type"


def test_only_json_is_answered(phone, squares):
    case = make_case()
    path = f"/api/v1/cases/{case.number}/"
    refused = phone.get(path, headers={"Accept": "text/html"})
    assert problem_of(refused, 406) == "not-acceptable"
    assert phone.get(path, headers={"Accept": "*/*"}).status_code == 200
    assert problem_of(phone.get(path, {"format": "xml"}), 404) == "not-found"


def test_a_refusal_is_not_kept_by_caches(phone, squares):
    for refused in (
        phone.get("/api/v1/cases/26-9999999-8/"),
        phone.get("/api/v1/nada/"),
        send(phone, report_body(**OUTSIDE)),
    ):
        assert refused["Cache-Control"] == "no-store"


def test_logs_keep_no_words_of_the_report(phone, squares, caplog):
    with caplog.at_level(logging.DEBUG):
        send(phone, report_body(description="MARCA", place_hint="MARCA", accuracy=-1))
        send(phone, report_body(description="MARCA", **OUTSIDE))
        send(phone, report_body(description="MARCA", place_hint="MARCA"))
        send(phone, {"username": "ana", "password": "MARCA"}, TOKEN)
        send(phone, '{"description": "MARCA')
    ours = [r for r in caplog.records if r.name != "django.db.backends"]
    assert "MARCA" not in "".join(record.getMessage() for record in ours)
