"""What every row works with: databases of each size, servers, and how long to measure."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.core.management import get_commands

from tests.benchmarks import databases, machine, seeding
from tests.servers import ROOT, Server, url_of

QUIETLY = ("--log-level", "warning")
UNITS = {"k": 1_000, "m": 1_000_000}


@dataclass(frozen=True)
class Pace:
    """How often each measurement is repeated, and how many seconds one takes.

    `views` and `requests` are at most so many of those that a row would ask for.
    """

    times: int = 3
    seconds: float = 4.0
    views: int = 1000
    requests: int = 6000


QUICK = Pace(times=1, seconds=1.0, views=12, requests=400)


@dataclass(frozen=True)
class Size:
    name: str
    cases: int


def size_of(text: str) -> Size:
    """`10k`, `1m`, `2500`. Raises ValueError."""
    unit = UNITS.get(text[-1:].lower(), 0)
    cases = int(text[:-1]) * unit if unit else int(text)
    if cases < 1:
        raise ValueError(text)
    return Size(text.lower(), cases)


class OurServer(Server):
    """The product, on a machine that may be busy."""

    patience = 180


class BareServer(OurServer):
    """Django with one view that does one insert, under the same gunicorn."""

    app = "tests.benchmarks.bare"

    def prepare(self) -> None:
        """Nothing: it has no static files."""


@dataclass
class Bench:
    """Databases are copies of `template`, which has the catalogue and no cases.

    Used with `with`: what was seeded is dropped at the end, unless it is to be kept.
    """

    template: str
    folder: Path
    pace: Pace
    keep: bool = False
    made: list[str] = field(default_factory=list)

    def __enter__(self) -> Bench:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *failure: object) -> None:
        if not self.keep:
            for name in reversed(self.made):
                databases.drop(name)
        shutil.rmtree(self.folder / "server", ignore_errors=True)

    def database(self, size: Size) -> str:
        """The name of a database with so many cases, seeded if it is not there."""
        name = f"{self.template}_{size.name}"
        whole = f"{size.cases} {databases.schema_version()}"
        if name not in self.made:
            self.made.append(name)
        if databases.label_of(name) != whole:
            machine.want_room(ROOT, size.cases * databases.BYTES_PER_CASE)
            databases.drop(name)
            databases.create(name, self.template)
            seeding.seed(name, size.cases)
            if "rebuild_heat" in get_commands():
                self.manage(name, "rebuild_heat")
                databases.settle(name)
            databases.label(name, whole)
        return name

    def manage(self, name: str, *arguments: str) -> str:
        return self.server_on(name).manage(*arguments)

    def server_on(self, name: str, options: tuple[str, ...] = QUIETLY) -> Server:
        """The product as `./run serve` runs it; to be used with `with`."""
        return OurServer(url_of(name), self.emptied(f"server/{name}"), options=options)

    def bare_server_on(self, name: str) -> Server:
        return BareServer(url_of(name), self.emptied(f"server/{name}"), options=QUIETLY)

    def emptied(self, name: str) -> Path:
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    @contextmanager
    def django_on(self, size: Size) -> Iterator[str]:
        name = self.database(size)
        with databases.django_on(name):
            yield name
