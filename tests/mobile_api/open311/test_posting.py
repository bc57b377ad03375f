"""A service request becomes a case, as any report does."""

from io import BytesIO
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.test import RequestFactory
from django.utils import timezone

from backend.accounts.api_keys import issue_key, revoke_key
from backend.accounts.models import Device
from backend.cases.models import Case, Flag, PartnerAct, Reporter
from backend.cases.photo_headers import MOST_PHOTOS
from mobile_api.open311.forms import Form
from tests.factories import WEST, make_case, make_category, make_entity, make_photo
from tests.jobs import run_jobs
from tests.mobile_api.open311.schemas import ERRORS, RECEIPT, REQUESTS
from tests.mobile_api.open311.speaking import (
    BASE,
    NOBODY,
    ask,
    filed,
    not_taken,
    request_form,
    send,
    the_same,
    valid,
)
from tests.mobile_api.test_parsers import Endless, announcing_a_gigabyte

pytestmark = pytest.mark.usefixtures("squares")


def named(*names: str) -> list[BytesIO]:
    """Photos with the names of files, each another picture."""
    photos = [make_photo((40 + n, 30)) for n in range(len(names))]
    for photo, name in zip(photos, names, strict=True):
        photo.name = name
    return photos


def test_a_request_is_a_case_like_any_other(key):
    receipt = filed(
        request_form(
            key,
            description="Hueco grande\r\nde lado a lado",
            address_string="Frente a la escuela",
        )
    )
    case = Case.objects.get()
    assert receipt["service_request_id"] == case.number
    assert "Entidad OBRAS" in receipt["service_notice"]
    assert case.entity_id == "OBRAS"
    assert case.district_id == "9001"
    assert case.description == "Hueco grande\nde lado a lado"
    assert case.place_hint == "Frente a la escuela"
    assert (case.location.x, case.location.y) == WEST
    assert case.history.get().status == "received"
    assert not Device.objects.exists()
    act = PartnerAct.objects.get()
    assert (act.key, act.case, act.change) == (key, case, None)
    (row,) = ask("requests", REQUESTS)
    assert row["service_request_id"] == case.number
    run_jobs()


def test_xml_is_answered_with_the_same(key):
    form = request_form(key, report_id="7")
    answers = send(form, format="xml"), send(form, format="json")
    (receipt,) = the_same(*answers, RECEIPT)
    assert receipt["service_request_id"] == Case.objects.get().number


def test_the_end_of_a_line_is_one_character_however_it_is_sent(key):
    words = "x\n" * 1999 + "xx"
    for number, end in enumerate(("\r\n", "\r", "\n")):
        text = words.replace("\n", end)
        filed(request_form(key, description=text, report_id=str(number)))
    assert set(Case.objects.values_list("description", flat=True)) == {words}
    assert len(words) == 4000
    not_taken(request_form(key, description=f"{words}x"), 400)


@pytest.mark.parametrize("secret", ["", "x", "ñ", "a" * 5000])
def test_without_a_key_nothing_is_taken(key, secret):
    form = {**request_form(key), "api_key": secret}
    assert not_taken(form, 403)[0]["code"] == 403
    assert not Case.objects.exists()


def test_a_key_counts_in_the_form_alone_for_addresses_are_logged(key):
    form = request_form(key)
    secret = form.pop("api_key")
    answer = NOBODY.post(f"{BASE}requests.json?api_key={secret}", form)
    assert answer.status_code == 403


def test_a_revoked_key_counts_no_more(key):
    filed(request_form(key))
    assert revoke_key(key)
    not_taken(request_form(key, report_id="2"), 403)


def test_what_is_missing_or_wrong_is_told_all_at_once(key):
    form = {
        "api_key": key.secret,
        "description": "x" * 4001,
        "email": "nadie",
        "phone": "x",
        "lat": "91",
        "long": "nan",
        "language": "fr",
        "media": "a.jpg",
    }
    told = {error["description"].split(":")[0] for error in not_taken(form, 400)}
    assert told == {
        "service_code",
        "description",
        "email",
        "phone",
        "lat",
        "long",
        "language",
        "media",
    }


@pytest.mark.parametrize(
    "place",
    [{}, {"address_string": "Calle 50"}, {"address_id": "900101"}, {"lat": "8.5"}],
)
def test_without_a_point_there_is_no_case(key, place):
    form = {"api_key": key.secret, "service_code": "PRU-01", **place}
    (error,) = not_taken(form, 400)
    assert "«lat» y «long»" in error["description"]


def test_a_point_abroad_is_refused(key):
    (error,) = not_taken(request_form(key, lat="0", long="0"), 400)
    assert "fuera de Panamá" in error["description"]


def test_an_unknown_and_a_private_service_are_not_found(key):
    make_category("PRU-08", private=True, precision="none")
    for code in ("NADA", "PRU-08"):
        not_taken(request_form(key, service_code=code), 404)


# ── Who the person is ────────────────────────────────────────────────────────────

