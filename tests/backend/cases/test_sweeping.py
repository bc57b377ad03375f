"""Files and rows that have lost each other."""

from __future__ import annotations

import json
import os
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django import app

from backend.cases import sweeping
from backend.cases.deadlines import PANAMA
from backend.cases.models import Case, Photo, PhotoPart
from backend.cases.storage import DurableFileSystemStorage, keep
from backend.cases.sweeping import ORPHAN_AFTER, UNFINISHED_AFTER, sweep
from backend.cases.uploads import receive, whole
from tests.backend.cases.failures import files
from tests.backend.cases.test_uploads import PHOTO, THIRD, piece
from tests.factories import make_case, make_category, make_photo
from tests.jobs import run_jobs

NOW = datetime(2026, 11, 24, 3, tzinfo=PANAMA)
LONG_AGO = NOW - timedelta(days=30)


@pytest.fixture
def case(squares: None) -> Case:
    """With a photo of every kind: ready, received, refused and arriving."""
    case = make_case(category=make_category(), photos=[make_photo()], filed_at=LONG_AGO)
    run_jobs()
    receive(case.report_id, uuid4(), whole(BytesIO(PHOTO), len(PHOTO)), NOW)
    receive(case.report_id, uuid4(), piece(0, THIRD), NOW)
    age(NOW - 2 * ORPHAN_AFTER)
    return case


def test_what_belongs_to_nobody_is_removed_and_nothing_else(case):
    named = files()
    orphans = [
        f"originals/2026/11/{uuid4()}",
        f"incoming/{uuid4()}",
        f"2026/11/{uuid4()}.jpg",
        f"2026/11/.{uuid4().hex}.part",
        "originals/2019/01/x",
    ]
    for name in orphans:
        keep(name, b"nobody's")
    age(NOW - ORPHAN_AFTER - timedelta(minutes=1))
    swept = sweep(NOW)
    assert (swept.removed, swept.forgotten, swept.lost) == (5, 0, set())
    assert files() == named
    assert sweep(NOW).removed == 0


def test_a_young_file_may_have_a_row_in_a_moment(case):
    keep(f"originals/2026/11/{uuid4()}", b"just stored")
    age(NOW - ORPHAN_AFTER + timedelta(minutes=1))
    assert sweep(NOW).removed == 0
    assert sweep(NOW + timedelta(minutes=2)).removed == 1


def test_other_things_in_the_storage_are_left_alone(case):
    keep("copias/base.dump", b"somebody's")
    keep("2026.txt", b"somebody's")
    age(LONG_AGO)
    assert sweep(NOW).removed == 0


def test_an_upload_that_was_never_finished_is_forgotten_after_a_week(case):
    just = NOW + UNFINISHED_AFTER
    assert sweep(just).forgotten == 0
    assert sweep(just + timedelta(seconds=1)).forgotten == 1
    assert not PhotoPart.objects.exists()
    assert not Photo.objects.filter(state=Photo.State.UPLOADING).exists()
    assert not [name for name in files() if name.startswith("incoming")]
    assert Photo.objects.count() == 2


@pytest.mark.parametrize("kind", ["original", "image", "thumbnail"])
def test_a_photo_without_its_file_is_told_to_the_log_and_kept(case, kind, caplog):
    photo = Photo.objects.get(state=Photo.State.READY)
    default_storage.delete(getattr(photo, kind))
    swept = sweep(NOW)
    assert swept.lost == {photo.pk}
    assert str(photo.pk) in caplog.text
    assert str(case.report_id) not in caplog.text
    assert Photo.objects.filter(pk=photo.pk).exists()


def test_a_whole_folder_that_is_lost_is_noticed(case):
    part = PhotoPart.objects.get()
    for name in files():
        if name.startswith("incoming"):
            default_storage.delete(name)
    (Path(default_storage.path("")) / "incoming").rmdir()
    assert sweep(NOW).lost == {part.photo_id}


def test_a_file_beside_folders_is_swept_too(case):
    keep("2026/suelto.jpg", b"nobody's")
    keep("originals/suelto", b"nobody's")
    age(LONG_AGO)
    assert sweep(NOW).removed == 2


def test_many_lost_files_are_all_noticed(case, monkeypatch):
    monkeypatch.setattr(sweeping, "BATCH", 2)
    photos = add_photos(case, 5)
    for photo in photos:
        default_storage.delete(photo.original)
    assert sweep(NOW).lost == {photo.pk for photo in photos}


def test_it_asks_once_for_a_folder_and_not_for_each_photo(case, monkeypatch):
    add_photos(case, 2)
    with CaptureQueriesContext(connection) as few:
        sweep(NOW)
    add_photos(case, 20)
    asked: list[str] = []
    monkeypatch.setattr(
        DurableFileSystemStorage, "exists", lambda _, n: asked.append(n)
    )
    with CaptureQueriesContext(connection) as many:
        assert sweep(NOW).lost == set()
    assert len(many) == len(few)
    assert asked == []


def test_an_empty_service_has_nothing_to_sweep(db):
    assert sweep(NOW).removed == 0


def test_the_worker_sweeps_every_night(case):
    keep(f"incoming/{uuid4()}", b"nobody's")
    age(NOW)
    before = len(files())
    app.tasks["sweep_files"](timestamp=int(NOW.timestamp()))
    assert len(files()) == before
    later = NOW + ORPHAN_AFTER + timedelta(minutes=1)
    app.tasks["sweep_files"](timestamp=int(later.timestamp()))
    assert len(files()) == before - 1


def test_the_second_night_waits_for_a_sweep_that_is_still_going_on(db):
    begun = []
    for night in (1, 2):
        app.tasks["sweep_files"].defer(timestamp=night)
        with connection.cursor() as cursor:
            cursor.execute("SELECT args FROM procrastinate_fetch_job_v2(NULL, NULL)")
            begun += cursor.fetchall()
    assert [json.loads(args) for (args,) in begun if args] == [{"timestamp": 1}]


def test_an_operator_sweeps_when_they_like(case, capsys, time_machine):
    time_machine.move_to(NOW)
    keep(f"incoming/{uuid4()}", b"nobody's")
    age(LONG_AGO)
    call_command("sweep_files")
    assert "1 archivos sueltos quitados, 0 envíos" in capsys.readouterr().out
    photo = Photo.objects.get(state=Photo.State.READY)
    default_storage.delete(photo.image)
    with pytest.raises(CommandError, match="1 foto"):
        call_command("sweep_files")
    assert str(photo.pk) in capsys.readouterr().out


def add_photos(case: Case, number: int) -> list[Photo]:
    photos = [
        Photo(
            case=case,
            state=Photo.State.REFUSED,
            original=f"originals/2026/11/{uuid4()}",
            added_at=LONG_AGO,
        )
        for _ in range(number)
    ]
    for photo in photos:
        keep(photo.original, b"somebody's")
    return Photo.objects.bulk_create(photos)


def age(moment: datetime) -> None:
    """As if all files had been stored then."""
    for name in files():
        os.utime(default_storage.path(name), (moment.timestamp(),) * 2)
