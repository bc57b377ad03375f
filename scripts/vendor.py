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

ROOT = Path(__file__).resolve().parent.parent
# Each with a lock of its own: what browsers of the public get, and what tests alone use.
SERVED = ROOT / "map_views" / "static" / "vendor"
FOR_TESTS = ROOT / "tests" / "browser" / "vendor"
FOLDER_OF_THE_BUILD = re.compile(r"^(dist|build)/")
# It names a file that nobody needs and that collectstatic would look for.
SOURCE_MAP = re.compile(rb"\n?//# sourceMappingURL=[^\n]*\n?\Z")


@dataclass(frozen=True)
class Library:
    name: str
    version: str
    licence: str
    files: tuple[str, ...]
    home: Path = SERVED

    @property
    def folder(self) -> Path:
        return self.home / f"{self.name}-{self.version}"


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
    Library(
        "leaflet.markercluster",
        "1.5.3",
        "MIT",
        (
            "MIT-LICENCE.txt",
            "dist/leaflet.markercluster.js",
            "dist/MarkerCluster.css",
        ),
    ),
    Library("idb", "8.0.4", "ISC", ("LICENSE", "build/index.js")),
    Library(
        "axe-core",
        "4.14.1",
        "MPL-2.0",
        ("LICENSE", "LICENSE-3RD-PARTY.txt", "axe.min.js"),
        FOR_TESTS,
    ),
)


def main() -> None:
    for home in (SERVED, FOR_TESTS):
        kept_here = [library for library in LIBRARIES if library.home == home]
        lock = [row for library in kept_here for row in refresh(library)]
        text = json.dumps(lock, indent=2) + "\n"
        (home / "vendor.lock").write_text(text, encoding="utf-8")


def refresh(library: Library) -> list[dict[str, str]]:
    """Puts the library's files in place; what vendor.lock says of them."""
    target = library.folder
    shutil.rmtree(target, ignore_errors=True)
    rows = []
    with (
        tempfile.TemporaryDirectory() as folder,
        tarfile.open(packed(library, Path(folder))) as archive,
    ):
        for name in library.files:
            content = SOURCE_MAP.sub(b"\n", member(archive, f"package/{name}"))
            kept = target / FOLDER_OF_THE_BUILD.sub("", name)
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
        "file": str(kept.relative_to(library.home)),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


if __name__ == "__main__":
    main()
