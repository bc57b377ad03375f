"""POST reports/: filed once, refused clearly."""

import hashlib
from datetime import date
from io import BytesIO
from uuid import UUID, uuid4

import pytest
from django.core.files.storage import default_storage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from backend.cases import photo_headers
from backend.cases.models import Case, Photo
from backend.cases.numbers import parse_case_number
from provinces.models import Jurisdiction
from tests.factories import (
    EAST,
    make_category,
    make_consent,
    make_duty,
    make_entity,
    make_jurisdiction,
    make_photo,
)
from tests.jobs import run_jobs
from tests.mobile_api.calls import (
    full_body,
    point,
    problem_of,
    report_body,
    send,
    send_form,
    wrong_fields,
)

pytestmark = pytest.mark.usefixtures("squares")

ANSWER = {
    "number",
    "pin",
    "status",
    "category",
    "category_name",
    "entity",
    "province",
    "district",
    "corregimiento",
    "filed_at",
    "due_at",
    "url",
}


def test_a_report_becomes_a_case(phone):
    body = full_body()
    answer = send(phone, body)
    assert answer.status_code == 201
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    assert "Idempotent-Replayed" not in answer
    filed = answer.json()
    assert filed.keys() == ANSWER
    assert parse_case_number(filed["number"]) == filed["number"]
    assert len(filed["pin"]) == 6
    assert filed["pin"].isdigit()
    assert filed["status"] == "received"
    assert filed["category"] == "PRU-01"
    assert filed["entity"] == {"code": "OBRAS", "name": "Entidad OBRAS"}
    assert filed["province"] == {"code": "90", "name": "Cuadrados"}
    assert filed["district"] == {"code": "9001", "name": "Oeste"}
    assert filed["corregimiento"] == {"code": "900101", "name": "Oeste Uno"}
    assert filed["filed_at"].endswith("-05:00")
    assert filed["due_at"].endswith("T23:59:59-05:00")
    assert filed["url"] == f"http://localhost/casos/{filed['number']}"

    case = Case.objects.get(report_id=body["id"])
    assert (case.number, case.pin) == (filed["number"], filed["pin"])
    assert case.location.coords == tuple(body["location"]["coordinates"])
    assert case.description == body["description"]
    assert case.reporter.phone == body["contact"]["phone"]
    assert case.history.get().status == "received"


def test_photos_come_with_the_report_in_a_form(phone):
    first, second = make_photo(colour="teal"), make_photo(colour="navy", format="PNG")
    filed = send_form(phone, full_body(), first, second)
    assert filed.status_code == 201
    assert filed.json().keys() == ANSWER
    kept = Photo.objects.filter(case__number=filed.json()["number"])
    assert {photo.sha256 for photo in kept} == {
        hashlib.sha256(sent.getvalue()).hexdigest() for sent in (first, second)
    }
    run_jobs()
    for photo in kept.all():
        with default_storage.open(photo.image) as file, Image.open(file) as picture:
            assert picture.size == (640, 480)


def test_a_report_sent_again_gets_the_same_answer(phone):
    body = full_body()
    first = send(phone, body)
    for _ in range(3):
        again = send(phone, body)
        assert again.status_code == 200
        assert again.content == first.content
        assert again["Idempotent-Replayed"] == "true"
    assert Case.objects.count() == 1


def test_a_report_with_photos_sent_again_gets_the_same_answer(phone):
    body, photo = full_body(), make_photo()
    first, again = send_form(phone, body, photo), send_form(phone, body, photo)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.content == first.content
    assert Photo.objects.count() == 1


def test_a_report_is_the_same_as_json_and_as_a_form(phone):
    body = full_body()
    first, again = send(phone, body), send_form(phone, body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.content == first.content


def test_a_report_is_the_same_whatever_the_order_and_the_headers(phone):
    body = full_body()
    del body["language"]
    first = send(phone, body)
    turned = dict(reversed(body.items()))
    again = send(phone, turned, headers={"Accept-Language": "en"})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["number"] == first.json()["number"]


OTHERWISE = {
    "category": "PRU-02",
    "location": point(*EAST),
    "accuracy": 13,
    "captured_at": "2026-11-20T08:00:01-05:00",
    "description": "Otro hueco",
    "place_hint": "Frente al parque",
    "act": "request",
    "contact": {"name": "Ana Pinto", "phone": "6000-0001"},
    "consent": "2026-12",
    "language": "en",
}


@pytest.mark.parametrize("name", OTHERWISE)
def test_an_id_is_not_used_for_another_report(phone, name):
    make_category("PRU-02")
    body = full_body()
    first = send(phone, body).json()
    before = Case.objects.values().get()
    refused = send(phone, {**body, name: OTHERWISE[name]})
    assert problem_of(refused, 409) == "report-id-reused"
    # Whoever guesses an id learns nothing of what it was used for.
    for secret in (first["number"], first["pin"], body["description"], "Ana"):
        assert secret not in refused.content.decode()
    assert Case.objects.values().get() == before


def test_an_id_is_not_used_for_another_photo(phone):
    body = full_body()
    assert send_form(phone, body, make_photo()).status_code == 201
    for other in ([], [make_photo(colour="red")], [make_photo(), make_photo()]):
        assert problem_of(send_form(phone, body, *other), 409) == "report-id-reused"
    assert Photo.objects.count() == 1


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    name=st.sampled_from(["description", "place_hint"]),
    before=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
    after=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
)
def test_other_words_are_another_report(phone, name, before, after):
    body = report_body(**{name: before})
    first = send(phone, body)
    second = send(phone, {**body, name: after})
    assert first.status_code == 201
    # White space around the words does not count: it is not kept.
    assert second.status_code == (200 if before.strip() == after.strip() else 409)


