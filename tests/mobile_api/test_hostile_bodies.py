"""Whatever strangers send, no door falls over: never a 5xx.

An exception of ours would leave the test client as itself and fail the test.
"""

import base64
import json
from io import BytesIO
from typing import Any
from unittest.mock import patch
from urllib.parse import quote

import pytest
from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from backend.accounts.models import User
from backend.cases.models import Case
from mobile_api.schema_answers import REFUSALS
from tests.factories import make_case, make_crew, make_photo
from tests.mobile_api.calls import (
    DEVICES,
    EXPLAIN,
    JSON,
    NEARBY,
    OWN_DEVICE,
    REPORTS,
    SIMILAR,
    TOKEN,
    citizens_phone,
    full_body,
    phone_of,
    point,
    problem_of,
    transition_body,
    transitions_of,
)
from tests.mobile_api.test_devices import base64url
from tests.mobile_api.test_parsers import Endless, announcing_a_gigabyte

pytestmark = pytest.mark.usefixtures("squares")

unhurried = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

text = st.text(max_size=20) | st.sampled_from(
    ["\0", "\ud800", "NaN", "1e999", "9" * 400, "[" * 2000, "SRID=4326;POINT(0 0)", "‮"]
)
numbers = st.integers() | st.floats() | st.sampled_from([10**400, -0.0, 5e-324])
anything = st.recursive(
    st.none() | st.booleans() | numbers | text,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4)
    ),
    max_leaves=10,
)
geometries = anything | st.fixed_dictionaries(
    {
        "type": st.sampled_from(["Point", "Polygon", "point", "", None]) | anything,
        "coordinates": st.lists(numbers | anything, max_size=4),
    },
    optional={"crs": anything, "bbox": anything},
)


@pytest.fixture
def staff():
    """Somebody to whom every door is open."""
    user = make_crew()
    user.is_staff = True
    user.save()
    return phone_of(user)


def as_json(body) -> bytes:
    """As Python writes it: NaN, surrogates and all."""
    return json.dumps(body, ensure_ascii=True).encode()


def survives(
    client: Client, path: str, body: bytes, method: str = "POST", **how: Any
) -> int:
    # A statement that fails would spoil the transaction of the whole test.
    with transaction.atomic():
        answer = client.generic(method, path, body, content_type=JSON, **how)
    assert answer.status_code < 500
    if answer.status_code >= 400:
        problem_of(answer, answer.status_code)
    return int(answer.status_code)


# Every operation that reads JSON, as the API's document has it.
READING = sorted(key for key, errors in REFUSALS.items() if RequestDataTooBig in errors)
doors = st.sampled_from(READING)
# A phone need not say anything of itself.
NEED_NOTHING = {(DEVICES, "post"), (OWN_DEVICE, "patch")}


def answers(door: tuple[str, str], body: bytes, **how: Any) -> int:
    """Ask as whoever may do this, about a case of theirs."""
    path, method = door
    case = make_case()
    if path.startswith(("/api/v1/crew/", TOKEN)):
        user = User.objects.get_or_create(username="mesa")[0]
        user.memberships.get_or_create(entity=case.entity)
        client = phone_of(user)
    else:
        client = citizens_phone(case.pin)
    address = path.format(number=case.number)
    with patch("backend.cases.citizens.enqueue"):
        return survives(client, address, body, method.upper(), **how)


def test_there_is_a_door_of_each_kind():
    assert len(READING) > 10
    assert (OWN_DEVICE, "patch") in READING


@unhurried
@given(door=doors, body=anything)
def test_any_json_is_answered(door, body):
    assert answers(door, as_json(body)) >= 400 or door in NEED_NOTHING


@unhurried
@given(door=doors, body=st.binary(max_size=300))
def test_any_bytes_are_answered(door, body):
    assert answers(door, body) >= 400 or door in NEED_NOTHING


@pytest.mark.parametrize(("path", "method"), READING)
def test_a_body_that_is_too_long_is_refused_and_not_read(path, method):
    body = Endless()
    how = announcing_a_gigabyte(body, JSON)
    assert answers((path, method), b"", **how) == 413
    assert body.read_so_far <= 256 * 1024 + 1


