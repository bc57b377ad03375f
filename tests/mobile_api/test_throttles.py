"""How often strangers may do what, and what they are told when it is too often."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import F
from django.test import Client

from backend.accounts.models import Allowance
from backend.cases.models import Case
from mobile_api.throttles import RATES, SMALLEST_AMOUNT, Rate, What, plain_number
from tests.factories import make_case, make_photo
from tests.mobile_api.calls import (
    DEVICES,
    JSON,
    PROOF,
    REPORTS,
    new_phone,
    problem_of,
    proof_of,
    report_body,
    send,
    send_form,
    wrong_fields,
)
from tests.mobile_api.test_photos import PHOTO
from tests.servers import Server, server_of_its_own

OF_A_PHONE = RATES[What.REPORT].device.hourly
OF_A_NUMBER = RATES[What.REPORT].phone or Rate(0)
FREE = RATES[What.REPORT].strangers.calm or 0
OF_STRANGERS = RATES[What.REPORT].strangers.hourly
OF_NEIGHBOURS = RATES[What.REPORT].neighbours


@pytest.fixture
def strict(squares, settings) -> None:
    """The limits as the table says them."""
    settings.LIMITS_FACTOR = 1.0


def use_up(phone: Client, times: int) -> None:
    statuses = {send(phone, report_body()).status_code for _ in range(times)}
    assert statuses == {201}


def pass_time(**time: float) -> None:
    """The database's clock is the only one: so the rows go back instead."""
    Allowance.objects.update(free_at=F("free_at") - timedelta(**time))


def near_its_end(times: int) -> None:
    """As if the only caller had used up so many."""
    seconds = 3600 / OF_NEIGHBOURS.hourly * times
    Allowance.objects.filter(key__contains="neighbours").update(
        free_at=F("free_at") + timedelta(seconds=seconds)
    )


def test_a_phone_reports_so_often_and_then_waits(strict):
    phone = new_phone()
    use_up(phone, OF_A_PHONE)
    refused = send(phone, report_body())
    assert problem_of(refused, 429) == "too-many-requests"
    assert 0 < int(refused["Retry-After"]) <= 3600 / OF_A_PHONE
    assert Case.objects.count() == OF_A_PHONE
    # Others of the neighbourhood, by the same address, are not held back.
    assert send(new_phone(), report_body()).status_code == 201
    pass_time(seconds=int(refused["Retry-After"]))
    assert send(phone, report_body()).status_code == 201


def test_what_is_filed_is_told_again_to_who_may_report_no_more(strict):
    phone = new_phone()
    first = report_body()
    answer = send(phone, first)
    use_up(phone, OF_A_PHONE - 1)
    assert send(phone, report_body()).status_code == 429
    for again in (phone, Client(HTTP_HOST="localhost")):
        replay = send(again, first)
        assert replay.status_code == 200
        assert replay.content == answer.content
    reused = send(phone, {**first, "description": "otra cosa"})
    assert problem_of(reused, 409) == "report-id-reused"


def test_what_cannot_be_filed_uses_nothing_up(strict):
    phone = new_phone()
    for _ in range(OF_A_PHONE + 1):
        assert send(phone, report_body(category="NADA")).status_code == 422
        assert send(phone, report_body(act="denunciation")).status_code == 422
    assert not Allowance.objects.exists()
    use_up(phone, 1)


def test_a_bad_photo_does(strict):
    phone = new_phone()
    for _ in range(OF_A_PHONE):
        send_form(phone, report_body(), make_photo((8, 8)), make_broken())
    assert send(phone, report_body()).status_code == 429
    assert not Case.objects.exists()


def make_broken():
    photo = make_photo((8, 8))
    photo.truncate(50)
    return photo


def test_without_a_token_a_few_are_free_and_then_each_needs_a_proof(strict, phone):
    use_up(phone, FREE)
    body = report_body()
    refused = send(phone, body)
    assert problem_of(refused, 403) == "proof-required"
    challenge = refused.json()["challenge"]
    assert challenge.keys() == {
        *("algorithm", "challenge", "salt", "signature", "maxnumber")
    }
    assert challenge["maxnumber"] <= 100_000
    proof = proof_of(challenge)
    assert send(phone, body, headers={"X-Proof": proof}).status_code == 201
    # Once.
    reused = send(phone, report_body(), headers={"X-Proof": proof})
    assert problem_of(reused, 403) == "proof-required"
    assert reused.json()["challenge"] != challenge
    # The answer to the report was lost on its way: it needs no other proof.
    assert send(phone, body, headers={"X-Proof": proof}).status_code == 200


@pytest.mark.parametrize("proof", ["x", "e30=", "\xff", "A" * 5000])
def test_a_wrong_proof_is_none(strict, phone, proof):
    use_up(phone, FREE)
    refused = send(phone, report_body(), headers={"X-Proof": proof})
    assert problem_of(refused, 403) == "proof-required"
    assert Case.objects.count() == FREE


