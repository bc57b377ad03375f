"""What a line of the log says: everything but what is somebody's."""

from __future__ import annotations

import logging
from io import StringIO
from time import process_time
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.gis.geos import Point
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.utils.log import AdminEmailHandler
from hypothesis import given
from hypothesis import strategies as st

from backend.accounts.devices import issue_device
from backend.cases.access import PIN_GUESSES
from backend.cases.numbers import case_number
from backend.logs import MaskedFormatter, masked
from tests.factories import make_category, make_crew, make_photo, make_territory
from tests.mobile_api.calls import (
    NEARBY,
    REPORTS,
    TOKEN,
    full_body,
    phone_of,
    send,
    send_form,
    transition_body,
    transitions_of,
)

STAYS = [
    "Not Found: /api/v1/cases/26-0000123-2/",
    "unassigned: nobody answers for waste-collection in 080801 (case 26-0000123-2)",
    "deployed 2026-11-24 at 15:10:11 in 0.532 s, 12 rows, 4096 bytes, pid 12345",
    "since 2026-11-24T15:10:11.123456+00:00",
    "Job backend.cases.tasks.forget_old[12] ended with status: Success",
    'File "/srv/app/backend/cases/filing.py", line 87, in file_case',
    'duplicate key value violates unique constraint "cases_case_number_key"',
    "the token has been revoked by its device; the PIN is not its own",
    "django 5.2.19, postgis 3.3.2",
]
GOES = {
    "Zoraida": [
        "DETAIL:  Failing row contains (7, Zoraida Quintero, hueco).",
        "DETAIL:  Key (name)=(Zoraida) already exists.\n",
        'invalid input syntax for type uuid: "Zoraida"',
        "CONTEXT:  unnamed portal parameter $3 = 'Zoraida'",
        "LINE 1: SELECT 'Zoraida' FROM a",
        "DETALLE:  La fila que falla contiene (7, Zoraida Quintero).",
        "la sintaxis de entrada no es válida para tipo uuid: «Zoraida»",
    ],
    "zoraida@example.com": ["<zoraida@example.com>: user unknown"],
    "6612-3456": ["call 6612-3456 now", "+507 6612-3456"],
    "66123456": ["call 66123456"],
    "8-765-4321": ["card 8-765-4321", "PE-8-765-4321"],
    "482913": [
        "/casos/26-0000123-2?pin=482913",
        "{'X-Case-Pin': '482913'}",
        "HTTP_X_CASE_PIN: 482913",
        "pin=482913",
    ],
    "q7Fh2kLm9": [
        "Authorization: Device q7Fh2kLm9",
        "{'HTTP_AUTHORIZATION': 'Token q7Fh2kLm9'}",
        "sent Token q7Fh2kLm9 twice",
        "Cookie: sessionid=q7Fh2kLm9",
        "/fotos/x.jpg?s=q7Fh2kLm9",
    ],
    "b7e0c0a4c111": [
        "/reports/0b0a7a7e-8f1c-4c5e-9f44-b7e0c0a4c111/",
        "UUID('0B0A7A7E8F1C4C5E9F44b7e0c0a4c111')",
    ],
    "79.9501": ["POINT (-79.950123 8.551234)", "[-79.9501237,8.5]"],
    "8.551": ["lat=8.551234", "(8.5512, -79.95)"],
    "d7fc53c0": ["0101000020e6100000a4703d0ad7fc53c09a99999999192140"],
}


@pytest.mark.parametrize("line", STAYS)
def test_what_an_operator_needs_stays(line):
    assert masked(line) == line


@pytest.mark.parametrize(
    ("secret", "line"),
    [(secret, line) for secret, lines in GOES.items() for line in lines],
)
def test_what_is_somebody_s_goes(secret, line):
    assert secret in line
    assert secret not in masked(line)
    assert "[…]" in masked(line)


@given(st.text(max_size=200))
def test_whatever_the_line_masking_it_again_changes_nothing_more(line):
    once = masked(line)
    assert masked(once) == once


