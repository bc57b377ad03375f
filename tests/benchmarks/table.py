"""What was measured, kept row by row, printed and written down for people."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.figures import Result, Target, result_from
from tests.benchmarks.machine import Machine


@dataclass
class Entry:
    """A row at a size: what it found, or why it could not be measured."""

    row: str
    waits_for: str
    elsewhere: str
    size: str
    cases: int
    at: str
    seconds: float
    load_before: float
    load_after: float
    result: Result
    failure: str = ""


class Table:
    """Entries by row and size in a JSON file; a row that is measured again replaces its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.machine: dict[str, Any] = {}
        self.entries: dict[tuple[str, int], Entry] = {}
        if path.exists():
            self._read()

    def put(self, entry: Entry) -> None:
        self.entries[entry.row, entry.cases] = entry

    def save(self, machine: Machine) -> None:
        self.machine = machine._asdict()
        entries = [asdict(self.entries[key]) for key in sorted(self.entries)]
        kept = {"machine": self.machine, "entries": entries}
        self.path.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")

    def rows(self) -> Iterator[tuple[str, list[Entry]]]:
        for row in sorted({row for row, _ in self.entries}):
            yield (
                row,
                [self.entries[key] for key in sorted(self.entries) if key[0] == row],
            )

    def missed(self) -> list[tuple[Entry, Target]]:
        return [
            (entry, target)
            for _, entries in self.rows()
            for entry in entries
            for target in entry.result.targets
            if not target.reached
        ]

    def failures(self) -> list[Entry]:
        return [entry for entry in self.entries.values() if entry.failure]

    def _read(self) -> None:
        kept = json.loads(self.path.read_text())
        self.machine = kept["machine"]
        for stored in kept["entries"]:
            self.put(Entry(**{**stored, "result": result_from(stored["result"])}))


# ── For people ───────────────────────────────────────────────────────────────────


def as_text(entry: Entry) -> str:
    """For the terminal, as soon as it is there."""
    lines = [f"{entry.row} · {entry.size} · {entry.waits_for}"]
    if entry.failure:
        lines.append(f"  NOT MEASURED: {entry.failure}")
    lines += [f"  {each.who}: {each.value}" for each in entry.result.measured]
    lines += [f"  → {target}" for target in entry.result.targets]
    lines.append(
        f"  load {entry.load_before} → {entry.load_after}, {entry.seconds:.0f} s"
    )
    return "\n".join(lines)


def as_markdown(table: Table) -> str:
    m = table.machine
    missed, failures = table.missed(), table.failures()
    lines = [
        "# Benchmarks",
        "",
        "Written by `./run bench`: do not edit. Every ratio is of one run on one machine:"
        " we, a peer and a limit, one after the other. Figures are the median of the"
        " repetitions, and in brackets the least and the most of them.",
        "",
        f"{m['cores']} cores ({m['processor']}), {m['memory_gb']} GB of memory,"
        f" Python {m['python']}, PostgreSQL {m['postgresql']}, PostGIS {m['postgis']},"
        " with the settings of `./run serve`: fsync on, each answer durable.",
        "",
        "## Missed",
        "",
    ]
    lines += [
        f"- {entry.row} at {entry.size} cases: {target}" for entry, target in missed
    ] or ["Nothing that was measured."]
    lines += [
        f"- {entry.row} at {entry.size} cases: NOT MEASURED: {entry.failure}"
        for entry in failures
    ]
    for row, entries in table.rows():
        lines += ["", f"## {row}: {entries[0].waits_for}", ""]
        lines += [f"Measured elsewhere: {entries[0].elsewhere}.", ""]
        for entry in entries:
            lines += markdown_of(entry)
    return "\n".join(lines).rstrip() + "\n"


def markdown_of(entry: Entry) -> Iterator[str]:
    yield f"### {entry.size} cases"
    yield ""
    if entry.failure:
        yield f"Not measured: {entry.failure}"
        yield ""
        return
    yield "| who | figure |"
    yield "|---|---|"
    for each in entry.result.measured:
        yield f"| {each.who} | {each.value} |"
    yield ""
    for target in entry.result.targets:
        yield f"- {target}"
    yield ""
    yield from entry.result.notes
    yield (
        f"({entry.at}, in {entry.seconds:.0f} s; load {entry.load_before} before,"
        f" {entry.load_after} after.)"
    )
    yield ""