def test_a_proof_may_be_asked_for_beforehand(strict, phone):
    challenge = phone.get(PROOF)
    assert challenge["Cache-Control"] == "no-store"
    use_up(phone, FREE)
    headers = {"X-Proof": proof_of(challenge.json())}
    assert send(phone, report_body(), headers=headers).status_code == 201


def test_proofs_do_not_help_beyond_the_limit(strict, phone, settings):
    use_up(phone, FREE)
    seconds = 3600 / OF_STRANGERS * (OF_STRANGERS - FREE)
    Allowance.objects.filter(key__contains="strangers").update(
        free_at=F("free_at") + timedelta(seconds=seconds)
    )
    headers = {"X-Proof": proof_of(phone.get(PROOF).json())}
    refused = send(phone, report_body(), headers=headers)
    assert problem_of(refused, 429) == "too-many-requests"
    # It was for nothing, and so is still good.
    pass_time(minutes=2)
    assert send(phone, report_body(), headers=headers).status_code == 201


def test_a_busy_neighbourhood_is_asked_for_proofs_before_it_is_refused(strict):
    phone = new_phone()
    use_up(phone, 1)
    assert OF_NEIGHBOURS.calm is not None
    near_its_end(OF_NEIGHBOURS.calm)
    refused = send(new_phone(), report_body())
    assert problem_of(refused, 403) == "proof-required"
    headers = {"X-Proof": proof_of(refused.json()["challenge"])}
    assert send(phone, report_body(), headers=headers).status_code == 201
    near_its_end(OF_NEIGHBOURS.hourly)
    headers = {"X-Proof": proof_of(phone.get(PROOF).json())}
    assert send(phone, report_body(), headers=headers).status_code == 429
    # Other neighbourhoods go on.
    far = Client(HTTP_HOST="localhost", REMOTE_ADDR="200.46.1.7")
    assert send(far, report_body()).status_code == 201


def test_so_many_bytes_of_photos_are_taken_and_then_they_wait(strict, monkeypatch):
    assert len(PHOTO) > SMALLEST_AMOUNT[What.PHOTO]
    two = Rate(2 * len(PHOTO))
    few = replace(RATES[What.PHOTO], device=two)
    monkeypatch.setitem(RATES, What.PHOTO, few)
    case, phone = make_case(), new_phone()
    first, second, third = (
        f"/api/v1/reports/{case.report_id}/photos/{uuid4()}/" for _ in range(3)
    )
    # What is here already is acknowledged as often as it comes, and counts once.
    for address in (first, first, first, second):
        assert phone.put(address, PHOTO, "image/jpeg").status_code in {200, 201}
    refused = phone.put(third, PHOTO, "image/jpeg")
    assert problem_of(refused, 429) == "too-many-requests"
    assert int(refused["Retry-After"]) > 0
    assert phone.get(third).json()["received"] == 0
    assert new_phone().put(third, PHOTO, "image/jpeg").status_code == 201


def test_a_telephone_number_is_left_so_often_however_it_is_written(strict):
    spellings = ["6612-3456", "66123456", "+507 6612 3456", "00507 (661) 23456"]
    for number in range(OF_A_NUMBER.hourly):
        body = report_body(
            contact={"name": "Ana", "phone": spellings[number % 4]}, consent="2026-11"
        )
        assert send(new_phone(), body).status_code == 201
    refused = send(
        new_phone(),
        report_body(contact={"name": "Eva", "phone": "6612 3456"}, consent="2026-11"),
    )
    assert problem_of(refused, 429) == "too-many-requests"
    other = report_body(
        contact={"name": "Eva", "phone": "6612-3457"}, consent="2026-11"
    )
    assert send(new_phone(), other).status_code == 201


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("+507 6612-3456", "66123456"),
        ("264-0000", "2640000"),
        ("507-1234", "5071234"),
        ("+1 305 555 0100", "13055550100"),
        ("", ""),
    ],
)
def test_a_number_is_its_digits(written, plain):
    assert plain_number(written) == plain


def test_no_address_number_or_token_stands_in_the_table(strict):
    phone = new_phone()
    body = report_body(contact={"name": "Ana", "phone": "6612-3456"}, consent="2026-11")
    send(phone, body, REMOTE_ADDR="200.46.1.7")
    kept = " ".join(Allowance.objects.values_list("key", flat=True))
    assert len(kept) > 100
    for secret in ("200.46", "66123456", "6612-3456"):
        assert secret not in kept


@pytest.mark.parametrize(
    "fields",
    [{"website": "http://x"}, {"website": "x"}, {"elapsed": 2.9}, {"elapsed": 0}],
)
def test_what_looks_automatic_needs_a_proof_at_once(strict, fields):
    phone = new_phone()
    body = report_body(**fields)
    refused = send(phone, body)
    assert problem_of(refused, 403) == "proof-required"
    assert not Allowance.objects.exists()
    headers = {"X-Proof": proof_of(refused.json()["challenge"])}
    answer = send(phone, body, headers=headers)
    assert answer.status_code == 201
    assert send(phone, body).content == answer.content


