"""A photo, for whoever may see it."""

import time
from io import BytesIO
from pathlib import Path
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.core.signing import TimestampSigner, b62_encode
from django.test import Client
from PIL import Image

from backend.cases.handling import Transition, change_status
from backend.cases.models import Case, Photo
from backend.cases.photo_links import VALID_SECONDS, url_of
from backend.cases.photos import release, withhold
from backend.cases.workflow import Status
from tests.factories import make_case, make_category, make_photo, make_territory
from tests.jobs import run_jobs


@pytest.fixture(autouse=True)
def squares(db):
    make_territory()
    make_category()


@pytest.fixture
def public() -> Photo:
    case = make_case(photos=[make_photo()])
    run_jobs()
    return case.photos.get()


@pytest.fixture
def private() -> Photo:
    category = make_category("P-1", private=True, precision="none")
    case = make_case(category=category, photos=[make_photo()])
    run_jobs()
    return case.photos.get()


def status(phone: Client, address: str) -> int:
    answer = phone.get(address)
    if answer.status_code == 200:
        assert answer.getvalue().startswith(b"\xff\xd8")
    return answer.status_code


@pytest.mark.parametrize("thumbnail", [False, True])
def test_anyone_sees_the_photo_of_a_public_case(phone, public, thumbnail):
    address = url_of(public, thumbnail=thumbnail)
    assert "?" not in address
    answer = phone.get(address)
    assert answer.status_code == 200
    picture = Image.open(BytesIO(answer.getvalue()))
    assert picture.format == "JPEG"
    assert picture.size == ((320, 240) if thumbnail else (640, 480))
    assert answer["X-Robots-Tag"] == "noindex"


@pytest.mark.parametrize("kind", ["public", "private"])
def test_a_photo_is_nothing_but_a_picture_to_the_browser(phone, request, kind):
    answer = phone.get(url_of(request.getfixturevalue(kind)))
    assert answer.getvalue()
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["Cross-Origin-Resource-Policy"] == "same-site"
    caches = {"public": "public, no-cache", "private": "no-store"}
    assert answer["Cache-Control"] == caches[kind]


def test_the_name_cannot_be_guessed(public):
    assert UUID(Path(public.image).stem).version == 4
    # Neither what was sent, nor where it is kept, nor the case leads to it.
    for known in (
        public.case.number,
        public.sha256,
        str(public.case.report_id),
        str(public.pk),
        Path(public.original).name,
    ):
        assert known not in public.image


def test_a_name_that_was_never_given_is_not_there(phone, public):
    folder = Path(public.image).parent
    for name in (f"{folder}/{uuid4()}.jpg", str(folder), f"{folder}/", public.sha256):
        assert status(phone, f"/fotos/{name}") == 404


@pytest.mark.parametrize("thumbnail", [False, True])
def test_the_photo_of_a_private_case_needs_a_signature(phone, private, thumbnail):
    address = url_of(private, thumbnail=thumbnail)
    bare, _, signature = address.partition("?s=")
    assert status(phone, address) == 200
    assert status(phone, bare) == 404
    for forged in (
        "",
        "x",
        signature[:-1],
        signature + "x",
        signature.upper(),
        ":",
        "\0",
    ):
        assert status(phone, f"{bare}?s={quote(forged)}") == 404


def test_a_signature_opens_one_photo_only(phone, private):
    other_case = make_case(category=private.case.category, photos=[make_photo()])
    run_jobs()
    other = other_case.photos.get()
    _, _, signature = url_of(private).partition("?s=")
    assert status(phone, f"/fotos/{other.image}?s={signature}") == 404
    assert status(phone, f"/fotos/{private.thumbnail}?s={signature}") == 404


@pytest.mark.parametrize(
    ("age", "expected"),
    [(0, 200), (VALID_SECONDS - 60, 200), (VALID_SECONDS + 1, 404), (-10, 200)],
)
def test_a_signature_expires(phone, private, monkeypatch, age, expected):
    signed_at = b62_encode(int(time.time()) - age)
    with monkeypatch.context() as then:
        then.setattr(TimestampSigner, "timestamp", lambda _: signed_at)
        address = url_of(private)
    assert status(phone, address) == expected


def test_a_signature_of_another_kind_or_another_key_opens_nothing(phone, private):
    for forger in (
        TimestampSigner(salt="other"),
        TimestampSigner(key="k", salt="photo"),
    ):
        signature = forger.sign(private.image).removeprefix(f"{private.image}:")
        assert status(phone, f"/fotos/{private.image}?s={signature}") == 404


