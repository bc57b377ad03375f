"""Files that are on the disk before anyone is told so."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage


class DurableFileSystemStorage(FileSystemStorage):
    """Django's local storage, with what survives a power cut: fsync, then rename."""

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
        # All of them: another thread may have made one, and not come to sync it yet.
        inside = [path for path in target.parents if path.is_relative_to(self.location)]
        for folder in {*inside, *(made.parent for made in new_folders)}:
            sync_folder(folder)
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
