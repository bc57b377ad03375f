"""A photo from what was sent to what is shown: kept, cleaned by a job, released."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO
from uuid import UUID, uuid4

from django.contrib.gis.geos import Point
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone

from backend.cases.models import Case, Photo, StatusChange
from backend.cases.photo_cleaning import THUMBNAIL_SIDE, CleanPhoto
from backend.cases.photo_doubts import camera_moment, doubts_about
from backend.cases.photo_headers import ImageTooLarge, NotAnImage, looked_at
from backend.cases.photo_process import clean_elsewhere
from backend.cases.review import end_review
from backend.cases.storage import keep, opened, remove
from backend.jobs import enqueue_each

log = logging.getLogger(__name__)
Cleaner = Callable[[BinaryIO], CleanPhoto]

CHUNK = 64 * 1024
ORIGINALS = "originals"
WITHHELD = "withheld"
# A refused photo says so with the type of the problem that the door would have told.
REFUSALS: dict[type[Exception], str] = {
    NotAnImage: "not-an-image",
    ImageTooLarge: "image-too-large",
}


@dataclass(frozen=True)
class Original:
    """What was sent, byte for byte, and where it is kept."""

    name: str
    size: int
    sha256: str


def digest_of(upload: BinaryIO) -> str:
    """SHA-256 of an upload, which is left at its start."""
    upload.seek(0)
    digest = hashlib.sha256()
    while chunk := upload.read(CHUNK):
        digest.update(chunk)
    upload.seek(0)
    return digest.hexdigest()


# ── It arrives ───────────────────────────────────────────────────────────────────


@contextmanager
def kept(uploads: Iterable[BinaryIO], at: datetime) -> Iterator[list[Original]]:
    """Originals in the storage before the rows that name them are committed.

    Their outsides are looked at by then: no decoder runs while somebody waits, or
    where keys are. Raises NotAnImage, ImageTooLarge, StorageAway.
    """
    uploads = list(uploads)
    for upload in uploads:
        looked_at(upload)
    with undone_on_failure() as names:
        originals = []
        for upload in uploads:
            name = new_original(at)
            names.append(name)
            digest, size = digest_of(upload), upload.seek(0, 2)
            upload.seek(0)
            keep(name, upload)
            originals.append(Original(name, size, digest))
        yield originals


@contextmanager
def undone_on_failure() -> Iterator[list[str]]:
    """Files whose names are added here go again if the body fails.

    Not when the connection broke, for the commit may have happened: a file too many is
    better than one too few, and the sweeper finds it.
    """
    names: list[str] = []
    try:
        yield names
    except (OperationalError, InterfaceError):
        raise
    except BaseException:
        remove(*names)
        raise


def new_original(at: datetime) -> str:
    """A name that nobody can guess, and that no door serves."""
    return f"{ORIGINALS}/{at:%Y/%m}/{uuid4()}"


def take_in(
    case: Case,
    originals: Iterable[Original],
    at: datetime,
    change: StatusChange | None = None,
) -> None:
    """The rows of photos that came with a report or a step, and the jobs to clean them.

    To be called in the transaction of what they came with.
    """
    photos = Photo.objects.bulk_create(rows_of(case, originals, at, change))
    ask_to_clean(*(photo.pk for photo in photos))


def rows_of(
    case: Case,
    originals: Iterable[Original],
    at: datetime,
    change: StatusChange | None = None,
) -> list[Photo]:
    """Of photos that are all there, and not stored yet."""
    return [
        Photo(
            case=case,
            change=change,
            state=Photo.State.RECEIVED,
            size=original.size,
            received=original.size,
            sha256=original.sha256,
            original=original.name,
            added_at=at,
        )
        for original in originals
    ]


def ask_to_clean(*photos: UUID) -> None:
    enqueue_each("clean_photo", [{"photo": str(photo)} for photo in photos])


# ── It is cleaned ────────────────────────────────────────────────────────────────


def clean(
    photo_id: UUID, at: datetime | None = None, cleaner: Cleaner = clean_elsewhere
) -> None:
    """Make of an original what can be shown, or refuse it: once, however often asked.

    A photo that is gone, or done with, needs nothing. Raises CleaningFailed,
    StorageAway, FileNotFoundError: then it waits as it was.
    """
    photo = (
        Photo.objects.select_related("case__category", "change")
        .filter(pk=photo_id, state=Photo.State.RECEIVED)
        .first()
    )
    if photo is None:
        return
    at = at or timezone.now()
    try:
        with opened(photo.original) as original:
            made = cleaner(original)
    except (NotAnImage, ImageTooLarge) as refusal:
        refuse(photo, REFUSALS[type(refusal)], at)
    else:
        make_ready(photo, made, at)


def make_ready(photo: Photo, made: CleanPhoto, at: datetime) -> None:
    with undone_on_failure() as names:
        folder, key = f"{at:%Y/%m}", uuid4()
        image, thumbnail = f"{folder}/{key}.jpg", f"{folder}/{key}-{THUMBNAIL_SIDE}.jpg"
        names += [image, thumbnail]
        keep(image, made.image)
        keep(thumbnail, made.thumbnail)
        released_at = None if photo.case.category.photos_need_release else at
        doubts = doubts_about(photo, made, at)
        try:
            with transaction.atomic():
                hold(photo)
                settle(
                    photo,
                    state=Photo.State.READY,
                    image=image,
                    thumbnail=thumbnail,
                    width=made.width,
                    height=made.height,
                    fingerprint=made.fingerprint,
                    taken_at=camera_moment(made),
                    taken_location=made.taken_location
                    and Point(*made.taken_location, srid=4326),
                    doubts=doubts,
                    released_at=released_at,
                )
                if released_at is not None:
                    touch(photo, at)
                if doubts:
                    Case.objects.filter(pk=photo.case_id).update(under_review=True)
        except AlreadySettled:
            remove(image, thumbnail)


def refuse(photo: Photo, why: str, at: datetime) -> None:
    """The original stays for as long as originals are kept, for whoever asks why."""
    try:
        with transaction.atomic():
            hold(photo)
            settle(photo, state=Photo.State.REFUSED, refusal=why)
    except AlreadySettled:
        return


class AlreadySettled(Exception):
    """Another run of the same job was first, or the photo is gone."""


def hold(photo: Photo) -> None:
    """Keep the case from changing until the end of the transaction.

    Before the photo's own row, as everybody does: two that wait for each other never end.
    """
    cases = Case.objects.select_for_update(of=("self",), no_key=True)
    if not cases.filter(pk=photo.case_id).exists():
        raise AlreadySettled


def settle(photo: Photo, **fields: object) -> None:
    waiting = Photo.objects.filter(pk=photo.pk, state=Photo.State.RECEIVED)
    if not waiting.update(**fields):
        raise AlreadySettled


def touch(photo: Photo, at: datetime) -> None:
    """What the public sees of the case has changed; its version counts its history alone.

    Never backwards, or an increment since the last change would miss this one.
    """
    later = Greatest(F("updated_at"), at)
    Case.objects.filter(pk=photo.case_id).update(updated_at=later)


# ── It is shown ──────────────────────────────────────────────────────────────────


def release(photo: Photo, at: datetime | None = None) -> bool:
    """Show a clean photo to whoever may see its case; whether that changed anything."""
    at = at or timezone.now()
    with transaction.atomic():
        hold(photo)
        hidden = Photo.objects.filter(
            pk=photo.pk, state=Photo.State.READY, released_at=None
        )
        changed = hidden.update(released_at=at, refusal="") > 0
        if changed:
            touch(photo, at)
    return changed


def withhold(photo: Photo, at: datetime | None = None) -> bool:
    """Show a photo to nobody, from this moment on; whether that changed anything."""
    at = at or timezone.now()
    with transaction.atomic():
        hold(photo)
        ready = Photo.objects.filter(pk=photo.pk, state=Photo.State.READY)
        changed = (
            ready.exclude(refusal=WITHHELD).update(released_at=None, refusal=WITHHELD)
            > 0
        )
        if changed:
            touch(photo, at)
    return changed


def clear_doubts(photo: Photo) -> bool:
    """A person has looked, and doubts no more; whether that changed anything."""
    with transaction.atomic():
        hold(photo)
        doubted = Photo.objects.filter(pk=photo.pk).exclude(doubts=[])
        changed = doubted.update(doubts=[]) > 0
        if changed:
            end_review(photo.case_id)
    return changed


def shown(case: Case, *, own: bool = False) -> list[Photo]:
    """The photos of a case that its public may see, in the order they came.

    For its reporter (`own`) also those that came from them and are not released, in
    whatever state; never a picture of the work that nobody has released.
    """
    photos = list(case.photos.select_related("case", "change"))
    return [
        photo for photo in photos if photo.is_shown or (own and photo.change_id is None)
    ]
