"""A photo that travels apart from its report, whole or in pieces, however often cut.

What is acknowledged is durable: a piece is a file before its row is committed, and the
last one is never a piece of its own: with it the whole is put together, its digest
compared, and the photo is received in one transaction, or begins anew.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from backend.cases.models import Case, Photo, PhotoPart
from backend.cases.photo_headers import (
    MOST_BYTES,
    MOST_PHOTOS,
    TELLING,
    ImageTooLarge,
    NotAnImage,
    format_of,
    looked_at,
)
from backend.cases.photos import (
    ask_to_clean,
    digest_of,
    new_original,
    undone_on_failure,
)
from backend.cases.storage import keep, opened, remove, storage_errors

INCOMING = "incoming"
MOST_PIECE_BYTES = 512 * 1024
IN_MEMORY_BYTES = 1024 * 1024


class NoSuchReport(Exception):
    """No report with this id has been filed, or who filed it has been forgotten."""


class PhotoIdReused(Exception):
    """This id has been used for other bytes."""


class TooManyPhotos(Exception):
    """The report has as many photos as one may have."""


class DigestMismatch(Exception):
    """What arrived is not what was to be sent; nothing of it is kept."""


class WrongOffset(Exception):
    """This piece does not begin where the photo ends so far: after `received` bytes."""

    def __init__(self, received: int) -> None:
        super().__init__(f"{received} bytes are here")
        self.received = received


@dataclass(frozen=True)
class Piece:
    """The bytes of a photo from `start` on; `size` and `sha256` are of the whole.

    `is_checked` says that the digest was made here, of these bytes.
    """

    content: BinaryIO
    start: int
    length: int
    size: int
    sha256: str
    is_checked: bool = False

    @property
    def is_last(self) -> bool:
        return self.start + self.length == self.size

    @property
    def is_whole(self) -> bool:
        return self.length == self.size


@dataclass(frozen=True)
class Arrived:
    photo: Photo
    is_new: bool


def whole(content: BinaryIO, length: int, sha256: str | None = None) -> Piece:
    """A photo in one piece; its digest is what was sent with it, or what it is."""
    if sha256:
        return Piece(content, 0, length, length, sha256)
    return Piece(content, 0, length, length, digest_of(content), is_checked=True)


def progress(report_id: UUID, photo_id: UUID) -> Photo:
    """What is here of a photo, perhaps nothing. Raises NoSuchReport."""
    case = case_of(report_id)
    found = Photo.objects.filter(pk=photo_id, case=case, change=None).first()
    return found or Photo(pk=photo_id, case=case, state=Photo.State.UPLOADING)


def receive(
    report_id: UUID, photo_id: UUID, piece: Piece, at: datetime | None = None
) -> Arrived:
    """Take a piece of a photo, once however often it is sent.

    Raises NoSuchReport, PhotoIdReused, TooManyPhotos, WrongOffset, DigestMismatch,
    NotAnImage, ImageTooLarge, StorageAway.
    """
    case = case_of(report_id)
    at = at or timezone.now()
    photo = Photo.objects.filter(pk=photo_id).first()
    if photo is None:
        refuse_at_the_door(case, piece)
    else:
        refuse_another(photo, case, piece)
        if photo.state != Photo.State.UPLOADING:
            return as_before(photo, piece)
    here = photo.received if photo else 0
    if piece.start != here and not piece.is_whole:
        raise WrongOffset(here)
    take = finish if piece.is_last else add
    try:
        return take(case, photo_id, piece, at)
    except (IntegrityError, Overtaken) as overtaken:
        return after_the_other(case, photo_id, piece, overtaken)


class Overtaken(Exception):
    """Another piece of the same photo came meanwhile."""


def case_of(report_id: UUID) -> Case:
    try:
        return Case.objects.get(report_id=report_id, forgotten_at=None)
    except Case.DoesNotExist as nothing:
        raise NoSuchReport from nothing


def refuse_at_the_door(case: Case, piece: Piece) -> None:
    if piece.size > MOST_BYTES:
        raise ImageTooLarge
    if piece.start == 0 and piece.length >= TELLING:
        format_of(piece.content.read(TELLING))
        piece.content.seek(0)
    refuse_a_fifth(case)


def refuse_a_fifth(case: Case) -> None:
    if case.photos.filter(change=None).count() >= MOST_PHOTOS:
        raise TooManyPhotos


def refuse_another(photo: Photo, case: Case, piece: Piece) -> None:
    mine = photo.case_id == case.pk and photo.change_id is None
    if not mine or (photo.size, photo.sha256) != (piece.size, piece.sha256):
        raise PhotoIdReused


def as_before(photo: Photo, piece: Piece) -> Arrived:
    if piece.is_whole and digest_of(piece.content) != photo.sha256:
        raise PhotoIdReused
    return Arrived(photo, is_new=False)


def after_the_other(
    case: Case, photo_id: UUID, piece: Piece, overtaken: Exception
) -> Arrived:
    """The answer to who came second: what the first has made of it."""
    photo = Photo.objects.filter(pk=photo_id).first()
    if photo is None:
        if isinstance(overtaken, IntegrityError):
            raise overtaken
        raise WrongOffset(0)
    refuse_another(photo, case, piece)
    if photo.state == Photo.State.UPLOADING:
        raise WrongOffset(photo.received)
    return as_before(photo, piece)


def add(case: Case, photo_id: UUID, piece: Piece, at: datetime) -> Arrived:
    """A piece that is not the last one."""
    with undone_on_failure() as names:
        name = f"{INCOMING}/{uuid4()}"
        names.append(name)
        keep(name, piece.content)
        with transaction.atomic():
            if piece.start == 0:
                photo = begin(case, photo_id, piece, at)
            else:
                photo = advance(photo_id, piece)
            photo.parts.create(offset=piece.start, size=piece.length, name=name)
    return Arrived(photo, is_new=True)


def begin(case: Case, photo_id: UUID, piece: Piece, at: datetime) -> Photo:
    # Or two that come at once would both be the fourth.
    held = Case.objects.select_for_update(no_key=True).get(pk=case.pk)
    if held.forgotten_at:  # just now: nothing of the person comes back
        raise NoSuchReport
    refuse_a_fifth(held)
    return Photo.objects.create(
        pk=photo_id,
        case=held,
        state=Photo.State.UPLOADING,
        size=piece.size,
        received=piece.length,
        sha256=piece.sha256,
        added_at=at,
    )


def advance(photo_id: UUID, piece: Piece) -> Photo:
    """Raises Overtaken if the photo no longer ends where the piece begins."""
    ends_there = Photo.objects.filter(
        pk=photo_id, state=Photo.State.UPLOADING, received=piece.start
    )
    if not ends_there.update(received=piece.start + piece.length):
        raise Overtaken
    return Photo.objects.get(pk=photo_id)


def finish(case: Case, photo_id: UUID, piece: Piece, at: datetime) -> Arrived:
    """The last piece, or the only one: what came before it and it are the photo."""
    parts = list(PhotoPart.objects.filter(photo=photo_id)) if piece.start else []
    if sum(part.size for part in parts) != piece.start:
        raise Overtaken  # The photo is whole, or forgotten, since it was looked at.
    with put_together(parts, piece) as original:
        check(original, photo_id, piece)
        with undone_on_failure() as names:
            name = new_original(at)
            names.append(name)
            keep(name, original)
            with transaction.atomic():
                photo, obsolete = complete(case, photo_id, piece, name, at)
                ask_to_clean(photo.pk)
    remove(*obsolete)
    return Arrived(photo, is_new=True)


@contextmanager
def put_together(parts: list[PhotoPart], piece: Piece) -> Iterator[BinaryIO]:
    """The whole, left at its start.

    Raises Overtaken if a part has gone meanwhile, StorageAway.
    """
    if piece.is_whole:
        piece.content.seek(0)
        yield piece.content
        return
    with SpooledTemporaryFile(max_size=IN_MEMORY_BYTES) as spooled:
        file = cast(BinaryIO, spooled)
        for part in parts:
            try:
                # An S3 sends nothing before it is read.
                with storage_errors(), opened(part.name) as content:
                    shutil.copyfileobj(content, file)
            except FileNotFoundError as gone:
                raise gone_or_lost(part)(part.pk) from gone
        shutil.copyfileobj(piece.content, file)
        file.seek(0)
        yield file


def gone_or_lost(part: PhotoPart) -> Callable[..., Exception]:
    still = PhotoPart.objects.filter(pk=part.pk).exists()
    return FileNotFoundError if still else Overtaken


def check(original: BinaryIO, photo_id: UUID, piece: Piece) -> None:
    """Raises DigestMismatch, NotAnImage, ImageTooLarge; then nothing of it is kept."""
    try:
        if original.seek(0, 2) != piece.size:
            raise DigestMismatch
        if not piece.is_checked and digest_of(original) != piece.sha256:
            raise DigestMismatch
        looked_at(original)
    except (DigestMismatch, NotAnImage, ImageTooLarge):
        forget(Photo.objects.filter(pk=photo_id, state=Photo.State.UPLOADING))
        raise


def complete(
    case: Case, photo_id: UUID, piece: Piece, original: str, at: datetime
) -> tuple[Photo, list[str]]:
    """The photo as received, and the files of the parts that it no longer needs."""
    photo = Photo.objects.select_for_update(no_key=True).filter(pk=photo_id).first()
    if photo is None:
        if piece.start:
            raise Overtaken
        photo = begin(case, photo_id, piece, at)
    elif not waits_for(photo, piece):
        raise Overtaken
    obsolete = list(photo.parts.values_list("name", flat=True))
    photo.parts.all().delete()
    photo.state = Photo.State.RECEIVED
    photo.received = photo.size
    photo.original = original
    photo.save(update_fields=["state", "received", "original"])
    return photo, obsolete


def waits_for(photo: Photo, piece: Piece) -> bool:
    fits = piece.is_whole or photo.received == piece.start
    return fits and photo.state == Photo.State.UPLOADING


def forget(photos: QuerySet[Photo]) -> list[UUID]:
    """Take away uploads and then their files; a file too many is swept up one day."""
    with transaction.atomic():
        found = list(photos.select_for_update().values_list("pk", flat=True))
        parts = PhotoPart.objects.filter(photo__in=found)
        names = list(parts.values_list("name", flat=True))
        Photo.objects.filter(pk__in=found).delete()
    remove(*names)
    return found
