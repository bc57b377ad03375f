"""devices/: a phone's own token, and where its browser takes pushes."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import connection
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from backend.accounts.models import Device
from backend.cases.models import Case
from backend.cases.push import is_push_service, is_subscription
from tests.factories import make_category, make_territory
from tests.mobile_api.calls import (
    DEVICES,
    JSON,
    OWN_DEVICE,
    PROOF,
    REPORTS,
    new_phone,
    problem_of,
    report_body,
    send,
    wrong_fields,
)


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


KEY = base64url(
    generate_private_key(SECP256R1())
    .public_key()
    .public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
)
SECRET = base64url(bytes(range(16)))


def subscription(**otherwise: Any) -> dict[str, Any]:
    return {
        "endpoint": "https://fcm.googleapis.com/fcm/send/abc:DEF-12",
        "expirationTime": None,
        "keys": {"p256dh": KEY, "auth": SECRET},
        **otherwise,
    }


def change(phone: Client, body: Any) -> Any:
    return phone.patch(OWN_DEVICE, json.dumps(body), content_type=JSON)


def test_a_phone_gets_a_token_that_works(phone):
    answer = send(phone, {}, DEVICES)
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    assert answer.json().keys() == {"id", "token"}
    held = {"Authorization": f"Device {answer.json()['token']}"}
    own = phone.get(OWN_DEVICE, headers=held)
    assert own.json() == {
        "id": answer.json()["id"],
        "language": "es",
        "push": False,
    }
    assert own["Cache-Control"] == "no-store"


def test_a_phone_speaks_its_language(phone):
    answer = send(phone, {"language": "en"}, DEVICES)
    assert Device.objects.get(pk=answer.json()["id"]).language == "en"
    assert wrong_fields(send(phone, {"language": "tlh"}, DEVICES)) == {
        "/language": "invalid_choice"
    }


def test_the_token_is_kept_as_a_digest(phone):
    token = send(phone, {}, DEVICES).json()["token"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT d::text FROM accounts_device d")
        [(row,)] = cursor.fetchall()
    assert token not in row
    assert len(token) >= 43


def test_a_phone_changes_its_language_and_takes_pushes(db):
    phone = new_phone()
    changed = change(phone, {"language": "en", "push": subscription()})
    assert changed.status_code == 200
    assert changed.json() == {**phone.get(OWN_DEVICE).json()}
    assert (changed.json()["language"], changed.json()["push"]) == ("en", True)
    kept = json.loads(Device.objects.get().push)
    assert kept == {
        "endpoint": subscription()["endpoint"],
        "keys": {"p256dh": KEY, "auth": SECRET},
    }
    # What is not said stays as it is; null takes it away.
    assert change(phone, {}).json()["push"] is True
    assert change(phone, {"push": None}).json()["push"] is False
    assert Device.objects.get().push == ""


def test_where_it_takes_pushes_is_unreadable_on_the_disk(db):
    phone = new_phone()
    change(phone, {"push": subscription()})
    with connection.cursor() as cursor:
        cursor.execute("SELECT push FROM accounts_device")
        [(kept,)] = cursor.fetchall()
    for secret in ("googleapis", KEY, SECRET):
        assert secret not in kept
    # And the phone itself is told no more than that there is one.
    assert KEY not in phone.get(OWN_DEVICE).content.decode()


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://updates.push.services.mozilla.com/wpush/v2/gAAAA",
        "https://wns2-par02p.notify.windows.com/w/?token=BQYAAA%2b",
        "https://web.push.apple.com/QGq-_",
    ],
)
def test_the_services_of_all_browsers_are_known(db, endpoint):
    changed = change(new_phone(), {"push": subscription(endpoint=endpoint)})
    assert changed.status_code == 200, changed.content


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com",
        "https://fcm.googleapis.com.example.org/x",
        "https://evilfcm.googleapis.com.example.org/x",
        "https://xfcm.googleapis.com/x",
        "https://googleapis.com/x",
        "https://127.0.0.1/x",
        "https://[::1]/x",
        "https://localhost:5432/x",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com@127.0.0.1/x",
        "https://127.0.0.1#fcm.googleapis.com/x",
        "https://127.0.0.1\\.fcm.googleapis.com/x",
        "https://127.0.0.1?.fcm.googleapis.com/x",
        "https://127.0.0.1%2f.fcm.googleapis.com/x",
        "https://fcm.googleapis.com/\\127.0.0.1",
        "https://fcm.googleapis.com/x y",
        "https://fcm.googleapis.com/x\r\nHost: y",
        "https://fcm.googleapis.com/\u2028x",
        "https://FCM.GOOGLEAPIS.COM/x",
        " https://fcm.googleapis.com/x\n\n/",
        "file:///etc/passwd",
        "x",
    ],
)
def test_no_other_machine_is_named_for_pushes(db, endpoint):
    phone = new_phone()
    refused = change(phone, {"push": subscription(endpoint=endpoint)})
    assert wrong_fields(refused) == {"/push/endpoint": "unknown-push-service"}
    assert Device.objects.get().push == ""


HOSTS = ["127.0.0.1", "evil.example", "fcm.googleapis.com", "x.fcm.googleapis.com"]


@given(
    st.lists(
        st.sampled_from([*HOSTS, *"@:#?/\\.%[]&;= \t\r\n", ":443", "%2e", "\u3002"]),
        max_size=6,
    ).map("".join)
)
@examples(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_however_an_address_is_put_together_the_host_is_one_of_the_known(rest):
    from urllib.parse import urlsplit

    url = f"https://{rest}/x"
    if is_push_service(url):
        host = urlsplit(url).hostname
        assert host is not None
        assert host == "fcm.googleapis.com" or host.endswith(".fcm.googleapis.com")
        assert urlsplit(url).username is None


def test_an_installation_says_itself_which_services_it_knows(db, settings):
    settings.PUSH_HOSTS = ["push.example.org", "localhost:8443"]
    phone = new_phone()
    for endpoint, status in (
        ("https://a.push.example.org/x", 200),
        ("https://localhost:8443/x", 200),
        ("https://localhost/x", 400),
        ("https://fcm.googleapis.com/x", 400),
        ("https://a.push.example.org/x!(*)", 400),
        ("https://a.push.example.org/x#y", 400),
    ):
        given = subscription(endpoint=endpoint)
        assert change(phone, {"push": given}).status_code == status
        # And what is taken is what something is sent to.
        assert is_subscription(given) == (status == 200)


@pytest.mark.parametrize(
    ("push", "wrong"),
    [
        ({}, {"/push/endpoint": "required", "/push/keys": "required"}),
        ("x", {"/push": "invalid"}),
        (subscription(keys={}), {"/push/keys/p256dh", "/push/keys/auth"}),
        (
            subscription(endpoint="https://fcm.googleapis.com/" + "a" * 1000),
            {"/push/endpoint": "max_length"},
        ),
        (
            subscription(keys={"p256dh": SECRET, "auth": SECRET}),
            {"/push/keys/p256dh": "not-a-key"},
        ),
        (
            subscription(keys={"p256dh": base64url(b"\4" + b"x" * 64), "auth": SECRET}),
            {"/push/keys/p256dh": "not-a-key"},
        ),
        (
            subscription(keys={"p256dh": KEY + "é", "auth": KEY[:22] + "!"}),
            {"/push/keys/p256dh": "not-a-key", "/push/keys/auth": "not-a-secret"},
        ),
        (
            subscription(keys={"p256dh": KEY, "auth": KEY[:20]}),
            {"/push/keys/auth": "not-a-secret"},
        ),
        (
            subscription(keys={"p256dh": KEY, "auth": "A"}),
            {"/push/keys/auth": "not-a-secret"},
        ),
    ],
)
def test_what_takes_no_pushes_is_refused(db, push, wrong):
    refused = change(new_phone(), {"push": push})
    found = wrong_fields(refused)
    assert found == wrong if isinstance(wrong, dict) else found.keys() == wrong


def test_a_revoked_token_is_refused_at_once_and_everywhere(db):
    make_territory()
    make_category()
    phone = new_phone()
    change(phone, {"push": subscription()})
    assert send(phone, report_body()).status_code == 201
    assert phone.delete(OWN_DEVICE).status_code == 204
    for refused in (
        phone.get(OWN_DEVICE),
        phone.delete(OWN_DEVICE),
        change(phone, {"language": "en"}),
        send(phone, report_body()),
    ):
        assert problem_of(refused, 401) == "device-revoked"
        assert refused["WWW-Authenticate"] == "Device"
    device = Device.objects.get()
    assert device.push == ""
    assert device.revoked_at is not None
    assert Case.objects.count() == 1


@pytest.mark.parametrize(
    "header",
    [
        "Device",
        "Device ",
        "Device x",
        "device \xff",
        "Device é",
        "Device " + "a" * 5000,
    ],
)
def test_what_is_no_token_of_a_phone_is_refused(phone, header):
    for path in (OWN_DEVICE, REPORTS):
        refused = send(phone, {}, path, headers={"Authorization": header})
        if path == OWN_DEVICE:
            refused = phone.get(path, headers={"Authorization": header})
        assert problem_of(refused, 401) == "device-revoked"


@pytest.mark.parametrize("header", [None, "Token x", "Bearer x", "Devices x", "\xff"])
def test_another_kind_of_credential_is_no_phones(phone, header):
    headers = {"Authorization": header} if header else {}
    refused = phone.get(OWN_DEVICE, headers=headers)
    assert problem_of(refused, 401) == "device-required"
    assert refused["WWW-Authenticate"] == "Device"
    # Where nobody needs one, it is as if there were none.
    make_territory()
    make_category()
    assert send(phone, report_body(), headers=headers).status_code == 201
    assert phone.get(PROOF, headers=headers).status_code == 200


def test_a_phone_cannot_be_another(db):
    one, other = new_phone(), new_phone()
    change(one, {"push": subscription()})
    assert other.get(OWN_DEVICE).json()["push"] is False
    assert other.delete(OWN_DEVICE).status_code == 204
    assert one.get(OWN_DEVICE).json()["push"] is True


def test_asking_with_a_token_costs_one_statement(db, django_assert_num_queries):
    phone = new_phone()
    with django_assert_num_queries(1):
        phone.get(OWN_DEVICE)
