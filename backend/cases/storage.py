"""Files that are on the disk before anyone is told so."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO
from uuid import uuid4

from django.core.files.base import ContentFile, File
from django.core.files.storage import FileSystemStorage, default_storage


class StorageAway(OSError):
    """The place of the files is full, or not reachable."""


def errors_of_storages() -> tuple[type[Exception], ...]:
    """Those of the S3 client too, where one is in use: it is 30 MB of a process."""
    if "botocore.exceptions" not in sys.modules:
        return (OSError,)
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    return (OSError, Boto3Error, BotoCoreError, ClientError)


@contextmanager
def storage_errors() -> Iterator[None]:
    """Whatever the storage's own words are: FileNotFoundError, or StorageAway."""
    try:
        yield
    except (FileNotFoundError, StorageAway):
        raise
    except errors_of_storages() as failure:
        raise StorageAway(str(failure)) from failure


def keep(name: str, content: bytes | BinaryIO) -> None:
    """Store a file under a name that is new; durable when this returns.

    Raises StorageAway.
    """
    file = ContentFile(content) if isinstance(content, bytes) else File(content)
    with storage_errors():
        kept_as = default_storage.save(name, file)
    if kept_as != name:  # another has it: no name of ours is made twice
        remove(kept_as)
        raise FileExistsError(name)


def opened(name: str) -> BinaryIO:
    """Raises FileNotFoundError, StorageAway; so may reading, in the storage's own words."""
    with storage_errors():
        file: BinaryIO = default_storage.open(name)  # type: ignore[assignment]
        return file


def remove(*names: str) -> None:
    """Also of files that are not there. Raises StorageAway."""
    with storage_errors():
        for name in names:
            default_storage.delete(name)


class DurableFileSystemStorage(FileSystemStorage):
    """Django's local storage, with what survives a power cut: fsync, then rename."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # Folders that this process knows to be on the disk in the folder around them.
        self._placed: set[Path] = set()

    def _save(self, name: str, content: File[bytes]) -> str:
        target = Path(self.path(name))
        new_folders = missing_folders(target.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        passing = target.with_name(f".{uuid4().hex}.part")
        try:
            write_durably(passing, content)
            passing.replace(target)
        finally:
            with suppress(FileNotFoundError):
                passing.unlink()
        # Those that were there too: another may have made one, and not come to sync it.
        inside = [path for path in target.parents if path.is_relative_to(self.location)]
        to_place = {*inside, *new_folders} - {Path(self.location), *self._placed}
        to_place |= {*new_folders}
        for folder in {target.parent, *(path.parent for path in to_place)}:
            sync_folder(folder)
        self._placed |= to_place
        return name


def write_durably(path: Path, content: File[bytes]) -> None:
    with path.open("xb") as file:
        for chunk in content.chunks():
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())


def missing_folders(folder: Path) -> list[Path]:
    return [path for path in [folder, *folder.parents] if not path.exists()]


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
