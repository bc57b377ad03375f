"""Files and rows that have lost each other: what to throw away, what to tell."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.core.files.storage import default_storage
from django.db import connection
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
NAMED_IN = f"""
    SELECT name, photo FROM ({EVERY_NAME}) named WHERE starts_with(name, %s)
"""  # noqa: S608 - our own words

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
    files = {f"{folder}/{file}" for file in listed(folder)[1]}
    named = named_in(folder)
    for name in files - named.keys():
        if is_old(name, at):
            with storage_errors():
                default_storage.delete(name)
            swept.removed += 1
    for name in named.keys() - files:
        # Stored since the list was made, or the row has gone: neither is a loss.
        if name in named_in(name) and not default_storage.exists(name):
            swept.lost.add(named[name])


def named_in(start: str) -> dict[str, UUID]:
    """The names in rows that begin so, and the photo of each."""
    with connection.cursor() as cursor:
        cursor.execute(NAMED_IN, [start])
        return dict(cursor.fetchall())


def folders_of_rows() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(FOLDERS)
        return {folder for (folder,) in cursor.fetchall()}


def folders_of_files(folder: str = "") -> Iterator[str]:
    for name in listed(folder)[0]:
        path = f"{folder}/{name}" if folder else name
        if OURS.fullmatch(path):
            yield path
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
