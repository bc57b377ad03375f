#!/usr/bin/env python3
"""Refreshes the browser libraries that are served from here (for maintainers).

    python scripts/vendor.py

Takes them from the npm registry by name with `npm pack`, keeps only the files named
below, and writes what they are into `vendor.lock`, which a test checks again. To take a
newer version: change it here, run this, look at the pages.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

VENDOR = Path(__file__).resolve().parent.parent / "map_views" / "static" / "vendor"
LOCK = VENDOR / "vendor.lock"
# It names a file that nobody needs and that collectstatic would look for.
SOURCE_MAP = re.compile(rb"\n?//# sourceMappingURL=[^\n]*\n?\Z")


@dataclass(frozen=True)
class Library:
    name: str
    version: str
    licence: str
    files: tuple[str, ...]

    @property
    def folder(self) -> str:
        return f"{self.name}-{self.version}"


LIBRARIES = (
    Library(
        "leaflet",
        "1.9.4",
        "BSD-2-Clause",
        (
            "LICENSE",
            "dist/leaflet.js",
            "dist/leaflet.css",
            "dist/images/layers.png",
            "dist/images/layers-2x.png",
            "dist/images/marker-icon.png",
        ),
    ),
    Library(
        "leaflet.heat", "0.2.0", "BSD-2-Clause", ("LICENSE", "dist/leaflet-heat.js")
    ),
)


def main() -> None:
    lock = [row for library in LIBRARIES for row in refresh(library)]
    LOCK.write_text(json.dumps(lock, indent=2) + "\n", encoding="utf-8")


def refresh(library: Library) -> list[dict[str, str]]:
    """Puts the library's files in place; what vendor.lock says of them."""
    target = VENDOR / library.folder
    shutil.rmtree(target, ignore_errors=True)
    rows = []
    with (
        tempfile.TemporaryDirectory() as folder,
        tarfile.open(packed(library, Path(folder))) as archive,
    ):
        for name in library.files:
            content = SOURCE_MAP.sub(b"\n", member(archive, f"package/{name}"))
            kept = target / name.removeprefix("dist/")
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(content)
            rows.append(lock_row(library, kept, content))
    return rows


def packed(library: Library, folder: Path) -> Path:
    wanted = f"{library.name}@{library.version}"
    done = subprocess.run(  # noqa: S603 - names from the list above, no shell
        ["npm", "pack", wanted, "--json", "--pack-destination", str(folder)],  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
    )
    (package,) = json.loads(done.stdout)
    return folder / str(package["filename"])


def member(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    if file is None:
        raise FileNotFoundError(name)
    return file.read()


def lock_row(library: Library, kept: Path, content: bytes) -> dict[str, str]:
    return {
        "name": library.name,
        "version": library.version,
        "licence": library.licence,
        "file": str(kept.relative_to(VENDOR)),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


if __name__ == "__main__":
    main()