def outside():
    return report_body(location=point(-84.08, 9.93))


def unknown():
    return report_body(category="NADA-99")


def retired():
    make_category("PRU-09", active=False)
    return report_body(category="PRU-09")


def anonymous_denunciation():
    return report_body(act="denunciation")


def denunciation_by_its_category():
    make_category("PRU-08", act="denunciation")
    return report_body(category="PRU-08")


@pytest.mark.parametrize(
    ("make_body", "kind"),
    [
        (outside, "outside-panama"),
        (unknown, "unknown-category"),
        (retired, "unknown-category"),
        (anonymous_denunciation, "contact-required"),
        (denunciation_by_its_category, "contact-required"),
    ],
)
def test_what_cannot_be_filed_is_refused_with_its_reason(phone, make_body, kind):
    body = make_body()
    for _ in range(2):
        assert problem_of(send(phone, body), 422) == kind
    assert not Case.objects.exists()


def test_a_denunciation_with_a_contact_is_filed(phone):
    contact = {"name": "Ana Pinto", "email": "ana@example.com"}
    body = report_body(act="denunciation", contact=contact, consent="2026-11")
    assert send(phone, body).status_code == 201


def test_only_a_text_of_consent_that_there_is_can_have_been_accepted(phone):
    for unknown in ("2026-12", "demo", "\u200b"):
        refused = send(phone, full_body(consent=unknown))
        assert wrong_fields(refused) == {"/consent": "unknown-consent"}
    make_consent("2099-01", valid_from=date(2099, 1, 1))
    refused = send(phone, full_body(consent="2099-01"))
    assert wrong_fields(refused) == {"/consent": "unknown-consent"}
    # Without a contact there is nothing to consent to.
    assert send(phone, report_body(consent="2026-12")).status_code == 201


def test_a_file_that_is_no_photo_is_refused(phone):
    for bytes_ in (b"hola", b"", b"\xff\xd8\xff", make_photo().getvalue()[:900]):
        refused = send_form(phone, report_body(), BytesIO(bytes_))
        assert problem_of(refused, 422) == "not-an-image"
    assert not Case.objects.exists()


def test_a_photo_of_too_many_bytes_is_refused(phone, monkeypatch):
    monkeypatch.setattr(photo_headers, "MOST_BYTES", 1000)
    refused = send_form(phone, report_body(), make_photo())
    assert problem_of(refused, 413) == "image-too-large"
    assert not Case.objects.exists()


def test_a_photo_of_too_many_pixels_is_refused(phone):
    giant = BytesIO()
    Image.new("1", (8000, 7000)).save(giant, "PNG")
    refused = send_form(phone, report_body(), giant)
    assert problem_of(refused, 413) == "image-too-large"
    assert not Case.objects.exists()


def test_one_bad_photo_among_good_ones_files_nothing(phone):
    refused = send_form(phone, report_body(), make_photo(), BytesIO(b"hola"))
    assert problem_of(refused, 422) == "not-an-image"
    assert not Case.objects.exists()
    assert not Photo.objects.exists()


def test_a_report_takes_four_photos_and_not_five(phone):
    five = [make_photo((40, 30)) for _ in range(5)]
    assert wrong_fields(send_form(phone, report_body(), *five)) == {
        "/photo": "max_length"
    }
    assert send_form(phone, report_body(), *five[:4]).status_code == 201


