"""The addresses of photos, and who may follow them."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

import pytest

from backend.cases.models import Category, Photo
from backend.cases.photo_links import VALID_SECONDS, may_see, url_of
from tests.factories import make_case, make_category, make_photo
from tests.jobs import run_jobs

pytestmark = pytest.mark.usefixtures("squares")


def test_the_photo_of_a_public_case_has_a_plain_address():
    photo = photo_of(private=False)
    assert url_of(photo).endswith(photo.image)
    assert url_of(photo, thumbnail=True).endswith(photo.thumbnail)
    assert may_see(photo, photo.image, signature="")


def test_the_photo_of_a_private_case_is_seen_with_its_signature_only():
    photo = photo_of(private=True)
    assert may_see(photo, photo.image, signature_of(photo))
    for signature in ("", "x", ":", "a:b", "\0", "ñ:ñ", signature_of(photo)[:-1]):
        assert not may_see(photo, photo.image, signature)


def test_the_photo_that_a_person_has_not_released_is_its_senders_by_signature_only():
    photo = photo_of(private=False)
    photo.released_at = None
    assert "?s=" in url_of(photo)
    assert may_see(photo, photo.image, signature_of(photo))
    assert not may_see(photo, photo.image, "")


@pytest.mark.parametrize("private", [False, True])
def test_a_picture_of_the_work_is_nobodys_before_it_is_released(private):
    photo = photo_of(private=private)
    photo.change = photo.case.history.get()
    photo.released_at = None
    assert not may_see(photo, photo.image, signature_of(photo))


def test_a_signature_opens_one_file_and_no_other():
    photo, other = photo_of(private=True), photo_of(private=True)
    assert not may_see(photo, photo.thumbnail, signature_of(photo))
    assert not may_see(other, other.image, signature_of(photo))
    assert may_see(photo, photo.thumbnail, signature_of(photo, thumbnail=True))


def test_a_link_expires(monkeypatch):
    photo = photo_of(private=True)
    signature = signature_of(photo)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + VALID_SECONDS - 5)
    assert may_see(photo, photo.image, signature)
    monkeypatch.setattr(time, "time", lambda: now + VALID_SECONDS + 5)
    assert not may_see(photo, photo.image, signature)


def test_a_link_dies_with_the_key(settings):
    photo = photo_of(private=True)
    signature = signature_of(photo)
    settings.SECRET_KEY = "another-key-another-key-another-key-another"
    assert not may_see(photo, photo.image, signature)


def photo_of(*, private: bool) -> Photo:
    precision = Category.Precision.NONE if private else Category.Precision.EXACT
    category = make_category(
        f"PRU-0{int(private)}", private=private, precision=precision
    )
    case = make_case(category=category, photos=[make_photo()])
    run_jobs()
    return case.photos.get()


def signature_of(photo: Photo, *, thumbnail: bool = False) -> str:
    query = urlsplit(url_of(photo, thumbnail=thumbnail)).query
    return parse_qs(query)["s"][0]
