"""`./run bench [P1 P3 …] [--sizes 10k,1m,10m] [--quick] [--keep]`."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from pathlib import Path

import django

SIZES = "10k,1m,10m"
START = "bench_start"


def main(arguments: list[str]) -> int:
    """0 when everything could be measured, reached or not."""
    asked = parser().parse_args(arguments)
    django.setup()
    from tests.benchmarks import databases, machine, running
    from tests.benchmarks.bench import QUICK, Bench, Pace, size_of
    from tests.benchmarks.table import Table, as_markdown
    from tests.servers import ROOT

    folder = ROOT / ".local" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    docs = Path(asked.out) if asked.out else ROOT / "docs"
    docs.mkdir(parents=True, exist_ok=True)
    table = Table(docs / "benchmarks.json")
    sizes = [size_of(text) for text in asked.sizes.split(",")]
    template = start_database(START)
    bench = Bench(template, folder, QUICK if asked.quick else Pace(), asked.keep)
    bench.made.append(template)
    # Whoever ends it wants it to tidy up, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with bench:
        with databases.connect(template) as database:
            here = machine.this_machine(database)
        for entry in running.entries(bench, running.chosen(asked.rows), sizes):
            table.put(entry)
            table.save(here)
            (docs / "benchmarks.md").write_text(as_markdown(table))
            running.say(entry)
    for entry, target in table.missed():
        sys.stdout.write(f"{entry.row} {entry.size}: {target}\n")
    return 1 if table.failures() else 0


def parser() -> argparse.ArgumentParser:
    known = argparse.ArgumentParser("./run bench")
    known.add_argument("rows", nargs="*", help="P1 … P9; all of them, if none is named")
    known.add_argument("--sizes", default=SIZES, help=f"cases, as in {SIZES}")
    known.add_argument("--quick", action="store_true", help="once each, and shortly")
    known.add_argument("--keep", action="store_true", help="what was seeded stays")
    known.add_argument("--out", default="", help="a folder instead of docs/")
    return known


def start_database(suffix: str) -> str:
    """A database beside the checkout's own, with boundaries and catalogue, no cases."""
    from django.db import connection

    from tests.benchmarks import databases
    from tests.servers import url_of

    name = f"{connection.settings_dict['NAME']}_{suffix}"
    version = databases.schema_version()
    if databases.label_of(name) != version:
        databases.drop(name)
        databases.create(name)
        subprocess.run(
            [sys.executable, "manage.py", "set_up"],
            env={**os.environ, "DATABASE_URL": url_of(name)},
            check=True,
            stdout=subprocess.DEVNULL,
        )
        databases.label(name, version)
    connection.close()
    connection.settings_dict["NAME"] = name
    return name


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