push = st.fixed_dictionaries(
    {
        "endpoint": st.sampled_from(
            ["https://fcm.googleapis.com/x", "https://fcm.googleapis.com:1@127.0.0.1/"]
        )
        | anything,
        "keys": st.fixed_dictionaries(
            {},
            optional={
                "p256dh": st.binary(max_size=70).map(base64url) | anything,
                "auth": st.just(base64url(bytes(16))) | anything,
            },
        )
        | anything,
    }
)


@unhurried
@given(
    door=st.sampled_from(sorted(NEED_NOTHING)),
    body=st.fixed_dictionaries(
        {},
        optional={
            "language": st.sampled_from(["es", "en", "fr"]) | anything,
            "push": push | anything,
        },
    ),
)
def test_whatever_a_phone_says_of_itself_is_answered(door, body):
    answers(door, as_json(body))


numbers_in_a_range = st.integers(0, 30) | st.sampled_from([524_287, 10**10, 10**30])
latin = st.text(st.characters(codec="latin-1"), max_size=30)


parts = st.builds(
    "bytes {}-{}/{}".format, st.just(0), numbers_in_a_range, numbers_in_a_range
)
digests = st.binary(min_size=32, max_size=32).map(
    lambda digest: f"sha-256=:{base64.b64encode(digest).decode()}:"
)


@unhurried
@given(
    headers=st.fixed_dictionaries(
        {},
        optional={
            "Content-Range": parts | parts | latin,
            "Repr-Digest": digests | digests | latin,
            "Accept-Language": latin,
            "X-Proof": latin,
        },
    ),
    length=st.none() | st.sampled_from(["", "-1", "x", "9" * 40, "1"]),
    photo=st.uuids().map(str) | st.text(max_size=20),
    body=st.binary(max_size=30),
    missing=st.none() | st.integers(0, 3),
)
def test_whatever_comes_as_a_piece_of_a_photo_is_answered(
    phone, headers, length, photo, body, missing
):
    if missing is not None:  # It is in order, and such a part of the photo.
        last, size = len(body) - 1, len(body) + missing
        headers["Content-Range"], length = f"bytes 0-{last}/{size}", None
    report = make_case().report_id
    written = quote(photo.encode("utf-8", "surrogatepass"), safe="")
    path = f"/api/v1/reports/{report}/photos/{written}/"
    # As the server hands it on: whatever the length says, no more than there is.
    how = {"wsgi.input": BytesIO(body)}
    if length is not None:
        how["CONTENT_LENGTH"] = length
    with transaction.atomic():
        answer = phone.put(path, body, content_type="a/b", headers=headers, **how)
    assert answer.status_code < 500
    if answer.status_code >= 400:
        problem_of(answer, answer.status_code)
    assert phone.get(path).status_code < 500


@unhurried
@given(
    name=st.sampled_from([*full_body(), "photo", "photos"]),
    value=anything | geometries,
)
def test_a_report_with_one_wild_field_is_answered(phone, name, value):
    survives(phone, REPORTS, as_json({**full_body(), name: value}))


@unhurried
@given(body=st.fixed_dictionaries({}, optional=dict.fromkeys(full_body(), anything)))
def test_a_report_of_wild_fields_is_answered(phone, body):
    survives(phone, REPORTS, as_json(body))


@unhurried
@given(location=geometries)
def test_a_report_from_anywhere_is_answered(phone, location):
    survives(phone, REPORTS, as_json({**full_body(), "location": location}))


@unhurried
@given(
    lon=st.floats(-180, 180) | st.sampled_from([-180, -79.9, -80.0]),
    lat=st.floats(-90, 90) | st.sampled_from([-90, 90, 8.5, 8.6]),
    accuracy=st.floats(0, 100_000),
)
def test_a_report_from_any_place_on_earth_is_answered(phone, lon, lat, accuracy):
    body = full_body(location=point(lon, lat), accuracy=accuracy)
    assert survives(phone, REPORTS, as_json(body)) in {201, 422}


