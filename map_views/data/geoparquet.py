"""GeoParquet 1.1, with pyarrow: an extra that is not part of the core installation."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

from geo import export
from geo.filters import Filters
from geo.public_fields import BOOLEANS, MOMENTS, NAMES, OF_WITHDRAWALS

ROWS_AT_ONCE = 50_000
GEO = {
    "version": "1.1.0",
    "primary_column": "geometry",
    "columns": {
        "geometry": {
            "encoding": "WKB",
            "geometry_types": ["Point"],
            # Longitude and latitude: OGC:CRS84, which is also what its absence means.
            "edges": "planar",
        }
    },
}


def write(
    filters: Filters,
    limit: int | None,
    path: Path,
    done: Callable[[int], None],
    *,
    english: bool,
) -> int:
    """How many rows were written; `done` is told as they are."""
    # Only who wants this format has it.
    import pyarrow as pa
    from pyarrow import parquet

    schema = schema_of(pa)
    written = 0
    with (
        closing(export.rows(filters, limit, english=english)) as rows,
        parquet.ParquetWriter(path, schema, compression="zstd") as file,
    ):
        while some := list(islice(rows, ROWS_AT_ONCE)):
            columns = zip(*some, strict=True)
            arrays = [
                pa.array(column, field.type)
                for column, field in zip(columns, schema, strict=True)
            ]
            file.write_batch(pa.record_batch(arrays, schema=schema))
            written += len(some)
            done(written)
    return written


def schema_of(pa: Any) -> Any:
    moment = pa.timestamp("us", tz="UTC")
    kinds = dict.fromkeys(BOOLEANS, pa.bool_())
    kinds |= dict.fromkeys(MOMENTS, moment)
    return pa.schema(
        [pa.field("geometry", pa.binary())]
        + [
            pa.field(name, kinds.get(name, pa.string()), nullable=name != "number")
            for name in (*NAMES, *OF_WITHDRAWALS)
        ],
        metadata={"geo": json.dumps(GEO)},
    )
