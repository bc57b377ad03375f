"""A photo's bytes arrive, apart from its report, whole or piece by piece."""

from __future__ import annotations

import base64
import hashlib
from io import BytesIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from PIL import Image

from backend.cases.models import Case, Photo, PhotoPart
from backend.cases.photo_headers import MOST_BYTES
from backend.cases.uploads import MOST_PIECE_BYTES
from tests.backend.cases.failures import files
from tests.backend.cases.test_photo_cleaning import saved, with_size
from tests.backend.cases.test_photo_headers import heic
from tests.factories import make_case, make_category, make_photo
from tests.jobs import run_jobs
from tests.mobile_api.calls import problem_of

PHOTO = saved(Image.effect_noise((300, 200), 90), "JPEG").getvalue()
PIECE = 10_000
assert len(PHOTO) > 2 * PIECE


@pytest.fixture
def case(squares: None) -> Case:
    return make_case(category=make_category())


def test_a_photo_is_sent_whole_and_again_and_is_there_once(phone, case):
    photo_id = uuid4()
    first = put(phone, case, photo_id, PHOTO)
    assert first.status_code == 201
    assert first.json() == {
        "id": str(photo_id),
        "size": len(PHOTO),
        "received": len(PHOTO),
        "state": "received",
        "sha256": hashlib.sha256(PHOTO).hexdigest(),
    }
    again = put(phone, case, photo_id, PHOTO)
    assert (again.status_code, again.json()) == (200, first.json())
    assert again["Idempotent-Replayed"] == "true"
    assert first["Cache-Control"] == again["Cache-Control"] == "no-store"
    photo = case.photos.get()
    assert (photo.pk, bytes_in(photo.original)) == (photo_id, PHOTO)
    assert files() == [photo.original]

    assert run_jobs().count("clean_photo") == 1

    assert asked(phone, case, photo_id)["state"] == "ready"
    again = put(phone, case, photo_id, PHOTO)
    assert (again.status_code, again.json()["state"]) == (200, "ready")
    shown = phone.get(f"/api/v1/cases/{case.number}/").json()["photos"]
    assert [(one["id"], one["state"]) for one in shown] == [(str(photo_id), "ready")]
    assert phone.get(shown[0]["url"]).getvalue().startswith(b"\xff\xd8")


def test_a_photo_is_sent_in_pieces(phone, case):
    photo_id = uuid4()
    assert asked(phone, case, photo_id) == {
        "id": str(photo_id), "size": 0, "received": 0, "state": "uploading",
        "sha256": "",
    }  # fmt: skip
    for start in range(0, len(PHOTO), PIECE):
        end = min(start + PIECE, len(PHOTO))
        answer = put_piece(phone, case, photo_id, PHOTO, start, end)
        assert answer.status_code == (202 if end < len(PHOTO) else 201)
        known = asked(phone, case, photo_id)
        assert known == answer.json()
        assert known["received"] == end
        assert known["state"] == ("uploading" if end < len(PHOTO) else "received")
    photo = case.photos.get()
    assert bytes_in(photo.original) == PHOTO
    assert files() == [photo.original]
    assert not PhotoPart.objects.exists()
    assert run_jobs().count("clean_photo") == 1
    # The last answer was lost, and the phone asks again.
    assert put_piece(phone, case, photo_id, PHOTO, start, end).status_code == 200


def test_a_piece_of_the_largest_size_is_taken_and_no_larger(phone, case):
    content = PHOTO + bytes(2 * MOST_PIECE_BYTES)
    piece = put_piece(phone, case, uuid4(), content, 0, MOST_PIECE_BYTES)
    assert piece.status_code == 202
    larger = put_piece(phone, case, uuid4(), content, 0, MOST_PIECE_BYTES + 1)
    assert problem_of(larger, 413) == "piece-too-large"


@pytest.mark.parametrize("start", [0, 5_000, PIECE - 1, PIECE + 1, 2 * PIECE])
def test_a_piece_that_does_not_follow_is_told_where_to_go_on(phone, case, start):
    photo_id = uuid4()
    put_piece(phone, case, photo_id, PHOTO, 0, PIECE)
    answer = put_piece(phone, case, photo_id, PHOTO, start, start + 100)
    assert problem_of(answer, 409) == "wrong-offset"
    assert answer.json()["received"] == PIECE
    assert asked(phone, case, photo_id)["received"] == PIECE
    assert len(files()) == 1