PERSON = {
    "first_name": "Ana",
    "last_name": "Pinto",
    "email": "ana@example.com",
    "phone": "+507 6000-0000",
}


def test_a_contact_is_kept_by_the_text_that_the_key_s_owner_shows(key):
    filed(request_form(key, **PERSON))
    reporter = Reporter.objects.get()
    assert reporter.name == "Ana Pinto"
    assert (reporter.email, reporter.phone) == ("ana@example.com", "+507 6000-0000")
    assert reporter.consent == key.consent


def test_a_contact_that_nobody_agreed_to_is_not_kept_and_that_is_told(db, key):
    plain = issue_key("Sin texto")
    receipt = filed(request_form(plain, **PERSON))
    assert not Reporter.objects.exists()
    assert "El contacto no se guardó" in receipt["service_notice"]
    filed(request_form(plain, **PERSON, consent=key.consent))
    assert Reporter.objects.get().consent == key.consent
    (error,) = not_taken(request_form(plain, **PERSON, consent="otra"), 400)
    assert error["description"].startswith("consent: ")


def test_a_denunciation_needs_an_identified_person(key):
    make_category("DEN-01", act="denunciation")
    form = request_form(key, service_code="DEN-01")
    for person in ({}, {"email": "ana@example.com"}, {"first_name": "Ana"}):
        (error,) = not_taken({**form, **person}, 400)
        assert "Ley 38" in error["description"]
    filed({**form, **PERSON})


# ── Photos, three ways ───────────────────────────────────────────────────────────


def test_photos_come_as_media(key):
    filed(request_form(key, media=named("a.jpg", "b.jpg")))
    run_jobs()
    (row,) = ask("requests", REQUESTS)
    assert row["media_url"].startswith("http://localhost/fotos/")
    assert Case.objects.get().photos.filter(released_at__isnull=False).count() == 2


def test_photos_come_as_fixmystreet_sends_them(key):
    first, second = named("1.jpg", "2.jpg")
    filed(request_form(key, photo2=second, photo1=first))
    sizes = [photo.size for photo in Case.objects.get().photos.order_by("added_at")]
    assert sorted(sizes) == sorted([len(first.getvalue()), len(second.getvalue())])


@pytest.mark.parametrize(
    "name",
    [
        "media[]",
        "media[0]",
        "media1",
        "MEDIA",
        "Photo",
        "photos",
        "photos[]",
        "photo001",
    ],
)
def test_photos_come_by_any_of_the_names_that_clients_give_them(key, name):
    filed(request_form(key, **{name: named("a.jpg")}))
    assert Case.objects.get().photos.count() == 1


def test_photos_are_in_the_order_of_their_numbers(key):
    files = dict(zip(("media[10]", "media[9]"), named("b.jpg", "a.jpg"), strict=True))
    form = Form(RequestFactory().post("/", files), key)
    in_order = [files[name].getvalue() for name in ("media[9]", "media[10]")]
    assert [photo.read() for photo in form.photos()] == in_order


@pytest.mark.parametrize(
    "name", ["image", "file", "media_url", "description", "x" * 99]
)
def test_a_file_of_a_name_that_nobody_knows_is_refused_and_the_names_are_told(
    key, name
):
    for path in ("requests", "servicerequestupdates"):
        case = make_case(filed_at=timezone.now())
        form = request_form(key, service_request_id=case.number)
        errors = valid(send({**form, name: named("a.jpg")}, path), ERRORS)
        told = [error["description"] for error in errors]
        assert any(text.startswith(f"{name[:40]}: ") for text in told), told
        assert any("«media»" in text for text in told)
    assert not Flag.objects.exists()
    assert Case.objects.count() == 2  # those that were there


def test_a_photo_that_is_text_is_refused_wherever_among_its_like_it_is(key):
    form = request_form(key, **{"media[0]": ["https://example.org/a.jpg", ""]})
    (error,) = not_taken(form, 400)
    assert error["description"].startswith("media[0]: ")
    filed(request_form(key, media=["", " "]))


def test_an_address_of_a_photo_is_kept_in_the_words_and_nobody_goes_there(key):
    links = ["https://fms.example.org/photo/1.0.jpeg?a=b", "http://127.0.0.1:9/x.jpg"]
    receipt = filed(request_form(key, description="Hueco", media_url=links))
    case = Case.objects.get()
    assert case.description == "\n".join(["Hueco", *links])
    assert not case.photos.exists()
    assert "media_url" in receipt["service_notice"]