@pytest.mark.parametrize(
    "fields", [{"website": ""}, {"elapsed": 3}, {"elapsed": 86_400}, {"elapsed": None}]
)
def test_what_a_person_sends_needs_none(strict, fields):
    assert send(new_phone(), report_body(**fields)).status_code == 201


def test_how_long_it_took_is_no_part_of_the_report(strict):
    phone, body = new_phone(), report_body()
    first = send(phone, {**body, "elapsed": 40})
    again = send(phone, {**body, "elapsed": 90, "website": ""})
    assert (first.status_code, again.status_code) == (201, 200)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"elapsed": -1}, {"/elapsed": "min_value"}),
        ({"elapsed": "x"}, {"/elapsed": "invalid"}),
        ({"elapsed": True}, {"/elapsed": "invalid"}),
        ({"website": ["x"]}, {"/website": "invalid"}),
        ({"website": "x" * 301}, {"/website": "max_length"}),
        ({"district": "90011"}, {"/district": "max_length"}),
        ({"district": "9002"}, {"/district": "not-this-side"}),
    ],
)
def test_nonsense_in_these_is_named_too(strict, phone, fields, wrong):
    assert wrong_fields(send(phone, report_body(**fields))) == wrong


def test_a_report_costs_few_statements(squares, django_assert_num_queries):
    phone = new_phone()
    stranger = Client(HTTP_HOST="localhost")
    for who in (phone, stranger):
        send(who, report_body())
    in_a_transaction = 2  # this test's own: there it takes a savepoint
    # Which rules and boundaries are in force, whether it is known, whether it may, its
    # number, and all that is written.
    with django_assert_num_queries(5 + in_a_transaction):
        send(stranger, report_body())
    # And whose phone it is.
    with django_assert_num_queries(6 + in_a_transaction):
        send(phone, report_body())


def test_a_table_of_rates_says_everything(strict):
    assert RATES.keys() == set(What)
    for rates in RATES.values():
        # Who has a token is never held back by those who have none, and many of them
        # share an address.
        assert rates.neighbours.hourly >= 50 * rates.device.hourly
        for rate in (rates.device, rates.strangers, rates.neighbours, rates.phone):
            assert rate is None or 0 < (rate.calm or 1) < rate.hourly
        assert rates.device.calm is None


# ── Many at once, from a real server (R17) ───────────────────────────────────────


@pytest.fixture(scope="module")
def strict_server(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: Any
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with server_of_its_own(django_db_blocker, folder, LIMITS_FACTOR="1") as running:
        yield running


def at_once(times: int, call: Callable[[int], int]) -> Counter[int]:
    with ThreadPoolExecutor(16) as crowd:
        return Counter(crowd.map(call, range(times)))


def body_of_a_report() -> bytes:
    # Panama City, Parque Santa Ana.
    place = {"type": "Point", "coordinates": [-79.5408, 8.9536]}
    report = {"id": str(uuid4()), "category": "VIA-01", "location": place}
    return json.dumps(report).encode()


def file_one(server: Server, headers: dict[str, str], body: bytes = b"") -> int:
    body = body or body_of_a_report()
    return int(server.send(REPORTS, body, JSON, more=headers).status)


def claimed(number: int) -> dict[str, str]:
    return {
        "X-Forwarded-For": f"10.{number % 250}.{number // 250}.7",
        "X-Real-IP": f"11.0.0.{number % 250}",
        "Forwarded": f"for=12.0.0.{number % 250}",
    }


@pytest.mark.django_db
def test_of_many_at_once_exactly_so_many_pass_whatever_they_claim_to_be(strict_server):
    server = strict_server

    def anonymous(number: int) -> int:
        return file_one(server, claimed(number))

    [(before,)] = server.rows("SELECT count(*) FROM cases_case")
    assert at_once(60, anonymous) == {201: FREE, 403: 60 - FREE}
    token = server.send(DEVICES, b"{}", JSON).json()["token"]
    held = {"Authorization": f"Device {token}"}

    def with_a_token(number: int) -> int:
        return file_one(server, claimed(number) | held)

    assert at_once(120, with_a_token) == {201: OF_A_PHONE, 429: 120 - OF_A_PHONE}
    [(after,)] = server.rows("SELECT count(*) FROM cases_case")
    assert after - before == FREE + OF_A_PHONE


@pytest.mark.django_db
def test_a_report_sent_many_times_at_once_counts_once(strict_server):
    server = strict_server
    token = server.send(DEVICES, b"{}", JSON).json()["token"]
    held = {"Authorization": f"Device {token}"}
    body = body_of_a_report()

    def send_it(number: int) -> int:
        return file_one(server, held, body)

    assert at_once(16, send_it) == {201: 1, 200: 15}
    for _ in range(OF_A_PHONE - 1):
        assert file_one(server, held) == 201
    assert file_one(server, held) == 429