@given(
    st.from_regex(r"[2-9]\d{3}[ -]?\d{4}|\+507 6\d{3}-\d{4}", fullmatch=True),
    st.sampled_from(["Llamé al {} hoy", "tel={},", "({})", "{}", "x:{}\n"]),
)
def test_a_telephone_goes_however_it_is_written(phone, line):
    assert phone not in masked(line.format(phone))


def test_a_device_s_token_goes(db):
    token = issue_device().token
    assert token not in masked(f"a stranger sent {token} here")


def test_a_long_line_is_soon_masked():
    """Each in one pass, a moment's work; else many seconds of the processor."""
    before = process_time()
    for text in ("a", "1", "1-", "a.b@", "f0", "aB1-", "a ", "pin=", "?a=", "(1 "):
        masked(text * 20_000)
    assert process_time() - before < 3


# ── Everything that the web says ─────────────────────────────────────────────────


@pytest.fixture
def lines(monkeypatch) -> StringIO:
    """What goes to the console, as the settings have it written."""
    [console] = [
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler.formatter, MaskedFormatter)
    ]
    written = StringIO()
    monkeypatch.setattr(console, "stream", written)
    return written


MARKS = {
    "name": "Zoraida Quintero",
    "phone": "6987-6543",
    "email": "zoraida.q@example.com",
    "words": "MARCArelato",
    "hint": "MARCAseña",
    "longitude": "-79.9456781",
    "latitude": "8.5567892",
    "token": "MARCAtoken9MARCAtoken9MARCAtoken9MARCAtoken9",
    "password": "MARCAclave",
}


def marked_body(**fields: Any) -> dict[str, Any]:
    return full_body(
        **{
            "location": {"type": "Point", "coordinates": [-79.9456781, 8.5567892]},
            "description": f"{MARKS['words']} {MARKS['name']} {MARKS['phone']}",
            "place_hint": MARKS["hint"],
            "contact": {key: MARKS[key] for key in ("name", "phone", "email")},
            **fields,
        }
    )


def refusals(phone: Client, filed: dict[str, Any], body: dict[str, Any]) -> list[Any]:
    number, pin = filed["number"], filed["pin"]
    wrong = f"{(int(pin) + 1) % 1_000_000:06}"
    outside = {"type": "Point", "coordinates": [-9.9456781, 8.5567892]}
    case = f"/api/v1/cases/{number}/"
    return [
        send(phone, {**body, "description": f"{MARKS['words']} otra"}),
        send(phone, marked_body(location=outside)),
        send(phone, marked_body(category="NADA")),
        send(phone, marked_body(consent="ninguna")),
        send(phone, {**marked_body(), "contact": {"name": MARKS["name"]}}),
        send(phone, b'{"description": "MARCArelato'),
        send_form(phone, marked_body(), make_photo(format="GIF")),
        send(phone, {"username": "ana", "password": MARKS["password"]}, TOKEN),
        phone.get(case, headers={"Authorization": f"Device {MARKS['token']}"}),
        phone.get(NEARBY, headers={"Authorization": f"Token {MARKS['token']}"}),
        phone.get(f"{case}my-data/", headers={"X-Case-Pin": wrong}),
        phone.post("/casos/", {"numero": number, "pin": wrong}),
        phone.put(f"{REPORTS}{body['id']}/photos/{uuid4()}/"),
        phone.put(f"{REPORTS}{uuid4()}/photos/{uuid4()}/"),
        *(phone.get(case, {"pin": wrong}) for _ in range(PIN_GUESSES.times)),
    ]