@unhurried
@given(
    name=st.sampled_from(["id", "to", "note", "at", "photo"]),
    value=anything,
)
def test_a_transition_with_one_wild_field_is_answered(staff, name, value):
    path = transitions_of(make_case().number)
    survives(staff, path, as_json({**transition_body(), name: value}))


CITIZENS = ["support", "follow", "flag", "confirm", "reopen", "answer", "cancel"]


@unhurried
@given(
    what=st.sampled_from(CITIZENS),
    body=st.fixed_dictionaries(
        {"id": st.uuids().map(str) | anything},
        optional={
            "note": anything,
            "on": st.booleans() | anything,
            "email": st.emails() | anything,
            "reason": st.just("other") | anything,
            "photo": st.uuids().map(str) | anything,
        },
    )
    | anything,
    tag=st.text(st.characters(codec="latin-1"), max_size=20) | st.just('"1"'),
)
def test_whatever_a_citizens_phone_says_of_a_case_is_answered(what, body, tag):
    case = make_case()
    path = f"/api/v1/cases/{case.number}/{what}/"
    headers = {"If-Match": tag, "If-None-Match": tag}
    with patch("backend.cases.citizens.enqueue"):
        survives(citizens_phone(case.pin), path, as_json(body), headers=headers)
    seen = Client(HTTP_HOST="localhost").get(
        f"/api/v1/cases/{case.number}/", headers=headers
    )
    assert seen.status_code in {200, 304}


@unhurried
@given(username=anything, password=anything)
def test_any_credentials_are_answered(phone, username, password):
    survives(phone, TOKEN, as_json({"username": username, "password": password}))


@unhurried
@given(
    form=st.dictionaries(
        st.sampled_from([*full_body(), "photo", "photos", "x"])
        | st.text(st.characters(codec="utf-8"), max_size=5),
        st.text(st.characters(codec="utf-8"), max_size=30)
        | st.binary(max_size=50).map(BytesIO)
        | st.sampled_from(['{"type":"Point","coordinates":[1e999,2]}', "[" * 5000]),
        max_size=8,
    )
)
def test_any_form_is_answered(phone, form):
    for value in form.values():
        if isinstance(value, BytesIO):
            value.name = "x.jpg"
    with transaction.atomic():
        answer = phone.post(REPORTS, form)
    assert 400 <= answer.status_code < 500
    problem_of(answer, answer.status_code)


FORM = "multipart/form-data; boundary=limite"


def whole_form() -> bytes:
    fields = {
        **full_body(),
        "location": json.dumps(point()),
        "contact": "{}",
    }
    parts = [
        f'--limite\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    head = (
        '--limite\r\nContent-Disposition: form-data; name="photo"; filename="a.jpg"\r\n'
        "Content-Type: image/jpeg\r\n\r\n"
    )
    photo = make_photo((60, 40)).getvalue()
    return "".join([*parts, head]).encode() + photo + b"\r\n--limite--\r\n"


@unhurried
@given(st.data())
def test_a_form_cut_anywhere_is_answered(phone, data):
    form = whole_form()
    cut = data.draw(st.integers(0, len(form) - 1))
    with transaction.atomic():
        answer = phone.generic("POST", REPORTS, form[:cut], content_type=FORM)
    assert answer.status_code < 500


@unhurried
@given(place=st.integers(0, 1500), noise=st.binary(min_size=1, max_size=8))
def test_a_damaged_form_is_answered(phone, place, noise):
    form = whole_form()
    damaged = form[:place] + noise + form[place + len(noise) :]
    with transaction.atomic():
        answer = phone.generic("POST", REPORTS, damaged, content_type=FORM)
    assert answer.status_code < 500


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=", b"x"),
        ("multipart/form-data; boundary=" + "a" * 300, b"x"),
        ("multipart/form-data; boundary=\xe9", b"x"),
        ("multipart/form-data; boundary=x; charset=nada", b"--x--"),
        (FORM, b""),
        (FORM, b"--limite"),
        (FORM, b"--limite--"),
        (FORM, b"--otro\r\n\r\n--otro--"),
        (FORM, b"--limite\r\n" + b"A: b\r\n" * 5000 + b"\r\n--limite--"),
        (
            FORM,
            b"--limite\r\nContent-Disposition: form-data; name=x\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\n!!!\r\n--limite--",
        ),
        ("application/json; charset=nada", b"{}"),
        ("application/json; charset=utf-16", "{}".encode("utf-16")),
    ],
    ids=range(13),
)
def test_a_malformed_form_is_refused(phone, content_type, body):
    refused = phone.generic("POST", REPORTS, body, content_type=content_type)
    assert refused.status_code in {400, 415}
    problem_of(refused, refused.status_code)