def test_a_photo_that_is_no_file_is_refused_rather_than_lost(phone):
    body = report_body()
    as_json = send(phone, {**body, "photo": ["data:image/jpeg;base64,/9j/4AAQ"]})
    assert wrong_fields(as_json) == {"/photo/0": "invalid"}
    as_text = phone.post("/api/v1/reports/", {**form_of(body), "photo": "foto.jpg"})
    assert wrong_fields(as_text) == {"/photo/0": "invalid"}
    assert send(phone, {**body, "photo": []}).status_code == 201


def form_of(body):
    return {**body, "location": '{"type":"Point","coordinates":[-79.95,8.55]}'}


def test_files_are_no_words(phone):
    words = ["id", "category", "location", "accuracy", "captured_at", "description"]
    words += ["place_hint", "act", "contact", "consent", "language"]
    for name in words:
        file = BytesIO(b"26")
        file.name = "x.txt"
        refused = phone.post("/api/v1/reports/", {**form_of(report_body()), name: file})
        assert f"/{name}" in {
            "/" + pointer.split("/")[1] for pointer in wrong_fields(refused)
        }, name


@pytest.mark.parametrize(
    ("location", "code"),
    [
        (None, "null"),
        (True, "not_a_point"),
        (5, "not_a_point"),
        ([-79.95, 8.55], "not_a_point"),
        ([[-79.95, 8.55]], "not_a_point"),
        ("POINT(-79.95 8.55)", "not_a_point"),
        ("SRID=4326;POINT(-79.95 8.55)", "not_a_point"),
        ("SRID=3857;POINT(-79.95 8.55)", "not_a_point"),
        ("0101000020E6100000CDCCCCCCCCFC53C09A99999999192140", "not_a_point"),
        ({}, "not_a_point"),
        ({"type": "Feature", "geometry": point()}, "not_a_point"),
        ({"type": "point", "coordinates": [-79.95, 8.55]}, "not_a_point"),
        ({"type": ["Point"], "coordinates": [-79.95, 8.55]}, "not_a_point"),
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [0, 0]]]}, "not_a_point"),
        ({"type": "MultiPoint", "coordinates": [[-79.95, 8.55]]}, "not_a_point"),
        ({**point(), "crs": {"type": "name"}}, "crs"),
        ({**point(), "crs": None}, "crs"),
        ({"type": "Point"}, "two_dimensions"),
        ({"type": "Point", "coordinates": None}, "two_dimensions"),
        ({"type": "Point", "coordinates": []}, "two_dimensions"),
        ({"type": "Point", "coordinates": [-79.95]}, "two_dimensions"),
        ({"type": "Point", "coordinates": [-79.95, 8.55, 3]}, "two_dimensions"),
        ({"type": "Point", "coordinates": {"0": 1, "1": 2}}, "two_dimensions"),
        ({"type": "Point", "coordinates": "-79.95,8.55"}, "two_dimensions"),
        ({"type": "Point", "coordinates": ["-79.95", "8.55"]}, "not_numbers"),
        ({"type": "Point", "coordinates": [[-79.95], [8.55]]}, "not_numbers"),
        ({"type": "Point", "coordinates": [True, False]}, "not_numbers"),
        ({"type": "Point", "coordinates": [None, 8.55]}, "not_numbers"),
        ({"type": "Point", "coordinates": [10**400, 8.55]}, None),
        ({"type": "Point", "coordinates": [5000, 8.55]}, "not_numbers"),
        ({"type": "Point", "coordinates": [-180.1, 8.55]}, "out_of_range"),
        ({"type": "Point", "coordinates": [-79.95, 90.1]}, "out_of_range"),
    ],
)
def test_a_point_that_is_none_is_refused(phone, location, code):
    refused = send(phone, report_body(location=location))
    if code is None:
        assert problem_of(refused, 400) == "malformed-body"
    else:
        assert wrong_fields(refused) == {"/location": code}
    assert not Case.objects.exists()


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "0x10"])
def test_numbers_that_json_does_not_have_are_refused(phone, number):
    body = '{"id":"%s","category":"PRU-01","location":{"type":"Point","coordinates":[%s,8]}}'
    refused = send(phone, body % (uuid4(), number))
    assert problem_of(refused, 400) == "malformed-body"


@pytest.mark.parametrize(
    "accuracy",
    [True, "doce", "NaN", "inf", "1e999", "1_0", "١٢", "", -1, 100_001, [5], {}],
)
def test_an_accuracy_that_is_none_is_refused(phone, accuracy):
    assert wrong_fields(send(phone, report_body(accuracy=accuracy))).keys() == {
        "/accuracy"
    }


@pytest.mark.parametrize("identity", [5, True, "26", "", None, ["x"], {}, "á" * 32])
def test_an_id_is_a_uuid_in_its_text(phone, identity):
    assert wrong_fields(send(phone, report_body(id=identity))).keys() == {"/id"}


