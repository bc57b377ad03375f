"""A photo from what was sent to what is shown."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from hashlib import sha256
from io import BytesIO
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.db import DataError, OperationalError
from hypothesis import HealthCheck, given, note
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from backend.cases import photos
from backend.cases.deadlines import PANAMA
from backend.cases.handling import Transition, change_status
from backend.cases.models import Case, Photo
from backend.cases.photo_cleaning import CleanPhoto, clean_photo
from backend.cases.photo_process import CleaningFailed
from backend.cases.photos import clean, kept, release, shown, take_in, withhold
from backend.cases.storage import StorageAway, keep
from backend.cases.workflow import Status
from tests.backend.cases.failures import failing_at, failing_once, files
from tests.backend.cases.test_photo_cleaning import (
    MUTATIONS,
    SECRETS,
    WHOLE,
    full_of_secrets,
    mutate,
    saved,
    scenery,
    taken,
)
from tests.factories import EAST, WEST, make_case, make_category, make_photo
from tests.jobs import run_jobs, waiting_jobs

pytestmark = pytest.mark.usefixtures("squares")

MONDAY = datetime(2026, 11, 23, 10, tzinfo=PANAMA)
TUESDAY = MONDAY + timedelta(days=1)


def test_a_photo_is_kept_as_it_was_sent_and_then_cleaned_by_a_job():
    sent = full_of_secrets()["jpeg"]
    case = make_case(photos=[BytesIO(sent)], filed_at=MONDAY)
    photo = case.photos.get()
    assert photo.state == Photo.State.RECEIVED
    assert (photo.size, photo.sha256) == (len(sent), sha256(sent).hexdigest())
    assert content_of(photo.original) == sent
    assert shown(case) == []

    assert run_jobs().count("clean_photo") == 1

    photo.refresh_from_db()
    assert photo.state == Photo.State.READY
    assert (photo.width, photo.height) == (200, 100)
    assert photo.released_at is not None
    for name in (photo.image, photo.thumbnail):
        published = content_of(name)
        assert Image.open(BytesIO(published)).format == "JPEG"
        assert not [secret for secret in SECRETS if secret in published]
    assert shown(case) == [photo]
    assert content_of(photo.original) == sent
    assert set(files()) == {photo.original, photo.image, photo.thumbnail}


def test_a_photo_that_becomes_visible_is_a_change_of_its_case_but_no_new_version():
    case = make_case(photos=[make_photo()], filed_at=MONDAY)
    clean(case.photos.get().pk, TUESDAY)
    changed = Case.objects.get()
    assert (changed.version, changed.updated_at) == (case.version, TUESDAY)
    # Never backwards, though a photo waited for its job.
    later = make_case(photos=[make_photo()], filed_at=TUESDAY)
    clean(later.photos.get().pk, MONDAY)
    later.refresh_from_db()
    assert later.updated_at == TUESDAY


def test_a_photo_that_cannot_be_drawn_is_refused_and_what_was_sent_stays():
    cut_inside = damaged()
    case = make_case(photos=[BytesIO(cut_inside)])
    run_jobs()
    photo = case.photos.get()
    assert (photo.state, photo.refusal) == (Photo.State.REFUSED, "not-an-image")
    assert content_of(photo.original) == cut_inside
    assert files() == [photo.original]
    assert shown(case) == []
    assert shown(case, own=True) == [photo]
    # For the public nothing has changed.
    assert Case.objects.get().updated_at == case.updated_at


# ── Once ─────────────────────────────────────────────────────────────────────────


def test_a_job_that_runs_again_changes_nothing():
    case = make_case(photos=[make_photo()])
    photo = case.photos.get()
    clean(photo.pk, MONDAY)
    before = everything()
    clean(photo.pk, TUESDAY)
    assert everything() == before


def test_of_two_runs_at_once_the_second_takes_its_own_files_away():
    photo = make_case(photos=[make_photo()], filed_at=MONDAY).photos.get()

    def overtaken(original: Any) -> CleanPhoto:
        clean(photo.pk, MONDAY, cleaner=clean_photo)
        return clean_photo(original)

    clean(photo.pk, TUESDAY, cleaner=overtaken)
    photo.refresh_from_db()
    assert photo.released_at == MONDAY
    assert set(files()) == {photo.original, photo.image, photo.thumbnail}
    assert Case.objects.get().updated_at == MONDAY


def test_a_job_whose_photo_is_gone_does_nothing():
    case = make_case(photos=[make_photo()])
    case.photos.all().delete()
    assert "clean_photo" in run_jobs()
    assert Case.objects.get().updated_at == case.updated_at


def test_a_photo_that_goes_while_it_is_cleaned_leaves_no_picture():
    photo = make_case(photos=[make_photo()]).photos.get()

    def gone(original: Any) -> CleanPhoto:
        Photo.objects.all().delete()
        return clean_photo(original)

    clean(photo.pk, cleaner=gone)
    assert files() == [photo.original]


@pytest.mark.parametrize("error", [CleaningFailed("x"), StorageAway("x")])
def test_what_is_not_the_photos_fault_leaves_it_waiting(error):
    photo = make_case(photos=[make_photo()]).photos.get()

    def failing(original: Any) -> CleanPhoto:
        raise error

    with pytest.raises(type(error)):
        clean(photo.pk, cleaner=failing)
    assert Photo.objects.get().state == Photo.State.RECEIVED
    clean(photo.pk)
    assert Photo.objects.get().state == Photo.State.READY


# ── All or nothing ───────────────────────────────────────────────────────────────


def test_whichever_statement_of_the_job_fails_the_photo_waits_as_it_was():
    photo = make_case(photos=[make_photo()]).photos.get()
    statements = 0
    while True:
        statements += 1
        with failing_at(statements, DataError("injected")) as failed:
            try:
                clean(photo.pk, cleaner=clean_photo)
            except DataError:
                pass
            else:
                break
        assert failed
        photo.refresh_from_db()
        assert photo.state == Photo.State.RECEIVED
        assert files() == [photo.original]
        assert Case.objects.get().updated_at == photo.case.updated_at
    assert not failed
    assert statements > 5


def test_a_connection_lost_while_committing_keeps_the_pictures():
    photo = make_case(photos=[make_photo()]).photos.get()
    with (
        failing_once("RELEASE SAVEPOINT", OperationalError("server closed")),
        pytest.raises(OperationalError),
    ):
        clean(photo.pk, cleaner=clean_photo)
    assert len(files()) == 3


def test_originals_go_again_when_what_they_came_with_is_not_done():
    case = make_case()
    with suppress(ZeroDivisionError), kept([make_photo()] * 2, MONDAY) as originals:
        assert sorted(original.name for original in originals) == files()
        raise ZeroDivisionError
    assert files() == []
    with kept([make_photo()], MONDAY) as originals:
        take_in(case, originals, MONDAY)
    assert waiting_jobs("clean_photo") == [
        ("clean_photo", {"photo": str(case.photos.get().pk)})
    ]


# ── Hostile ──────────────────────────────────────────────────────────────────────


@given(kind=st.sampled_from(sorted(WHOLE)), mutations=MUTATIONS)
@hypothesis_settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_damaged_photo_is_refused_or_drawn_anew_by_the_job(kind, mutations):
    the_damaged(kind, mutations)


@pytest.mark.slow
@given(kind=st.sampled_from(sorted(WHOLE)), mutations=MUTATIONS)
@hypothesis_settings(
    max_examples=200,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_two_hundred_damaged_photos_are_refused_or_drawn_anew(kind, mutations):
    the_damaged(kind, mutations)


def the_damaged(kind: str, mutations: Any) -> None:
    """Past the door, as if that had let in everything: what then becomes of it."""
    content = bytearray(WHOLE[kind])
    for what, where, how in mutations:
        mutate(content, what, where, how)
    note(f"{len(content)} bytes of {kind}")
    photo = received(bytes(content))
    clean(photo.pk)
    photo.refresh_from_db()
    if photo.state == Photo.State.REFUSED:
        assert photo.refusal in {"not-an-image", "image-too-large"}
        return
    assert photo.state == Photo.State.READY
    for name in (photo.image, photo.thumbnail):
        assert not [secret for secret in SECRETS if secret in content_of(name)]


# ── Doubts ───────────────────────────────────────────────────────────────────────


def test_a_photo_that_fits_its_report_raises_no_doubt():
    case = make_case(WEST, photos=[at_place(*WEST)], filed_at=MONDAY)
    run_jobs()
    photo = case.photos.get()
    assert photo.doubts == []
    assert photo.taken_at == datetime(2026, 11, 20, 8, 15, 30, tzinfo=PANAMA)
    assert photo.taken_location is not None
    assert photo.taken_location.coords == pytest.approx(WEST, abs=1e-3)
    case.refresh_from_db()
    assert not case.under_review


@pytest.mark.parametrize(
    ("metres", "doubts"), [(700, []), (1_300, ["taken-elsewhere"])]
)
def test_a_photo_taken_far_from_the_place_is_for_a_person_to_look_at(metres, doubts):
    east = WEST[0] + metres / 110_000, WEST[1]
    case = make_case(WEST, photos=[at_place(*east)], filed_at=MONDAY)
    run_jobs()
    assert case.photos.get().doubts == doubts
    case.refresh_from_db()
    assert case.under_review == bool(doubts)
    assert shown(case)


@pytest.mark.parametrize(("days", "doubts"), [(6, []), (8, ["taken-earlier"])])
def test_a_photo_taken_long_before_is_for_a_person_to_look_at(days, doubts):
    when = f"{MONDAY - timedelta(days=days):%Y:%m:%d %H:%M:%S}"
    photo = taken(when=when, lat=(), lon=())
    case = make_case(photos=[photo], filed_at=MONDAY)
    run_jobs()
    assert case.photos.get().doubts == doubts
    # A report that waited for a signal is as old as its photo.
    waited = MONDAY - timedelta(days=days)
    offline = make_case(photos=[photo], filed_at=MONDAY, captured_at=waited)
    run_jobs()
    assert offline.photos.get().doubts == []


@pytest.mark.parametrize(("year", "doubts"), [(1, []), (9999, ["taken-earlier"])])
def test_the_phones_clock_may_be_at_either_end_of_the_calendar(year, doubts):
    said = datetime(year, 1, 2, 12, tzinfo=PANAMA)
    photo = taken(when="2026:11:20 08:15:30", lat=(), lon=())
    case = make_case(photos=[photo], filed_at=MONDAY, captured_at=said)
    run_jobs()
    assert case.photos.get().doubts == doubts


def test_a_photo_of_the_work_is_compared_with_the_work():
    case = make_case(filed_at=MONDAY - timedelta(days=60))
    step = Transition(Status.RESOLVED, "Listo", photos=[at_place(*EAST)], at=TUESDAY)
    change_status(case, step, by=None, at=TUESDAY)
    run_jobs()
    assert case.photos.get().doubts == ["taken-elsewhere"]


def test_a_photo_that_came_with_another_case_is_for_a_person_to_look_at():
    first = make_case(photos=[saved(scenery(1), "JPEG")])
    run_jobs()
    again = saved(scenery(1).resize((500, 400)), "JPEG", quality=50)
    case = make_case(photos=[again, saved(scenery(2), "JPEG")])
    run_jobs()
    assert sorted(photo.doubts for photo in case.photos.all()) == [[], ["seen-before"]]
    assert first.photos.get().doubts == []


def test_the_same_photo_twice_in_one_case_and_one_long_ago_are_no_doubts():
    scene = saved(scenery(1), "JPEG")
    long_ago = make_case(photos=[scene]).photos.get()
    clean(long_ago.pk)
    Photo.objects.update(added_at=MONDAY - timedelta(days=90))
    case = make_case(photos=[scene, saved(scenery(1), "PNG")])
    run_jobs()
    assert [photo.doubts for photo in case.photos.all()] == [[], []]


# ── Who sees it ──────────────────────────────────────────────────────────────────


def test_where_the_category_says_so_a_person_releases_a_photo_first():
    category = make_category("PRU-09", photos_need_release=True)
    case = make_case(category=category, photos=[make_photo()], filed_at=MONDAY)
    photo = case.photos.get()
    clean(photo.pk, TUESDAY)
    photo.refresh_from_db()
    assert (photo.state, photo.released_at) == (Photo.State.READY, None)
    assert shown(case) == []
    assert shown(case, own=True) == [photo]
    case.refresh_from_db()
    assert case.updated_at == MONDAY

    assert release(photo, TUESDAY)
    assert shown(case) == [photo]
    case.refresh_from_db()
    assert (case.version, case.updated_at) == (1, TUESDAY)
    assert not release(photo)


def test_a_withheld_photo_is_nobodys_but_its_senders_until_it_is_released():
    case = make_case(photos=[make_photo()])
    photo = case.photos.get()
    assert not withhold(photo)  # There is nothing to see yet.
    run_jobs()
    assert withhold(photo, TUESDAY)
    assert not withhold(photo)
    photo.refresh_from_db()
    assert photo.refusal == "withheld"
    assert shown(case) == []
    assert release(photo)
    photo.refresh_from_db()
    assert (photo.refusal, shown(case)) == ("", [photo])


def test_a_picture_of_the_work_is_not_its_reporters_before_it_is_released():
    category = make_category("PRU-09", photos_need_release=True)
    case = make_case(category=category)
    change_status(case, Transition(Status.RESOLVED, photos=[make_photo()]), by=None)
    run_jobs()
    assert shown(case, own=True) == []
    release(case.photos.get())
    assert len(shown(case, own=True)) == 1


def test_a_made_up_photo_is_ready_at_once_and_raises_no_doubts():
    scene = saved(scenery(1), "JPEG")
    make_case(photos=[scene])
    run_jobs()
    case = make_case(photos=[scene], demo=True)
    run_jobs()
    assert case.photos.get().doubts == []


# ── What the tests are made of ────────────────────────────────────────────────────


def content_of(name: str) -> bytes:
    with default_storage.open(name) as file:
        return bytes(file.read())


def damaged() -> bytes:
    """A photo whose outside is whole, and whose pixels are not."""
    noise = bytearray(saved(Image.effect_noise((64, 64), 90), "PNG").getvalue())
    middle = len(noise) // 2
    noise[middle : middle + 40] = bytes(40)
    return bytes(noise)


def received(content: bytes) -> Photo:
    """A photo as if the door had let it in."""
    case = Case.objects.first() or make_case(category=make_category())
    name = photos.new_original(MONDAY)
    keep(name, content)
    return Photo.objects.create(
        case=case,
        size=len(content),
        received=len(content),
        sha256=sha256(content).hexdigest(),
        original=name,
        added_at=MONDAY,
    )


def at_place(lon: float, lat: float) -> BytesIO:
    def parts(value: float) -> tuple[float, float, float]:
        minutes = (abs(value) % 1) * 60
        return float(int(abs(value))), float(int(minutes)), (minutes % 1) * 60

    return taken(
        parts(lat), "N" if lat > 0 else "S", parts(lon), "E" if lon > 0 else "W"
    )


def everything() -> list[Any]:
    tables = (Case, Photo)
    return [list(table.objects.order_by("pk").values()) for table in tables] + [files()]
