"""Makes a file of the public cases on the disk, of any format."""

from __future__ import annotations

import gzip
import subprocess
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import IO

from geo import export
from geo.filters import Filters
from geo.forms import CSV_HEADER
from geo.public_fields import BOOLEANS, MOMENTS
from map_views.data import geoparquet
from map_views.data.formats import Format

OGR_DRIVERS = {"gpkg": "GPKG", "fgb": "FlatGeobuf"}
LAYER = "casos"
# Hours that no file takes: what hangs is ended.
MOST_SECONDS = 3 * 3600
# What of a file made by ogr2ogr is done once our own table is written. How far GDAL is
# with a table it cannot say.
TABLE_SHARE = 50

Progress = Callable[[int], None]  # takes percents


class NotMade(Exception):
    """The maker said why; the text goes to the log."""


def make(
    form: Format,
    filters: Filters,
    path: Path,
    progress: Progress,
    *,
    english: bool,
    limit: int | None = None,
) -> int:
    """Write the file; how many rows it has. Raises NotMade."""
    if form.extension in OGR_DRIVERS:
        return make_with_ogr(form, filters, limit, path, progress, english=english)
    done = share_of(export.count(filters, limit), 100, progress)
    if form.extension == "parquet":
        return geoparquet.write(filters, limit, path, done, english=english)
    if form.stream is None:
        raise NotMade(f"nobody makes {form.extension}")
    return make_text(form, form.stream(filters, limit, english=english), path, done)


def make_text(
    form: Format, pieces: Generator[bytes], path: Path, done: Progress
) -> int:
    """What is streamed at other times, compressed."""
    with gzip.open(path, "wb", compresslevel=6) as file:
        lines = write_lines(pieces, file, done)
    # The line of the header; and in GeoJSON the two that are not of features.
    return lines - {"csv": 1, "geojson": 2, "geojsonl": 0}[form.extension]


def make_with_ogr(
    form: Format,
    filters: Filters,
    limit: int | None,
    path: Path,
    progress: Progress,
    *,
    english: bool,
) -> int:
    """GDAL reads a table of ours: it needs to know nothing of the database."""
    table = path.with_name("casos.csv")
    # GDAL leaves out, without a word, what the format does not hold.
    all_of_them = form.holds_rows_without_a_point
    total = export.count(filters, limit, with_withdrawals=all_of_them)
    pieces = export.csv(
        filters, limit, english=english, safe=False, with_withdrawals=all_of_them
    )
    with table.open("wb") as file:
        done = share_of(total, TABLE_SHARE, progress)
        rows = write_lines(pieces, file, done) - 1
    # The types do not depend on what happens to be in the rows.
    table.with_suffix(".csvt").write_text(",".join(csvt_types()))
    run_ogr(
        [
            *("ogr2ogr", "-f", OGR_DRIVERS[form.extension]),
            *("-a_srs", "EPSG:4326", "-nln", LAYER, "-nlt", "POINT"),
            *("-oo", "X_POSSIBLE_NAMES=longitude", "-oo", "Y_POSSIBLE_NAMES=latitude"),
            *("-oo", "KEEP_GEOM_COLUMNS=NO", "-oo", "EMPTY_STRING_AS_NULL=YES"),
            *(str(path), str(table)),
        ]
    )
    table.unlink()
    return rows


def csvt_types() -> list[str]:
    kinds = {"longitude": "CoordX", "latitude": "CoordY"}
    kinds |= dict.fromkeys(BOOLEANS, "Integer(Boolean)")
    kinds |= dict.fromkeys(MOMENTS, "DateTime")
    return [f'"{kinds.get(name, "String")}"' for name in CSV_HEADER]


def run_ogr(command: list[str]) -> None:
    """Raises NotMade, also when it only warns: a file with a doubt is not given out."""
    try:
        done = subprocess.run(  # noqa: S603 - our own words
            command, capture_output=True, check=False, timeout=MOST_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as failure:
        raise NotMade(str(failure)) from failure
    if done.returncode or done.stderr:
        said = done.stderr[:2000].decode(errors="replace")
        raise NotMade(f"{command[0]} ended with {done.returncode}: {said}")


def write_lines(
    pieces: Generator[bytes], file: IO[bytes] | gzip.GzipFile, done: Progress
) -> int:
    lines = 0
    with closing(pieces):
        for piece in pieces:
            file.write(piece)
            lines += piece.count(b"\n")
            done(lines)
    return lines


def share_of(total: int, share: int, progress: Progress) -> Progress:
    """Takes how many rows are done, and tells how many percent that is."""
    return lambda rows: progress(min(rows * share // max(total, 1), share))