def test_a_form_of_more_than_a_thousand_fields_is_refused(phone):
    refused = phone.post(REPORTS, {f"f{n}": "x" for n in range(1001)})
    assert problem_of(refused, 400) == "malformed-body"


def test_a_form_of_a_hundred_files_is_refused(phone):
    files = {}
    for n in range(100):
        files[f"f{n}"] = BytesIO(b"x")
        files[f"f{n}"].name = "x.jpg"
    refused = phone.post(REPORTS, files)
    assert problem_of(refused, 400) == "malformed-body"


@pytest.mark.parametrize("length", ["abc", "-1", "", "9" * 30])
def test_a_false_length_is_refused(phone, length):
    for kind in ("application/json", FORM):
        request = {"wsgi.input": BytesIO(b"{}"), "CONTENT_LENGTH": length}
        refused = phone.post(REPORTS, **request, CONTENT_TYPE=kind)
        assert 400 <= refused.status_code < 500


# ── Reading ──────────────────────────────────────────────────────────────────────

READS = {
    NEARBY: ["lat", "lon", "radius", "status", "limit", "cursor"],
    EXPLAIN: ["lat", "lon", "category", "at", "accuracy"],
    SIMILAR: ["lat", "lon", "category"],
    "/api/v1/heat/": [
        *("bbox", "zoom", "state", "category", "group", "entity", "place"),
        *("since", "until", "changed_since"),
    ],
    "/api/v1/places/search/": ["q"],
    "/api/v1/heat/months/": ["bbox", "category", "entity", "place", "since", "until"],
    "/api/v1/heat/places/": ["bbox", "level", "group", "place", "since", "until"],
    "/tiles/cases/12/1138/1950.mvt": ["state", "category", "entity", "since", "until"],
    "/data/cases.geojson": [
        *("bbox", "limit", "state", "category", "group", "entity", "place"),
        *("since", "until", "changed_since"),
    ],
}
NEEDED = {
    NEARBY: {"lat": "8.55", "lon": "-79.95"},
    EXPLAIN: {"lat": "8.55", "lon": "-79.95", "category": "PRU-01"},
    SIMILAR: {"lat": "8.55", "lon": "-79.95", "category": "PRU-01"},
}
WILD = [
    *(
        "",
        " ",
        "\0",
        "a\0b",
        "é",
        "\u0661",
        "%",
        "%s",
        "%(a)s",
        "{}",
        "'",
        '"',
        "\\",
        "--",
    ),
    *("NaN", "nan", "Infinity", "-inf", "1e999", "-1e999", "1e-400", "1_0", "0x1"),
    *("9" * 30, "-" + "9" * 30, "9" * 1900, "0" * 1900, "1" * 5000, "true", "null"),
    *("0001-01-01", "9999-12-31", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59"),
    *("9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00+23:59", "2026-02-30"),
    *("2026-01-01T00:00:00-23:59", "2026-01-01T25:00", "26", "1886-01-01T00:00"),
    *("-180,-90,180,90", "0,0,0,0", "1,1,0,0", "nan,nan,nan,nan", "1,2,3", "a,b,c,d"),
    *("1e308,0,1e308,1", "-181,0,0,0", ",,,", "," * 500, "/vsicurl/http://127.0.0.1/"),
    *("SRID=4326;POINT(0 0)", '{"type":"Point"}', "MToxOmE=", "bmFuOjE=", "=" * 90),
]
QUESTIONS = [(path, name) for path, names in READS.items() for name in names]


def read(client: Client, address: str) -> int:
    with transaction.atomic():
        answer = client.get(address)
        if answer.streaming and answer.status_code == 200:
            json.loads(answer.getvalue())
    assert answer.status_code < 500, address
    if answer.status_code >= 400:
        assert answer["Content-Type"] == "application/problem+json", address
    return answer.status_code


def address_of(path: str, query: dict[str, str]) -> str:
    pairs = [f"{name}={quote(value, safe='')}" for name, value in query.items()]
    return f"{path}?{'&'.join(pairs)}"


@pytest.mark.parametrize(("path", "name"), QUESTIONS)
def test_any_value_of_a_parameter_is_answered(staff, path, name):
    make_case()
    for value in WILD:
        read(staff, address_of(path, {**NEEDED.get(path, {}), name: value}))


@unhurried
@given(
    question=st.sampled_from(QUESTIONS),
    value=st.text(st.characters(codec="utf-8"), max_size=30)
    | st.floats().map(str)
    | st.integers().map(str)
    | st.datetimes().map(str)
    | st.dates().map(str)
    | st.lists(st.floats().map(str), min_size=4, max_size=4).map(",".join),
)
def test_any_text_as_a_parameter_is_answered(staff, question, value):
    path, name = question
    read(staff, address_of(path, {**NEEDED.get(path, {}), name: value}))


@pytest.mark.parametrize("path", READS)
def test_an_odd_query_is_answered(staff, path):
    for query in (
        "%",
        "%ff",
        "%00=%00",
        "lat=%ff%fe&zoom=%ff&bbox=%c3%28",
        "=&=&&&",
        "lat=1&lat=2&zoom=3&zoom=4&state=a&state=b",
        ";".join(["a=b"] * 50),
        "&".join(f"p{n}=1" for n in range(101)),
    ):
        with transaction.atomic():
            answer = staff.get(f"{path}?{query}")
            # Of nothing there is, a tile says nothing.
            assert answer.getvalue() or path.startswith("/tiles/")
        assert answer.status_code < 500


@unhurried
@given(
    number=st.text(min_size=1, max_size=30)
    | st.from_regex(r"\d\d-\d{7}-\d", fullmatch=True)
)
def test_any_number_is_answered(phone, number):
    written = quote(number.encode("utf-8", "surrogatepass"), safe="")
    with transaction.atomic():
        answer = phone.get(f"/api/v1/cases/{written}/")
    assert answer.status_code == 404


@unhurried
@given(
    pin=st.text(max_size=20),
    header=st.text(st.characters(codec="latin-1"), max_size=20),
)
def test_any_pin_is_answered(phone, pin, header):
    case = make_case()
    path = f"/api/v1/cases/{case.number}/"
    query = quote(pin.encode("utf-8", "surrogatepass"), safe="")
    with transaction.atomic():
        assert phone.get(f"{path}?pin={query}").status_code in {200, 403}
        headers = {"X-Case-Pin": header}
        assert phone.get(path, headers=headers).status_code in {200, 403}


@unhurried
@given(
    name=st.sampled_from(["Authorization", "Accept", "Accept-Language", "Cookie"]),
    value=st.text(st.characters(codec="latin-1"), max_size=40)
    | st.text(st.characters(codec="latin-1"), max_size=40).map("Token {}".format),
)
@example(name="Authorization", value="Token \0")
@example(name="Authorization", value="Device \0")
@example(name="Cookie", value="sessionid=\0")
def test_any_header_is_answered(phone, name, value):
    for path in (NEARBY, "/api/v1/heat/", "/api/v1/cases/26-0000123-6/"):
        with transaction.atomic():
            assert phone.get(path, headers={name: value}).status_code < 500


def test_nothing_hostile_has_left_a_case_behind(phone):
    for body in ("[" * 100_000, "{", '{"id":', "null", '"\\ud800"'):
        assert 400 <= survives(phone, REPORTS, body.encode()) < 500
    assert not Case.objects.exists()
