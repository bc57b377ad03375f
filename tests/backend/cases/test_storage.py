"""Files that are on the disk before anyone is told so."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from django.core.files.base import ContentFile

from backend.cases.storage import DurableFileSystemStorage, keep, opened
from tests.backend.cases.failures import files


def test_a_file_is_kept_and_read_again(tmp_path):
    storage = DurableFileSystemStorage(tmp_path)
    name = storage.save("2026/11/hueco.jpg", ContentFile(b"pixels"))
    assert name == "2026/11/hueco.jpg"
    with storage.open(name) as file:
        assert file.read() == b"pixels"
    assert files_in(tmp_path) == ["2026/11/hueco.jpg"]


def test_all_is_synced_before_the_name_is_there_and_the_name_before_it_returns(
    tmp_path, monkeypatch
):
    target = tmp_path / "media" / "2026" / "11" / "hueco.jpg"
    synced = []

    def watched(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            assert target.read_bytes() == b"pixels"
        else:
            assert path.read_bytes() == b"pixels"
            assert not target.exists()
            assert path.parent == target.parent  # a rename within one file system
        synced.append(path)

    monkeypatch.setattr(os, "fsync", watched)
    DurableFileSystemStorage(tmp_path / "media").save(
        "2026/11/hueco.jpg", ContentFile(b"pixels")
    )
    file, *folders = synced
    assert file.suffix == ".part"
    # Every folder that was made, and the one that holds the first of them.
    assert set(folders) == {target.parents[depth] for depth in range(4)}


def test_folders_that_are_there_are_synced_too(tmp_path, monkeypatch):
    """Another thread may have made them, and not come to sync them yet."""
    (tmp_path / "2026" / "11").mkdir(parents=True)
    synced = []
    monkeypatch.setattr(
        os, "fsync", lambda fd: synced.append(Path(os.readlink(f"/proc/self/fd/{fd}")))
    )
    DurableFileSystemStorage(tmp_path).save("2026/11/hueco.jpg", ContentFile(b"pixels"))
    assert {tmp_path, tmp_path / "2026", tmp_path / "2026" / "11"} < set(synced)


def test_once_a_folder_is_in_its_place_only_the_file_and_its_folder_are_synced(
    tmp_path, monkeypatch
):
    storage = DurableFileSystemStorage(tmp_path)
    storage.save("2026/11/hueco.jpg", ContentFile(b"pixels"))
    synced = []
    monkeypatch.setattr(
        os, "fsync", lambda fd: synced.append(Path(os.readlink(f"/proc/self/fd/{fd}")))
    )
    storage.save("2026/11/poste.jpg", ContentFile(b"pixels"))
    assert [path.suffix for path in synced] == [".part", ""]
    assert synced[1] == tmp_path / "2026" / "11"
    del synced[:]
    storage.save("2026/12/poste.jpg", ContentFile(b"pixels"))
    assert set(synced[1:]) == {tmp_path / "2026" / "12", tmp_path / "2026"}


@pytest.mark.parametrize("failing", ["fsync", "write"])
def test_a_file_that_could_not_be_kept_leaves_nothing(failing, tmp_path, monkeypatch):
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    class Torn(ContentFile):  # type: ignore[type-arg]
        def chunks(self, chunk_size=None):
            yield b"half"
            raise OSError(28, "No space left on device")

    content = ContentFile(b"pixels")
    if failing == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    else:
        content = Torn(b"pixels")
    with pytest.raises(OSError, match="No space"):
        DurableFileSystemStorage(tmp_path).save("2026/11/hueco.jpg", content)
    assert files_in(tmp_path) == []


def test_a_name_that_another_has_leaves_that_file_and_no_second_one():
    keep("2026/11/hueco.jpg", b"pixels")
    with pytest.raises(FileExistsError, match=r"hueco\.jpg"):
        keep("2026/11/hueco.jpg", b"others")
    assert files() == ["2026/11/hueco.jpg"]
    with opened("2026/11/hueco.jpg") as file:
        assert file.read() == b"pixels"


def test_a_name_cannot_lead_out_of_the_folder(tmp_path):
    from django.core.exceptions import SuspiciousFileOperation

    storage = DurableFileSystemStorage(tmp_path / "media")
    with pytest.raises(SuspiciousFileOperation):
        storage.save("../outside.jpg", ContentFile(b"pixels"))
    assert files_in(tmp_path) == []


def files_in(folder: Path) -> list[str]:
    paths = folder.rglob("*")
    return [str(path.relative_to(folder)) for path in paths if path.is_file()]