def test_a_case_that_becomes_private_takes_its_photos_along(phone, public):
    address = url_of(public)
    assert status(phone, address) == 200
    Case.objects.filter(pk=public.case_id).update(is_public=False, public_location=None)
    assert status(phone, address) == 404


def test_the_photo_of_the_work_is_as_public_as_its_case(phone, private):
    step = Transition(Status.RESOLVED, "Listo", photos=[make_photo()])
    change = change_status(private.case, step, by=None).change
    run_jobs()
    done = change.photos.get()
    assert status(phone, f"/fotos/{done.image}") == 404
    assert status(phone, url_of(done)) == 200


def test_a_withheld_photo_of_the_work_is_gone_also_for_who_has_a_link(phone, private):
    step = Transition(Status.RESOLVED, "Listo", photos=[make_photo()])
    work = change_status(private.case, step, by=None).change.photos
    run_jobs()
    link = url_of(work.get())
    assert status(phone, link) == 200
    withhold(work.get())
    assert status(phone, link) == 404


def test_a_copy_that_somebody_kept_costs_no_bytes_while_it_may_be_seen(phone, public):
    first = phone.get(url_of(public))
    assert first.getvalue()
    kept = phone.get(url_of(public), headers={"If-None-Match": first["ETag"]})
    assert (kept.status_code, kept.content) == (304, b"")
    assert kept["Cache-Control"] == "public, no-cache"
    assert kept["ETag"] == first["ETag"]


def test_a_photo_that_is_withheld_is_gone_at_once_also_from_caches(phone, public):
    """FixMyStreet once went on showing from its caches what moderators had hidden."""
    addresses = [url_of(public), url_of(public, thumbnail=True)]
    seen = phone.get(addresses[0])
    assert seen.getvalue()
    withhold(public)
    for address in addresses:
        assert status(phone, address) == 404
        again = phone.get(address, headers={"If-None-Match": seen["ETag"]})
        assert again.status_code == 404
    release(public)
    assert [status(phone, address) for address in addresses] == [200, 200]


def test_a_photo_that_waits_for_release_is_its_senders_through_a_link_that_expires(
    phone, public, monkeypatch
):
    withhold(public)
    public.refresh_from_db()
    address = url_of(public)
    bare, _, _ = address.partition("?s=")
    assert (status(phone, bare), status(phone, address)) == (404, 200)
    answer = phone.get(address)
    assert answer.getvalue()
    assert answer["Cache-Control"] == "no-store"
    then = time.time() + VALID_SECONDS + 5
    monkeypatch.setattr(time, "time", lambda: then)
    assert status(phone, address) == 404


def test_what_was_sent_is_behind_no_door(phone, public, private):
    """Neither by the name it is kept under, nor with a signature, nor by an id."""
    _, _, signature = url_of(private).partition("?s=")
    for photo in (public, private):
        name = photo.original
        signed = TimestampSigner(salt="photo").sign(name).removeprefix(f"{name}:")
        for address in (
            f"/fotos/{name}",
            f"/fotos/{name}?s={signature}",
            f"/fotos/{name}?s={signed}",
            f"/fotos/{Path(name).name}",
            f"/fotos/{photo.pk}",
            f"/fotos/{photo.pk}.jpg",
            f"/{name}",
            f"/media/{name}",
            f"/static/{name}",
        ):
            assert status(phone, address) == 404, address


@pytest.mark.parametrize(
    "name",
    [
        "../manage.py",
        "..%2Fmanage.py",
        "%2e%2e/manage.py",
        "%2e%2e%2f%2e%2e%2fetc/passwd",
        "/etc/passwd",
        "%2Fetc%2Fpasswd",
        "2026/../2026",
        "..\\..\\manage.py",
        "....//manage.py",
        "secreto.txt",
        "./secreto.txt",
        "a%00b.jpg",
        "%00",
        "%ff%fe",
        "a" * 3000,
        ".",
        "",
    ],
)
def test_no_path_leads_out_of_the_photos(phone, public, name):
    # Nor to a file among them that is no photo.
    (Path(settings.MEDIA_ROOT) / "secreto.txt").write_text("MARCA")
    answer = phone.get(f"/fotos/{name}")
    assert answer.status_code == 404
    assert b"MARCA" not in answer.content


def test_a_photo_whose_file_is_lost_is_not_there_and_is_told_to_the_log(
    phone, public, caplog
):
    (Path(settings.MEDIA_ROOT) / public.image).unlink()
    assert status(phone, url_of(public)) == 404
    assert str(public.pk) in caplog.text
    assert status(phone, url_of(public, thumbnail=True)) == 200


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_photos_are_only_read(phone, public, method):
    assert getattr(phone, method)(url_of(public)).status_code == 405
    assert status(phone, url_of(public)) == 200
