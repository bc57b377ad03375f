"""A few words to a phone that asked for them, through its browser's service."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from django.db import connection

from backend.accounts.encryption import decrypted
from backend.accounts.models import ServerKey
from backend.cases import push_sending
from backend.cases.push import (
    Push,
    SubscriptionGone,
    is_push_service,
    public_key,
)
from backend.cases.push_sending import send_push, wait_of
from backend.jobs import Hopeless, TryLater
from tests.backend.elsewhere import Elsewhere
from tests.sinks import PushSink, push_sink
from tests.web_push import Browser, sender_of

pytestmark = pytest.mark.django_db

NEWS = Push("311 móvil", "Caso 26-0000001-4: Resuelto", "tag", "26-0000001-4")
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.fixture
def sink(tmp_path: Path, monkeypatch, settings) -> Iterator[PushSink]:
    with push_sink(tmp_path) as service:
        for name, value in service.environment().items():
            monkeypatch.setenv(name, value)
        settings.PUSH_HOSTS = [service.host]
        yield service


def test_a_push_reaches_the_phone_and_only_it_can_read_it(sink, settings):
    browser = Browser()
    send_push(browser.subscription(f"{sink.url}/phone"), NEWS)
    (received,) = sink.received
    assert browser.read(received.body) == {
        "title": "311 móvil",
        "body": "Caso 26-0000001-4: Resuelto",
        "tag": "tag",
        "number": "26-0000001-4",
    }
    assert b"26-0000001-4" not in received.body
    assert "26-0000001-4" not in str(received.headers)
    sender = sender_of(received.headers)
    assert sender.key == public_key()
    assert sender.claims["aud"] == sink.url
    assert sender.claims["sub"] == settings.PUSH_CONTACT
    assert 0 < sender.claims["exp"] - datetime.now(UTC).timestamp() <= 24 * 3600
    assert int(received.headers["ttl"]) == 2 * 24 * 3600
    assert len(received.headers["topic"]) <= 32


def test_the_key_is_made_once_and_is_not_to_be_read_in_the_database():
    first = public_key()
    point = urlsafe_b64decode(first + "=")
    assert (len(point), point[0]) == (65, 4)  # uncompressed, as browsers want it
    assert public_key() == first
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM accounts_serverkey")
        ((kept,),) = cursor.fetchall()
    assert kept != ServerKey.objects.get().value == decrypted(kept)


def test_two_machines_that_start_at_once_have_the_same_key(elsewhere: Elsewhere):
    assert list(elsewhere.play("push_key").values()) == [8]


@pytest.mark.parametrize("status", [404, 410])
def test_a_subscription_that_ended_is_gone(sink, status):
    sink.answers["/phone"] = (status, {})
    with pytest.raises(SubscriptionGone):
        send_push(Browser().subscription(f"{sink.url}/phone"), NEWS)


@pytest.mark.parametrize(
    ("status", "headers", "after"),
    [
        (429, {"Retry-After": "120"}, timedelta(seconds=120)),
        (503, {}, None),
        (500, {"Retry-After": "99999999999999999999"}, timedelta(hours=6)),
    ],
)
def test_a_busy_service_is_asked_again_when_it_says(sink, status, headers, after):
    sink.answers["/phone"] = (status, headers)
    with pytest.raises(TryLater) as later:
        send_push(Browser().subscription(f"{sink.url}/phone"), NEWS)
    assert later.value.after == after


@pytest.mark.parametrize("status", [400, 401, 403, 413])
def test_what_the_service_will_never_take_is_not_tried_again(sink, status):
    sink.answers["/phone"] = (status, {})
    with pytest.raises(Hopeless):
        send_push(Browser().subscription(f"{sink.url}/phone"), NEWS)


def test_it_goes_where_it_is_sent_and_nowhere_else(sink):
    sink.answers["/phone"] = (307, {"Location": f"{sink.url}/elsewhere"})
    with pytest.raises(Hopeless):
        send_push(Browser().subscription(f"{sink.url}/phone"), NEWS)
    assert [received.path for received in sink.received] == ["/phone"]


def test_a_service_that_is_no_longer_allowed_is_not_called(sink, settings):
    settings.PUSH_HOSTS = ["push.services.mozilla.com"]
    with pytest.raises(SubscriptionGone):
        send_push(Browser().subscription(f"{sink.url}/phone"), NEWS)
    assert sink.received == []


@pytest.mark.parametrize("keys", [{}, {"p256dh": "AAAA", "auth": "AAAA"}, None, "x"])
def test_keys_that_are_none_reach_nobody(sink, keys):
    with pytest.raises(SubscriptionGone):
        send_push({"endpoint": f"{sink.url}/phone", "keys": keys}, NEWS)


def test_a_service_that_is_away_is_tried_later_and_nothing_tells_where(
    sink, monkeypatch
):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")  # A stranger's certificate.
    with pytest.raises(TryLater) as later:
        send_push(Browser().subscription(f"{sink.url}/secret"), NEWS)
    assert chain_of(later.value) == "SSLError"


def test_no_error_names_the_endpoint(sink):
    for status in (400, 404, 429):
        sink.answers["/secret"] = (status, {})
        with pytest.raises((Hopeless, SubscriptionGone, TryLater)) as problem:
            send_push(Browser().subscription(f"{sink.url}/secret"), NEWS)
        assert "secret" not in chain_of(problem.value)


@pytest.mark.parametrize(
    ("endpoint", "allowed"),
    [
        ("https://fcm.googleapis.com/fcm/send/abc:APA91b_-", True),
        ("https://updates.push.services.mozilla.com/wpush/v2/gAAAA=", True),
        ("https://wns2-par02p.notify.windows.com/w/?token=BQYAAA%2b%2f", True),
        ("https://web.push.apple.com/QABC", True),
        ("http://fcm.googleapis.com/", False),
        ("https://fcm.googleapis.com.evil.example/", False),
        ("https://evilfcm.googleapis.com/", False),
        ("https://evil.example/fcm.googleapis.com/", False),
        ("https://fcm.googleapis.com@evil.example/", False),
        ("https://evil.example\\@fcm.googleapis.com/", False),
        ("https://evil.example#@fcm.googleapis.com/", False),
        ("https://127.0.0.1/", False),
        ("https://[::1]/", False),
        ("https://FCM.googleapis.com/", False),
        ("https://fcm.googleapis.com/\n", False),
        ("https://fcm.googleapis.com", False),
        ("", False),
    ],
)
def test_only_the_known_services_are_push_services(endpoint, allowed):
    assert is_push_service(endpoint) is allowed


@pytest.mark.parametrize(
    ("said", "wait"),
    [
        (None, None),
        ("soon", None),
        ("-5", None),
        ("60", timedelta(seconds=60)),
        ("Tue, 24 Nov 2026 12:10:00 GMT", timedelta(minutes=10)),
        ("Tue, 24 Nov 2026 11:00:00 GMT", timedelta(0)),
        ("Fri, 01 Jan 2100 00:00:00 GMT", timedelta(hours=6)),
    ],
)
def test_how_long_to_wait_is_said_in_seconds_or_as_a_date(said, wait):
    assert wait_of(said, NOW) == wait


def test_nobody_waits_for_ever_for_a_service(sink, monkeypatch):
    asked: dict[str, Any] = {}

    def noted(self, method, url, **options):
        asked.update(options)
        raise requests.Timeout

    monkeypatch.setattr(push_sending.Session, "request", noted)
    with pytest.raises(TryLater):
        send_push(Browser().subscription(f"{sink.url}/phone"), NEWS)
    assert asked["timeout"] == 10


def chain_of(error: BaseException | None) -> str:
    """All that a log would say of an error, its causes included."""
    said = []
    while error:
        said.append(str(error))
        error = error.__cause__ or (
            None if error.__suppress_context__ else error.__context__
        )
    return " ".join(said)