@pytest.mark.parametrize(
    "link",
    [
        "HTTP://example.org/a.jpg",
        "https://example.org?x=1",
        "https://example.org#a",
        "https://example.org:8443?x=1",
        "https://s3.example.org/a.jpg?X-Amz-Signature=" + "a" * 1500,
    ],
)
def test_an_address_of_a_photo_is_kept_however_it_is_written(key, link):
    receipt = filed(request_form(key, description="Hueco", media_url=link))
    assert Case.objects.get().description == f"Hueco\n{link}"
    assert "no se guardó" not in receipt["service_notice"]


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "a.jpg",
        "https://ana:clave@example.org/a.jpg",
        "https://example.org/<b>",
        "https://example.org/\0",
        "https://example.org/" + "a" * 2000,
    ],
)
def test_what_is_no_address_of_a_photo_is_not_kept_and_that_is_told(key, link):
    receipt = filed(request_form(key, description="Hueco", media_url=link))
    assert Case.objects.get().description == "Hueco"
    assert "no se guardó" in receipt["service_notice"]
    assert "se guardó la dirección" not in receipt["service_notice"]


def test_of_many_addresses_those_that_fit_are_kept_and_that_is_told(key):
    links = [f"https://example.org/{letter * 1400}" for letter in "abcd"]
    receipt = filed(request_form(key, description="Hueco", media_url=links))
    assert Case.objects.get().description == "\n".join(["Hueco", *links[:2]])
    assert "se guardó la dirección" in receipt["service_notice"]
    assert "no se guardó" in receipt["service_notice"]


def test_what_is_no_photo_is_refused_with_the_report(key):
    (text,) = named("a.jpg")
    text.seek(0)
    text.truncate()
    text.write(b"hola")
    text.seek(0)
    answer = send(request_form(key, media=text))
    assert answer.status_code == 400
    valid(answer, ERRORS)
    assert send(request_form(key, media="https://example.org/a.jpg")).status_code == 400
    many = named(*(f"{n}.jpg" for n in range(MOST_PHOTOS + 1)))
    assert send(request_form(key, media=many)).status_code == 400
    assert not Case.objects.exists()


# ── Once ─────────────────────────────────────────────────────────────────────────


def test_a_request_with_its_sender_s_id_is_filed_once(key):
    form = request_form(key, report_id="fms-1", description="Hueco")
    assert filed(form) == filed(form)
    (error,) = not_taken({**form, "description": "Otro"}, 400)
    assert error["code"] == 409
    other = issue_key("Otro sistema")
    assert filed({**form, "api_key": other.secret}) != filed(form)
    assert Case.objects.count() == 2


def test_exactly_the_same_request_on_the_same_day_is_the_same(key):
    (photo,) = named("a.jpg")
    form = request_form(key, description="Hueco")
    assert filed(form) == filed(form)
    photo.seek(0)
    with_photo = filed({**form, "media": photo})
    photo.seek(0)
    assert filed({**form, "media": photo}) == with_photo
    filed({**form, "device_id": "2"})
    assert Case.objects.count() == 3


def test_a_key_has_its_own_limit_which_repeats_do_not_use(key):
    small = issue_key("Pequeño", hourly=2)
    forms = [request_form(small, report_id=str(n)) for n in range(3)]
    for form in [forms[0], *forms[:2], forms[1]]:
        filed(form)
    answer = send(forms[2])
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    valid(answer, ERRORS)
    filed(forms[0])  # It is there.
    filed(request_form(key, report_id="x"))
    assert Case.objects.count() == 3


# ── What is not kept, and what is no form ────────────────────────────────────────


def test_what_nobody_asked_for_is_not_kept_and_that_is_told(key):
    form = request_form(key, **{"attribute[easting]": "1", "attribute[a][]": ["1"]})
    assert "No se guardó: a, easting." in filed(form)["service_notice"]


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("text/xml", b"<a/>", 415),
        ("", b"api_key=x", 415),
        ("application/x-www-form-urlencoded", b"\xff=%ff&api_key=%00", 403),
        ("multipart/form-data", b"x", 400),
        ("multipart/form-data; boundary=x", b"--x\r\n", 403),
        ("application/x-www-form-urlencoded", b"a=1&" * 1200, 400),
        ("application/x-www-form-urlencoded", b"a=" + b"1" * 300_000, 413),
    ],
)
def test_what_is_no_form_is_told_apart(db, content_type, body, status):
    for format in ("xml", "json"):
        answer = NOBODY.generic("POST", f"{BASE}requests.{format}", body, content_type)
        assert answer.status_code == status, answer.content
    valid(answer, ERRORS)


def test_more_than_photos_can_be_is_not_read(db):
    body = Endless()
    sent = announcing_a_gigabyte(body, "multipart/form-data; boundary=x")
    answer = NOBODY.post(f"{BASE}requests.json", **sent)
    assert answer.status_code == 413
    assert body.read_so_far == 0


def test_characters_that_are_no_text_are_refused(key):
    for name in ("description", "address_string", "first_name", "report_id"):
        (error,) = not_taken(request_form(key, **{name: "a\0b"}), 400)
        assert error["description"].startswith(f"{name}: ")


def test_an_entity_s_key_files_too(db):
    key = issue_key("Sistema de OBRAS", entity=make_entity())
    filed(request_form(key, report_id=str(uuid4())))
    assert quote(key.secret) == key.secret  # nothing in it needs to be escaped
