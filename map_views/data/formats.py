"""In which forms the public cases are given away."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from geo import export

LICENCE = "https://creativecommons.org/licenses/by/4.0/"
# In every answer with data: whoever keeps the file can know what they may do with it.
LICENCE_LINK = f'<{LICENCE}>; rel="license"'


@dataclass(frozen=True)
class Format:
    """`stream` makes it while it is sent; without one, a job makes a file of it."""

    extension: str
    name: str
    media_type: str
    # Of the format itself, for catalogues.
    standard: str
    stream: Callable[..., Generator[bytes]] | None = None
    # Its name in the European Union's list of file types, if it is there.
    file_type: str = ""
    # Whether IANA's list has the media type.
    is_registered: bool = True
    # A package that is not part of the core installation.
    needs: str = ""
    # Where not, an increment has those that are public no more beside it.
    holds_rows_without_a_point: bool = True

    @property
    def is_packed(self) -> bool:
        """Whether its files are kept in gzip: what is sent as it is made is text."""
        return self.stream is not None

    @property
    def is_here(self) -> bool:
        return not self.needs or find_spec(self.needs) is not None


FORMATS: dict[str, Format] = {
    form.extension: form
    for form in (
        Format(
            "geojson",
            "GeoJSON",
            "application/geo+json",
            "https://www.rfc-editor.org/rfc/rfc7946",
            export.geojson,
            file_type="GEOJSON",
        ),
        Format(
            "geojsonl",
            "GeoJSONL",
            "application/x-ndjson",
            "https://www.rfc-editor.org/rfc/rfc7946",
            export.geojson_lines,
            is_registered=False,
        ),
        Format(
            "csv",
            "CSV",
            "text/csv; charset=utf-8; header=present",
            "https://www.rfc-editor.org/rfc/rfc4180",
            export.csv,
            file_type="CSV",
        ),
        Format(
            "gpkg",
            "GeoPackage",
            "application/geopackage+sqlite3",
            "https://www.geopackage.org/spec131/",
            file_type="GPKG",
        ),
        Format(
            "fgb",
            "FlatGeobuf",
            "application/flatgeobuf",
            "https://flatgeobuf.org/",
            is_registered=False,
            holds_rows_without_a_point=False,
        ),
        Format(
            "parquet",
            "GeoParquet",
            "application/vnd.apache.parquet",
            "https://geoparquet.org/releases/v1.1.0/",
            file_type="PARQUET",
            needs="pyarrow",
        ),
    )
}


def file_name(form: Format, day: Any = "", what: str = "casos") -> str:
    return f"311-movil-{what}{f'-{day}' if day else ''}.{form.extension}"
