"""People look at photos, release them and withhold them."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client

from backend.accounts.devices import issue_device
from backend.accounts.models import User
from backend.cases.citizens import Complaint, flag
from backend.cases.models import Case, Flag, Photo
from backend.cases.photo_admin import PhotoAdmin, WaitingFilter
from backend.cases.photos import clear_doubts, withhold
from tests.backend.cases.test_photo_cleaning import saved, scenery
from tests.factories import make_case, make_category, make_photo
from tests.geo.many import copy
from tests.jobs import run_jobs

LIST = "/admin/cases/photo/"


@pytest.fixture
def waiting(squares: None) -> Photo:
    category = make_category("PRU-09", photos_need_release=True)
    case = make_case(category=category, photos=[make_photo()])
    run_jobs()
    return case.photos.get()


@pytest.fixture
def moderator(db) -> Client:
    return somebody("view_photo", "change_photo")


def test_a_moderator_finds_what_waits_looks_at_it_and_releases_it(moderator, waiting):
    make_case(category=make_category(), photos=[make_photo()])
    run_jobs()
    page = moderator.get(LIST, {"hacer": "publicar"}).content.decode()
    assert page.count("/thumbnail.jpg") == 1
    picture = moderator.get(f"{LIST}{waiting.pk}/thumbnail.jpg")
    assert picture.getvalue().startswith(b"\xff\xd8")
    assert "no-store" in picture["Cache-Control"]
    assert act(moderator, "release_them", waiting) == 302
    waiting.refresh_from_db()
    assert waiting.released_at is not None
    assert (
        "/thumbnail.jpg"
        not in moderator.get(LIST, {"hacer": "publicar"}).content.decode()
    )
    assert LogEntry.objects.get().object_id == str(waiting.pk)


def test_what_waits_and_what_is_new_is_found_without_looking_at_all_photos(waiting):
    changed = {
        "id": "gen_random_uuid()",
        "added_at": "added_at - n * interval '1 minute'",
        "released_at": "CASE WHEN n % 100 > 0 THEN added_at END",
    }
    copy(waiting, 5000, changed)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE cases_photo")
    newest = Photo.objects.order_by(*PhotoAdmin.ordering)
    _words, waits = WaitingFilter.CHOICES["publicar"]
    assert waits(newest).count() == 51
    assert "photos_to_release" in waits(newest)[:40].explain()
    assert "photos_by_time" in newest[:40].explain()


def test_a_moderator_withholds_what_should_not_be_seen(moderator, squares):
    photo = make_case(category=make_category(), photos=[make_photo()]).photos.get()
    run_jobs()
    act(moderator, "withhold_them", photo)
    photo.refresh_from_db()
    assert (photo.released_at, photo.refusal) == (None, "withheld")
    # It does not wait for anything: somebody has decided.
    assert str(photo.pk) not in found(moderator, "publicar")
    assert str(photo.pk) in found(moderator, "retiradas")


def test_photos_with_doubts_are_a_list_of_their_own(moderator, squares):
    make_category()
    make_case(photos=[saved(scenery(1), "JPEG")])
    run_jobs()
    again = make_case(photos=[saved(scenery(1), "JPEG")]).photos.get()
    run_jobs()
    page = found(moderator, "dudas")
    assert str(again.pk) in page
    assert page.count("seen-before") == 1


def test_doubts_that_are_settled_are_on_no_list_and_in_the_log(moderator, squares):
    case = make_case(category=make_category(), photos=[make_photo()])
    Photo.objects.update(doubts=["seen-before", "taken-earlier"])
    Case.objects.update(under_review=True)
    photo = case.photos.get()
    assert act(moderator, "clear_doubts_about_them", photo) == 302
    assert str(photo.pk) not in found(moderator, "dudas")
    assert not Case.objects.get().under_review
    act(moderator, "clear_doubts_about_them", photo)  # nothing is left to settle
    entry = LogEntry.objects.get()
    assert entry.get_change_message() == "dudas aclaradas: seen-before, taken-earlier"


@pytest.mark.parametrize("reason", ["a flag", "another photo"])
def test_a_case_stays_in_the_review_for_another_reason(squares, reason):
    case = make_case(category=make_category(), photos=[make_photo(), make_photo()])
    one, other = case.photos.all()
    Photo.objects.filter(pk=one.pk).update(doubts=["seen-before"])
    Case.objects.update(under_review=True)
    if reason == "a flag":
        flag(case, issue_device().device, Complaint(uuid4(), Flag.Reason.OFFENSIVE))
    else:
        Photo.objects.filter(pk=other.pk).update(doubts=["seen-before"])
    assert clear_doubts(one)
    assert Case.objects.get().under_review


def test_a_photos_page_shows_neither_its_files_nor_where_the_camera_was(
    moderator, waiting
):
    page = moderator.get(f"{LIST}{waiting.pk}/change/").content.decode()
    assert f"{waiting.pk}/image.jpg" in page
    for hidden in (waiting.original, waiting.image, "taken_location"):
        assert hidden not in page


@pytest.mark.parametrize("size", ["original", "x", "taken_location"])
def test_no_original_is_previewed(moderator, waiting, size):
    assert moderator.get(f"{LIST}{waiting.pk}/{size}.jpg").status_code == 404


def test_a_photo_that_is_not_ready_has_no_preview(moderator, squares):
    photo = make_case(category=make_category(), photos=[make_photo()]).photos.get()
    assert moderator.get(LIST).status_code == 200
    assert moderator.get(f"{LIST}{photo.pk}/thumbnail.jpg").status_code == 404


def test_who_may_only_look_releases_nothing(waiting):
    looker = somebody("view_photo")
    assert "release_them" not in looker.get(LIST).content.decode()
    act(looker, "release_them", waiting)
    waiting.refresh_from_db()
    assert waiting.released_at is None


def test_strangers_and_crews_see_no_preview(phone, waiting):
    address = f"{LIST}{waiting.pk}/thumbnail.jpg"
    assert phone.get(address).status_code == 302
    assert somebody().get(address).status_code == 404
    assert somebody("view_case").get(address).status_code == 404


def test_what_is_chosen_twice_is_one_change(moderator, waiting):
    act(moderator, "release_them", waiting)
    released_at = Photo.objects.get().released_at
    act(moderator, "release_them", waiting)
    assert LogEntry.objects.count() == 1
    assert Photo.objects.get().released_at == released_at
    withhold(waiting)


# ── What the tests are made of ────────────────────────────────────────────────────


def somebody(*permissions: str) -> Client:
    user = User.objects.create_user(f"mesa-{User.objects.count()}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client(HTTP_HOST="localhost")
    client.force_login(user)
    return client


def act(client: Client, action: str, photo: Photo) -> int:
    return client.post(
        LIST, {"action": action, "_selected_action": [str(photo.pk)]}
    ).status_code


def found(client: Client, what: str) -> str:
    return client.get(LIST, {"hacer": what}).content.decode()
