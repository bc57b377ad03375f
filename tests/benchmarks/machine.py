"""On what it was measured, and how busy that was."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

KB = 1024


class NoRoom(Exception):
    """There is not enough free disk for what would be seeded."""


class Machine(NamedTuple):
    cores: int
    memory_gb: float
    processor: str
    python: str
    postgresql: str
    postgis: str


def this_machine(database: psycopg.Connection[Any]) -> Machine:
    return Machine(
        cores=os.cpu_count() or 1,
        memory_gb=round(_meminfo("MemTotal") / 1e6, 1),
        processor=_processor(),
        python=platform.python_version(),
        postgresql=_asked(database, "SHOW server_version"),
        postgis=_asked(database, "SELECT PostGIS_Lib_Version()"),
    )


def load() -> float:
    """How many wanted to run, on average of the last minute."""
    return round(os.getloadavg()[0], 2)


def resident_mb(pid: int) -> float:
    return _field(Path(f"/proc/{pid}/status").read_text(), "VmRSS") * KB / 1e6


def want_room(folder: Path, needed: float) -> None:
    """Raises NoRoom when less than so many bytes are free there."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise NoRoom(
            f"{needed / 1e9:.0f} GB are needed on {folder}, {free / 1e9:.0f} GB are free"
        )


def _asked(database: psycopg.Connection[Any], sql: str) -> str:
    row = database.execute(sql.encode()).fetchone()
    assert row is not None
    return str(row[0])


def _meminfo(name: str) -> int:
    return _field(Path("/proc/meminfo").read_text(), name)


def _field(text: str, name: str) -> int:
    for line in text.splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise KeyError(name)


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