def test_the_last_piece_alone_is_no_photo(phone, case):
    answer = put_piece(phone, case, uuid4(), PHOTO, PIECE, len(PHOTO))
    assert problem_of(answer, 409) == "wrong-offset"
    assert answer.json()["received"] == 0
    assert files() == []


def test_a_photo_that_arrived_otherwise_than_it_left_begins_anew(phone, case):
    photo_id = uuid4()
    other = bytearray(PHOTO)
    other[PIECE + 10] ^= 1
    put_piece(phone, case, photo_id, PHOTO, 0, PIECE)
    # What is said to be of the same whole is not.
    answer = put_piece(
        phone, case, photo_id, bytes(other), PIECE, len(PHOTO), whole=PHOTO
    )
    assert problem_of(answer, 422) == "digest-mismatch"
    assert answer.json()["received"] == 0
    assert asked(phone, case, photo_id)["received"] == 0
    assert (files(), Photo.objects.count()) == ([], 0)
    assert put(phone, case, photo_id, PHOTO).status_code == 201


def test_a_whole_photo_is_compared_with_its_digest_too(phone, case):
    answer = put(phone, case, uuid4(), PHOTO[:-1] + b"\0", digest=digest(PHOTO))
    assert problem_of(answer, 422) == "digest-mismatch"
    assert files() == []
    assert put(phone, case, uuid4(), PHOTO, digest=digest(PHOTO)).status_code == 201


def test_an_upload_begun_in_pieces_may_end_whole(phone, case):
    photo_id = uuid4()
    put_piece(phone, case, photo_id, PHOTO, 0, PIECE)
    assert put(phone, case, photo_id, PHOTO).status_code == 201
    assert files() == [case.photos.get().original]


@pytest.mark.parametrize("lie", [0, 1])
def test_an_id_is_not_used_for_other_bytes(phone, case, lie):
    photo_id, other = uuid4(), make_photo().getvalue()
    put(phone, case, photo_id, PHOTO)
    before = everything()
    told = digest(PHOTO) if lie else digest(other)
    answer = put(phone, case, photo_id, other + bytes(len(PHOTO) - len(other)), told)
    assert problem_of(answer, 409) == "photo-id-reused"
    answer = put_piece(phone, case, photo_id, other, 0, 100)
    assert problem_of(answer, 409) == "photo-id-reused"
    assert everything() == before


def test_an_id_is_not_used_for_another_report(phone, case):
    photo_id, other = uuid4(), make_case()
    put(phone, other, photo_id, PHOTO)
    assert problem_of(put(phone, case, photo_id, PHOTO), 409) == "photo-id-reused"
    # Nor is anything of it told.
    assert asked(phone, case, photo_id)["size"] == 0


def test_a_report_has_four_photos_however_they_came(phone, squares):
    case = make_case(category=make_category(), photos=[make_photo(), make_photo()])
    assert put(phone, case, uuid4(), PHOTO).status_code == 201
    begun = uuid4()
    assert put_piece(phone, case, begun, PHOTO, 0, PIECE).status_code == 202
    for fifth in (
        put(phone, case, uuid4(), PHOTO),
        put_piece(phone, case, uuid4(), PHOTO, 0, PIECE),
    ):
        assert problem_of(fifth, 422) == "too-many-photos"
    assert put_piece(phone, case, begun, PHOTO, PIECE, len(PHOTO)).status_code == 201
    assert case.photos.count() == 4


@pytest.mark.parametrize("report_id", [uuid4(), "x", "%00", "26-0000123-2"])
def test_who_does_not_know_the_report_gets_nothing(phone, case, report_id):
    address = f"/api/v1/reports/{report_id}/photos/{uuid4()}/"
    assert problem_of(phone.put(address, PHOTO, "image/jpeg"), 404) == "no-such-report"
    assert problem_of(phone.get(address), 404) == "no-such-report"
    assert files() == []


