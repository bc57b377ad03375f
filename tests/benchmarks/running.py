"""One row after the other, size by size; what fails is said, and the rest goes on."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from http.client import HTTPException
from types import ModuleType

import psycopg
from tqdm import tqdm

from tests.benchmarks import (
    machine,
    p1_filing,
    p2_places,
    p3_heat,
    p4_tiles,
    p5_nearby,
    p6_export,
    p7_photos,
    p8_second_start,
    p9_memory,
)
from tests.benchmarks.bench import Bench, Size
from tests.benchmarks.figures import Result
from tests.benchmarks.phones import Refused
from tests.benchmarks.table import Entry, as_text

ROWS: dict[str, ModuleType] = {
    "P1": p1_filing,
    "P2": p2_places,
    "P3": p3_heat,
    "P4": p4_tiles,
    "P5": p5_nearby,
    "P6": p6_export,
    "P7": p7_photos,
    "P8": p8_second_start,
    "P9": p9_memory,
}
# Where one size says it all: the one that the row is about, or the nearest in the run.
ONE_SIZE = {
    "P2": 1_000_000,
    "P4": 1_000_000,
    "P6": 1_000_000,
    "P7": 10_000,
    "P8": 10_000,
    "P9": 1_000_000,
}
# What can go wrong with a measurement and say nothing of the next one.
FAILURES = (
    AssertionError,
    HTTPException,
    OSError,
    Refused,
    ValueError,
    psycopg.Error,
    subprocess.SubprocessError,
)


def chosen(names: list[str]) -> list[str]:
    """Raises SystemExit for a row that there is not."""
    wanted = [name.upper() for name in names] or list(ROWS)
    unknown = sorted(set(wanted) - ROWS.keys())
    if unknown:
        sys.exit(f"no such row: {', '.join(unknown)} (there are {', '.join(ROWS)})")
    return wanted


def plan(rows: Iterable[str], sizes: list[Size]) -> list[tuple[str, Size]]:
    """Size by size, so that no more than one need be there at a time."""
    return [
        (row, size)
        for size in sorted(sizes, key=lambda size: size.cases)
        for row in rows
        if row not in ONE_SIZE or size is nearest(sizes, ONE_SIZE[row])
    ]


def nearest(sizes: list[Size], cases: int) -> Size:
    return min(sizes, key=lambda size: (abs(size.cases - cases), size.cases))


def entries(bench: Bench, rows: Iterable[str], sizes: list[Size]) -> Iterator[Entry]:
    steps = plan(rows, sizes)
    with tqdm(total=len(steps), desc="bench", disable=None) as progress:
        for row, size in steps:
            progress.set_postfix_str(f"{row} {size.name}")
            yield entry_of(bench, row, size)
            progress.update()


def entry_of(bench: Bench, row: str, size: Size) -> Entry:
    module, failure = ROWS[row], ""
    bench.database(size)  # seeding is no part of what is timed
    before, start = machine.load(), time.monotonic()
    try:
        result = module.measure(bench, size)
    except FAILURES as problem:
        result, failure = Result(), f"{type(problem).__name__}: {str(problem)[:300]}"
    return Entry(
        row=row,
        waits_for=module.WAITS_FOR,
        elsewhere=module.ELSEWHERE,
        size=size.name,
        cases=size.cases,
        at=datetime.now(UTC).isoformat(timespec="minutes"),
        seconds=round(time.monotonic() - start, 1),
        load_before=before,
        load_after=machine.load(),
        result=result,
        failure=failure,
    )


def say(entry: Entry) -> None:
    tqdm.write(as_text(entry) + "\n", file=sys.stdout)