def test_no_line_and_no_problem_tells_of_anybody(db, lines, monkeypatch):
    make_territory()
    private = make_category("PRI-1", private=True, precision="none")
    make_category()
    phone = Client(HTTP_HOST="localhost", raise_request_exception=False)
    body = marked_body()
    filed = send(phone, body).json()
    answers = refusals(phone, filed, body)
    assert {answer.status_code for answer in answers} >= {400, 401, 403, 404, 409}
    assert {answer.status_code for answer in answers} >= {422, 429}
    crew = phone_of(make_crew())
    note = {"note": f"{MARKS['name']} {MARKS['phone']}"}
    moved = crew.post(
        transitions_of(filed["number"]),
        transition_body(to="closed", **note),
        content_type="application/json",
    )
    assert moved.status_code == 400
    answers.append(moved)

    # PostgreSQL refuses a row, and says which; what fails quotes what it was given.
    here = Point(-79.9456781, 8.5567892, srid=4326)
    monkeypatch.setattr("backend.cases.filing.public_point", lambda *_: here)
    answers.append(send(phone, marked_body(category=private.code)))
    monkeypatch.setattr("backend.cases.filing.next_number", lambda _: filed["number"])
    answers.append(send(phone, marked_body()))

    def broken(*_: object) -> None:
        raise RuntimeError(f"{body['id']} {filed['pin']=} {MARKS['phone']} {here.wkt}")

    monkeypatch.setattr("mobile_api.cases.public_case", broken)
    answers.append(phone.get(f"/api/v1/cases/{filed['number']}/?pin="))
    assert [answer.status_code for answer in answers[-3:]] == [500] * 3

    refused = [answer for answer in answers if answer.status_code >= 400]
    assert len(refused) >= len(answers) - 1  # a case is shown to any device
    told = lines.getvalue()
    assert told.count("Traceback") >= 3
    assert "IntegrityError" in told
    secrets = [*MARKS.values(), body["id"], filed["pin"], "79.945", "8.556"]
    for secret in secrets:
        assert secret not in told, secret
        for answer in refused:
            assert secret not in answer.content.decode(), (secret, answer.content)


def test_such_a_leak_would_be_seen(db, lines):
    logging.getLogger("backend").error("it was %s", MARKS["name"])
    logging.getLogger("backend").error("it was %s", MARKS["phone"])
    assert MARKS["name"] in lines.getvalue()  # a name is like any word: none is logged
    assert MARKS["phone"] not in lines.getvalue()
    assert "ERROR backend: it was […]" in lines.getvalue()


def test_a_traceback_s_chain_is_masked_to_its_first_cause(db, lines):
    try:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("SELECT %s::uuid", [MARKS["name"]])
        except DatabaseError as refused:
            raise RuntimeError(MARKS["email"]) from refused
    except RuntimeError:
        logging.getLogger("backend").exception("failed", stack_info=True)
    told = lines.getvalue()
    assert "invalid input syntax for type uuid: […]" in told
    assert "Zoraida" not in told
    assert "zoraida.q" not in told
    assert "Stack (most recent call last)" in told


def test_the_record_itself_is_left_for_others(lines, caplog):
    with caplog.at_level(logging.ERROR):
        logging.getLogger("backend").error("it was %s", MARKS["phone"])
    assert MARKS["phone"] in caplog.text
    assert MARKS["phone"] not in lines.getvalue()


def test_errors_go_nowhere_by_e_mail(lines):
    assert settings.ADMINS == settings.MANAGERS == []
    loggers = [logging.getLogger(name) for name in logging.root.manager.loggerDict]
    handlers = [handler for logger in loggers for handler in logger.handlers]
    assert not any(isinstance(handler, AdminEmailHandler) for handler in handlers)


def test_what_the_server_says_of_a_request_passes_there_too():
    server = logging.getLogger("gunicorn.error")
    assert not server.propagate
    assert any(isinstance(x.formatter, MaskedFormatter) for x in server.handlers)


def test_an_address_with_a_pin_is_told_to_nobody_else(db):
    make_territory()
    answer = Client(HTTP_HOST="localhost").get(
        f"/api/v1/cases/{case_number(26, 1)}/?pin=482913"
    )
    assert answer["Referrer-Policy"] == "same-origin"