def test_the_reports_of_private_cases_take_photos_too(phone, squares):
    private = make_category("P-1", private=True, precision="none")
    case = make_case(category=private)
    assert put(phone, case, uuid4(), PHOTO).status_code == 201
    run_jobs()
    assert phone.get(f"/api/v1/cases/{case.number}/").status_code == 404
    own = phone.get(f"/api/v1/cases/{case.number}/", headers={"X-Case-Pin": case.pin})
    [shown] = own.json()["photos"]
    assert "?s=" in shown["url"]
    assert phone.get(shown["url"]).getvalue().startswith(b"\xff\xd8")


def test_an_id_may_be_written_in_capitals(phone, case):
    photo_id = uuid4()
    address = f"/api/v1/reports/{str(case.report_id).upper()}/photos/{photo_id}/"
    assert phone.put(address, PHOTO, "image/jpeg").status_code == 201


@pytest.mark.parametrize(
    ("content", "status", "problem"),
    [
        (b"", 422, "not-an-image"),
        (b"hola", 422, "not-an-image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>" * 9, 422, "not-an-image"),
        (PHOTO[: len(PHOTO) // 2], 422, "not-an-image"),
        (with_size("PNG", 100_000, 100_000), 413, "image-too-large"),
        (PHOTO + bytes(MOST_BYTES), 413, "image-too-large"),
    ],
    ids=["nothing", "text", "svg", "half", "giant", "long"],
)
def test_what_is_no_photo_is_refused_and_not_kept(
    phone, case, content, status, problem
):
    assert problem_of(put(phone, case, uuid4(), content), status) == problem
    assert (files(), Photo.objects.count()) == ([], 0)


def test_what_is_no_photo_is_refused_with_its_first_piece_or_its_last(phone, case):
    text = b"<html>" + PHOTO
    first = put_piece(phone, case, uuid4(), text, 0, PIECE)
    assert problem_of(first, 422) == "not-an-image"
    half, photo_id = PHOTO[:-3000], uuid4()
    assert put_piece(phone, case, photo_id, half, 0, PIECE).status_code == 202
    last = put_piece(phone, case, photo_id, half, PIECE, len(half))
    assert problem_of(last, 422) == "not-an-image"
    assert (files(), Photo.objects.count()) == ([], 0)


def test_a_heic_is_refused_with_advice_where_nothing_reads_it(phone, case, monkeypatch):
    monkeypatch.setattr("backend.cases.photo_headers.reads_heic", lambda: False)
    answer = put(phone, case, uuid4(), heic((640, 480)).getvalue())
    assert problem_of(answer, 422) == "not-an-image"
    assert "HEIC" in answer.json()["title"]
    assert "JPEG" in answer.json()["detail"]


@pytest.mark.parametrize(
    "written",
    [
        "bytes 0-99",
        "bytes 0-99/*",
        "bytes */1000",
        "bytes 99-0/1000",
        "bytes 0-1000/1000",
        "bytes 0-99/100000000000",
        "bytes -5-99/1000",
        "bytes \u0660-\u0669/\u0661\u0660",
        "octets 0-99/1000",
        "bytes=0-99/1000",
        "",
        "x" * 3000,
    ],
)
def test_a_range_that_says_nothing_is_refused(phone, case, written):
    answer = put(
        phone, case, uuid4(), PHOTO[:100], digest(PHOTO), **{"Content-Range": written}
    )
    assert problem_of(answer, 400) == "bad-range"


@pytest.mark.parametrize(
    "written",
    [None, "", "sha-256=x", "sha-256=:AAAA:", "md5=:AAAA:", "sha-512=:AA==:"],
)
def test_a_piece_needs_the_digest_of_the_whole(phone, case, written):
    headers = {"Content-Range": f"bytes 0-99/{len(PHOTO)}"}
    answer = put(phone, case, uuid4(), PHOTO[:100], written, **headers)
    assert problem_of(answer, 400) == "bad-range"


@pytest.mark.parametrize("others", ["md5=:AAAA:, {}", "{}, sha-512=:AA==:", "{};q=1"])
def test_the_digest_may_stand_among_others(phone, case, others):
    told = others.format(digest(PHOTO))
    assert put(phone, case, uuid4(), PHOTO, told).status_code == 201


@pytest.mark.parametrize("length", [0, 50, 99, 101, 200])
def test_a_piece_of_another_length_than_it_says_stores_nothing(phone, case, length):
    headers = {"Content-Range": f"bytes 0-99/{len(PHOTO)}"}
    answer = put(phone, case, uuid4(), PHOTO[:length], digest(PHOTO), **headers)
    assert problem_of(answer, 400) in {"cut-short", "bad-range"}
    assert (files(), Photo.objects.count()) == ([], 0)


def test_a_body_that_ends_before_its_length_stores_nothing(phone, case):
    cut = put_stream(phone, case, BytesIO(PHOTO), CONTENT_LENGTH=str(len(PHOTO) + 10))
    assert problem_of(cut, 400) == "cut-short"
    assert files() == []


def test_a_body_that_does_not_say_its_length_is_read_to_its_end(phone, case):
    sent = {"CONTENT_LENGTH": "", "wsgi.input_terminated": True}
    assert put_stream(phone, case, BytesIO(PHOTO), **sent).status_code == 201
    endless = Endless()
    assert (
        problem_of(put_stream(phone, case, endless, **sent), 413) == "image-too-large"
    )
    assert endless.read_so_far < MOST_BYTES + 200_000
    assert problem_of(put_stream(phone, case, Broken(), **sent), 400) == "cut-short"
    assert len(files()) == 1


class Endless(BytesIO):
    read_so_far = 0

    def read(self, size: int | None = -1) -> bytes:
        self.read_so_far += size or 0
        return bytes(size or 0)


class Broken(BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise ConnectionResetError


def test_a_full_disk_asks_to_come_back(phone, case, monkeypatch):
    def full(*_: Any) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("backend.cases.storage.DurableFileSystemStorage._save", full)
    answer = put(phone, case, uuid4(), PHOTO)
    assert problem_of(answer, 503) == "unavailable"
    assert answer["Retry-After"]
    assert "device" not in answer.content.decode()
    monkeypatch.undo()
    assert Photo.objects.count() == 0


@pytest.mark.parametrize("method", ["post", "patch", "delete"])
def test_a_photo_is_only_put_and_asked_about(phone, case, method):
    answer = getattr(phone, method)(address_of(case, uuid4()))
    assert problem_of(answer, 405) == "method-not-allowed"


# ── What the tests are made of ────────────────────────────────────────────────────


def address_of(case: Case, photo_id: UUID) -> str:
    return f"/api/v1/reports/{case.report_id}/photos/{photo_id}/"


def put(
    phone: Client,
    case: Case,
    photo_id: UUID,
    content: bytes,
    digest: str | None = None,
    **headers: str,
) -> Any:
    told = headers if digest is None else {**headers, "Repr-Digest": digest}
    return phone.put(address_of(case, photo_id), content, "image/jpeg", headers=told)


def put_stream(phone: Client, case: Case, stream: BytesIO, **environment: Any) -> Any:
    """As a server hands over a body that it has not read yet."""
    address = address_of(case, uuid4())
    return phone.generic(
        "PUT", address, b"", "image/jpeg", **{"wsgi.input": stream, **environment}
    )


def put_piece(
    phone: Client,
    case: Case,
    photo_id: UUID,
    content: bytes,
    start: int,
    end: int,
    whole: bytes | None = None,
) -> Any:
    size = len(content)
    return put(
        phone,
        case,
        photo_id,
        content[start:end],
        digest(whole or content),
        **{"Content-Range": f"bytes {start}-{end - 1}/{size}"},
    )


def digest(content: bytes) -> str:
    value = base64.b64encode(hashlib.sha256(content).digest()).decode()
    return f"sha-256=:{value}:"


def asked(phone: Client, case: Case, photo_id: UUID) -> Any:
    answer = phone.get(address_of(case, photo_id))
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    return answer.json()


def bytes_in(name: str) -> bytes:
    with default_storage.open(name) as file:
        return bytes(file.read())


def everything() -> list[Any]:
    return [list(Photo.objects.values()), files()]
