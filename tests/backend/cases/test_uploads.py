"""A photo that travels apart from its report, whole or in pieces, however often cut."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import sha256
from io import BytesIO
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import DataError, IntegrityError
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image

from backend.cases import uploads
from backend.cases.deadlines import PANAMA
from backend.cases.models import Case, Photo, PhotoPart
from backend.cases.storage import StorageAway
from backend.cases.uploads import (
    DigestMismatch,
    Piece,
    WrongOffset,
    progress,
    receive,
    whole,
)
from tests.backend.cases.failures import failing_at, files
from tests.backend.cases.test_photo_cleaning import saved
from tests.factories import make_case, make_category
from tests.jobs import waiting_jobs

pytestmark = pytest.mark.django_db

MONDAY = datetime(2026, 11, 23, 10, tzinfo=PANAMA)
PHOTO = saved(Image.effect_noise((120, 90), 90), "JPEG").getvalue()
DIGEST = sha256(PHOTO).hexdigest()
THIRD = len(PHOTO) // 3


@pytest.fixture
def case(squares: None) -> Case:
    return make_case(category=make_category(), filed_at=MONDAY)


def test_a_photo_in_pieces_is_received_with_the_last_and_its_job_waits(case):
    photo_id = uuid4()
    for start, end in ((0, THIRD), (THIRD, 2 * THIRD), (2 * THIRD, len(PHOTO))):
        assert waiting_jobs("clean_photo") == []
        photo = receive(case.report_id, photo_id, piece(start, end), MONDAY).photo
    assert (photo.state, photo.received) == (Photo.State.RECEIVED, len(PHOTO))
    assert photo.original.startswith("originals/2026/11/")
    assert UUID(photo.original.rsplit("/")[-1]) != photo_id
    assert bytes_in(photo.original) == PHOTO
    assert files() == [photo.original]
    assert waiting_jobs("clean_photo") == [("clean_photo", {"photo": str(photo_id)})]


@given(cuts=st.lists(st.integers(0, len(PHOTO)), max_size=6), data=st.data())
@hypothesis_settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_is_sent_in_whatever_order_the_photo_is_whole_or_not_there(
    case, cuts, data
):
    """Against a model: how many bytes are here."""
    Photo.objects.all().delete()
    photo_id, here = uuid4(), 0
    edges = sorted({0, *cuts, len(PHOTO)})
    while here < len(PHOTO):
        start = data.draw(st.sampled_from([here, here, *edges[:-1]]))
        end = data.draw(st.sampled_from([edge for edge in edges if edge > start]))
        if start == here or (start, end) == (0, len(PHOTO)):
            photo = receive(case.report_id, photo_id, piece(start, end)).photo
            here = end
        else:
            with pytest.raises(WrongOffset, match=f"^{here} "):
                receive(case.report_id, photo_id, piece(start, end))
        known = progress(case.report_id, photo_id)
        assert known.received == here
        assert (known.state == "received") == (here == len(PHOTO))
    assert bytes_in(photo.original) == PHOTO
    assert not PhotoPart.objects.exists()


# ── At once ──────────────────────────────────────────────────────────────────────


def test_of_the_same_piece_at_once_one_is_taken(elsewhere):
    met = elsewhere.play("pieces")
    assert met == {
        "first taken": 1, "first WrongOffset": 7,
        "between taken": 1, "between WrongOffset": 7,
        "last taken": 1, "last again": 7,
        "whole taken": 1, "whole again": 7,
    }  # fmt: skip
    assert elsewhere.rows(
        "SELECT state, count(*), sum((received = size)::int) FROM cases_photo p"
        " JOIN cases_case c ON c.id = p.case_id WHERE c.description <> 'muchas fotos'"
        " GROUP BY state ORDER BY state"
    ) == [("received", 2, 2), ("uploading", 2, 0)]
    # Neither a file too many nor a job too many.
    named = elsewhere.rows(
        "SELECT original FROM cases_photo WHERE original <> ''"
        " UNION ALL SELECT name FROM cases_photopart"
    )
    assert elsewhere.files() == {name for (name,) in named}
    assert elsewhere.rows(
        "SELECT args->>'photo' FROM procrastinate_jobs"
        " WHERE task_name = 'clean_photo' ORDER BY 1"
    ) == elsewhere.rows(
        "SELECT id::text FROM cases_photo WHERE state = 'received' ORDER BY 1"
    )


def test_who_finds_the_parts_gone_with_the_other_s_last_piece_hears_it_is_done(
    case, monkeypatch
):
    """It was waited for when the second looked, and whole when it read the parts."""
    receive(case.report_id, photo_id := uuid4(), piece(0, THIRD))
    finish = uploads.finish

    def second(*late: Any) -> uploads.Arrived:
        finish(case, photo_id, piece(THIRD, len(PHOTO)), MONDAY)
        return finish(*late)

    monkeypatch.setattr(uploads, "finish", second)
    arrived = receive(case.report_id, photo_id, piece(THIRD, len(PHOTO)))
    assert (arrived.is_new, arrived.photo.state) == (False, Photo.State.RECEIVED)
    assert files() == [arrived.photo.original]
    assert len(waiting_jobs("clean_photo")) == 1


def test_of_many_photos_at_once_four_are_taken(elsewhere):
    assert elsewhere.play("many_photos") == {"taken": 4, "TooManyPhotos": 4}


# ── All or nothing ───────────────────────────────────────────────────────────────


@pytest.mark.parametrize("error", [DataError, IntegrityError])
@pytest.mark.parametrize("before", [0, 1, 2])
def test_whichever_statement_fails_the_photo_is_as_it_was(case, before, error):
    """With the first piece, with the second, and with the last."""
    photo_id = uuid4()
    edges = [0, THIRD, 2 * THIRD, len(PHOTO)]
    for start, end in list(pairwise(edges))[:before]:
        receive(case.report_id, photo_id, piece(start, end))
    known = everything()
    start, end = edges[before : before + 2]
    statements = 0
    while True:
        statements += 1
        with failing_at(statements, error("injected")) as failed:
            try:
                receive(case.report_id, photo_id, piece(start, end))
            except (error, WrongOffset):
                pass
            else:
                break
        assert failed
        assert everything() == known
    assert not failed
    assert statements > 4
    assert progress(case.report_id, photo_id).received == end


def test_a_piece_that_cannot_be_kept_changes_nothing(case, monkeypatch):
    receive(case.report_id, photo_id := uuid4(), piece(0, THIRD))
    before = everything()

    def full(*_: Any) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("backend.cases.storage.DurableFileSystemStorage._save", full)
    for end in (2 * THIRD, len(PHOTO)):
        with pytest.raises(StorageAway, match="No space"):
            receive(case.report_id, photo_id, piece(THIRD, end))
    assert everything() == before


def test_a_part_whose_file_is_lost_is_an_error_and_not_half_a_photo(case):
    receive(case.report_id, photo_id := uuid4(), piece(0, THIRD))
    default_storage.delete(PhotoPart.objects.get().name)
    with pytest.raises(FileNotFoundError):
        receive(case.report_id, photo_id, piece(THIRD, len(PHOTO)))
    assert Photo.objects.get().state == Photo.State.UPLOADING


def test_a_storage_that_breaks_while_a_part_is_read_is_away(case, monkeypatch):
    receive(case.report_id, photo_id := uuid4(), piece(0, THIRD))
    before = everything()

    def broken(*_: object) -> bytes:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as broken_for_now:
        broken_for_now.setattr(File, "read", broken, raising=False)
        with pytest.raises(StorageAway, match="Input/output"):
            receive(case.report_id, photo_id, piece(THIRD, len(PHOTO)))
    assert everything() == before
    receive(case.report_id, photo_id, piece(THIRD, len(PHOTO)))
    assert bytes_in(Photo.objects.get().original) == PHOTO


def test_a_part_that_was_changed_on_the_disk_makes_no_photo(case):
    receive(case.report_id, photo_id := uuid4(), piece(0, THIRD))
    name = PhotoPart.objects.get().name
    with open(default_storage.path(name), "r+b") as part:
        part.seek(100)
        part.write(b"x")
    with pytest.raises(DigestMismatch):
        receive(case.report_id, photo_id, piece(THIRD, len(PHOTO)))
    assert (Photo.objects.count(), files()) == (0, [])


def test_an_answer_that_was_lost_costs_no_second_photo(case):
    """Files and all were committed; only taking away the parts was cut off."""
    photo_id = uuid4()
    receive(case.report_id, photo_id, piece(0, THIRD))
    last = receive(case.report_id, photo_id, piece(THIRD, len(PHOTO)))
    again = receive(case.report_id, photo_id, piece(THIRD, len(PHOTO)))
    assert (last.is_new, again.is_new) == (True, False)
    assert again.photo == last.photo
    at_once = receive(case.report_id, photo_id, whole(BytesIO(PHOTO), len(PHOTO)))
    assert at_once.photo == last.photo


# ── What is forgotten ────────────────────────────────────────────────────────────


def test_an_upload_that_is_forgotten_leaves_neither_rows_nor_files(case):
    done = receive(case.report_id, uuid4(), whole(BytesIO(PHOTO), len(PHOTO))).photo
    receive(case.report_id, uuid4(), piece(0, THIRD), MONDAY)
    late = MONDAY + timedelta(days=1)
    uploads.forget(Photo.objects.filter(added_at__lt=late, state="uploading"))
    assert list(Photo.objects.all()) == [done]
    assert (files(), PhotoPart.objects.count()) == ([done.original], 0)


# ── What the tests are made of ────────────────────────────────────────────────────


def piece(start: int, end: int) -> Piece:
    content = BytesIO(PHOTO[start:end])
    return Piece(content, start, end - start, len(PHOTO), DIGEST)


def bytes_in(name: str) -> bytes:
    with default_storage.open(name) as file:
        return bytes(file.read())


def everything() -> list[Any]:
    tables = (Photo, PhotoPart)
    rows = [list(table.objects.order_by("pk").values()) for table in tables]
    return [*rows, files(), waiting_jobs()]
