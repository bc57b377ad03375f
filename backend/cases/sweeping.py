"""Files and rows that have lost each other: what to throw away, what to tell."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import QuerySet

from backend.cases.models import Photo
from backend.cases.photos import ORIGINALS
from backend.cases.storage import storage_errors
from backend.cases.uploads import INCOMING, forget

log = logging.getLogger(__name__)

# A file is stored before its row is committed: a young one may have a row in a moment.
ORPHAN_AFTER = timedelta(hours=24)
UNFINISHED_AFTER = timedelta(days=7)
# The folders of ours; nothing else in the storage is looked at.
OURS = re.compile(rf"({ORIGINALS}|{INCOMING}|\d{{4}})(/.*)?")

EVERY_NAME = """
    SELECT unnest(ARRAY[original, image, thumbnail]) AS name, id AS photo
    FROM cases_photo
    UNION ALL SELECT name, photo_id FROM cases_photopart
"""
FOLDERS = f"""
    SELECT DISTINCT regexp_replace(name, '/[^/]*$', '')
    FROM ({EVERY_NAME}) named WHERE name <> ''
"""  # noqa: S608 - our own words
# Not those of the folders inside: they are swept by themselves.
NAMED_IN = f"""
    SELECT name FROM ({EVERY_NAME}) named
    WHERE starts_with(name, %(folder)s || '/')
      AND strpos(substr(name, length(%(folder)s) + 2), '/') = 0
"""  # noqa: S608 - our own words
PHOTOS_OF = f"""
    SELECT photo FROM ({EVERY_NAME}) named WHERE name = ANY(%s)
"""  # noqa: S608 - our own words
BATCH = 1000

Progress = Callable[[list[str]], Iterable[str]]


@dataclass
class Swept:
    """How many files were removed and uploads forgotten; the photos without a file."""

    removed: int = 0
    forgotten: int = 0
    lost: set[UUID] = field(default_factory=set)


def sweep(at: datetime, progress: Progress = iter) -> Swept:
    """Tidy up the storage, as of a moment. Safe at any time, and to repeat."""
    swept = Swept(forgotten=len(forget(unfinished(at))))
    for folder in progress(sorted({*folders_of_files(), *folders_of_rows()})):
        sweep_folder(folder, at, swept)
    for photo in swept.lost:
        log.error("a file of photo %s is lost", photo)
    return swept


def unfinished(at: datetime) -> QuerySet[Photo]:
    return Photo.objects.filter(
        state=Photo.State.UPLOADING, added_at__lt=at - UNFINISHED_AFTER
    )


def sweep_folder(folder: str, at: datetime, swept: Swept) -> None:
    # The files first: a row that is committed meanwhile has its file, and is found.
    nobodys = {f"{folder}/{file}" for file in listed(folder)[1]}
    missing = []
    for name in named_in(folder):
        if name in nobodys:
            nobodys.remove(name)
        else:
            missing.append(name)
    for name in nobodys:
        if is_old(name, at):
            with storage_errors():
                default_storage.delete(name)
            swept.removed += 1
    for start in range(0, len(missing), BATCH):
        swept.lost |= lost(missing[start : start + BATCH])


def lost(names: list[str]) -> set[UUID]:
    """The photos of those that have no file: stored since the list was made is no loss.

    Nor is a row that has gone, and its file after it: rows are looked at last.
    """
    with storage_errors():
        gone = [name for name in names if not default_storage.exists(name)]
    if not gone:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(PHOTOS_OF, [gone])
        return {photo for (photo,) in cursor.fetchall()}


def named_in(folder: str) -> Iterator[str]:
    """The names in rows, a batch at a time: a month may have a million."""
    # Within a transaction, or PostgreSQL would first write the whole answer down.
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(NAMED_IN, {"folder": folder})
        while batch := cursor.fetchmany(BATCH):
            yield from (name for (name,) in batch)


def folders_of_rows() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(FOLDERS)
        return {folder for (folder,) in cursor.fetchall()}


def folders_of_files(folder: str = "") -> Iterator[str]:
    """Those of ours that have files of their own."""
    folders, files = listed(folder)
    if folder and files:
        yield folder
    for name in folders:
        path = f"{folder}/{name}" if folder else name
        if OURS.fullmatch(path):
            yield from folders_of_files(path)


def listed(folder: str) -> tuple[list[str], list[str]]:
    """The folders and the files in a folder, which need not be there."""
    try:
        with storage_errors():
            return default_storage.listdir(folder)
    except FileNotFoundError:
        return [], []


def is_old(name: str, at: datetime) -> bool:
    try:
        with storage_errors():
            stored_at = default_storage.get_modified_time(name)
    except FileNotFoundError:
        return False  # Somebody else's sweep was first.
    return stored_at < at - ORPHAN_AFTER