def test_an_id_is_the_same_however_it_is_spelt(phone):
    body = report_body()
    spelt = {**body, "id": UUID(body["id"]).hex.upper()}
    assert send(phone, body).status_code == 201
    assert send(phone, spelt).status_code == 200


@pytest.mark.parametrize(
    "moment",
    [
        "ayer",
        5,
        True,
        "",
        "2026-02-30T00:00",
        "9999-12-31T23:59:59",
        "0001-01-01T00:00Z",
    ],
)
def test_a_moment_that_is_none_is_refused(phone, moment):
    assert wrong_fields(send(phone, report_body(captured_at=moment))).keys() == {
        "/captured_at"
    }


@pytest.mark.parametrize(
    "moment",
    ["1970-01-01T00:00:00Z", "2099-01-01T00:00:00+14:00", "2026-11-20T08:00"],
)
def test_a_phone_with_a_wrong_clock_may_report(phone, moment):
    body = report_body(captured_at=moment)
    first, again = send(phone, body), send(phone, body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["filed_at"] > "2026"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"contact": {"name": "Ana", "phone": "6000-0000"}}, {"/consent": "required"}),
        (
            {"contact": {"name": "Ana"}, "consent": "1"},
            {"/contact": "phone-or-email"},
        ),
        (
            {"contact": {"phone": "6000-0000"}, "consent": "1"},
            {"/contact/name": "required"},
        ),
        (
            {"contact": {"name": "Ana", "phone": "llámame"}, "consent": "1"},
            {"/contact/phone": "invalid"},
        ),
        (
            {"contact": {"name": "Ana", "email": "ana@"}, "consent": "1"},
            {"/contact/email": "invalid"},
        ),
        ({"contact": "Ana", "consent": "1"}, {"/contact": "invalid"}),
        ({"description": "a" * 4001}, {"/description": "max_length"}),
        ({"description": "a\0b"}, {"/description": "null_characters_not_allowed"}),
        ({"place_hint": "a" * 301}, {"/place_hint": "max_length"}),
        ({"act": "sermon"}, {"/act": "invalid_choice"}),
        ({"language": "tlh"}, {"/language": "invalid_choice"}),
        ({"category": None}, {"/category": "null"}),
        (
            {"id": None, "category": "", "act": 7},
            {"/id": "null", "/category": "blank", "/act": "invalid_choice"},
        ),
    ],
)
def test_every_wrong_field_is_named_at_once(phone, fields, wrong):
    assert wrong_fields(send(phone, report_body(**fields))) == wrong
    assert not Case.objects.exists()


def test_a_missing_field_is_named(phone):
    assert wrong_fields(send(phone, {})) == {
        "/id": "required",
        "/category": "required",
        "/location": "required",
    }


def test_a_border_within_the_accuracy_is_told(phone):
    body = report_body(location=point(-79.9001, 8.55), accuracy=50)
    near = send(phone, body).json()
    assert near.keys() == ANSWER | {"near_border"}
    assert near["near_border"].keys() == {"code", "name", "distance"}
    assert near["near_border"]["code"] == "9002"
    assert near["near_border"]["distance"] == pytest.approx(11, abs=1)


def test_a_point_off_the_outline_is_told_how_far(phone):
    snapped = send(phone, report_body(location=point(-80.01, 8.55))).json()
    assert snapped.keys() == ANSWER | {"snapped"}
    assert snapped["snapped"] == pytest.approx(1100, abs=20)
    assert snapped["district"]["code"] == "9001"


def test_a_report_that_nobody_answers_is_filed_and_says_so(phone):
    duty = make_duty("only-in-the-east")
    entity = make_entity()
    make_jurisdiction(duty, entity, Jurisdiction.Scope.DISTRICT, "9002")
    make_category("PRU-07", duty=duty)
    filed = send(phone, report_body(category="PRU-07"))
    assert filed.status_code == 201
    assert filed.json()["entity"] is None
    assert Case.objects.unassigned().get().number == filed.json()["number"]


def test_a_private_case_is_acknowledged_like_any_other(phone):
    make_category("PRU-06", private=True, precision="none")
    assert send(phone, report_body(category="PRU-06")).json().keys() == ANSWER


def test_filing_needs_no_session_and_heeds_none(client):
    client.handler.enforce_csrf_checks = True
    client.cookies["sessionid"] = "x" * 32
    made = send(client, report_body(), headers={"Authorization": "Token nada"})
    assert made.status_code == 201


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_only_post_files(phone, method):
    refused = getattr(phone, method)("/api/v1/reports/")
    assert problem_of(refused, 405) == "method-not-allowed"
    assert refused["Allow"] == "POST, OPTIONS"
