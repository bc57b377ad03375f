"""The peer for vector tiles, in an environment of its own: installed once, run for real."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

from tests.benchmarks import databases
from tests.servers import free_port, libpq_url, url_of, wait_until

VERSIONS = ("tipg==1.6.1", "uvicorn==0.54.0")
WORKERS = 2

# The columns that our tiles have, and the public's cases alone.
VIEW = """
CREATE OR REPLACE VIEW bench_cases AS
SELECT id, number, category_id, status, public_location AS geom FROM cases_case
WHERE is_public AND public_location IS NOT NULL
"""


def environment(folder: Path) -> Path:
    """The Python that has tipg, made if it is not there or is another version's."""
    home = folder / "tipg"
    python, stamp = home / "bin" / "python", home / "versions.txt"
    if not stamp.exists() or stamp.read_text() != "\n".join(VERSIONS):
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True)
        subprocess.run(
            [
                *(str(python), "-m", "pip", "install", "--quiet", "--no-input"),
                *("--disable-pip-version-check", *VERSIONS),
            ],
            check=True,
        )
        stamp.write_text("\n".join(VERSIONS))
    return python


def plain_url(name: str) -> str:
    """With its socket as the host, in the only spelling that pydantic takes."""
    asked = conninfo_to_dict(libpq_url(url_of(name)))
    user, host = quote(str(asked["user"])), quote(str(asked["host"]), safe="")
    password = f":{quote(str(asked['password']))}" if "password" in asked else ""
    port = f":{asked['port']}" if "port" in asked else ""
    return f"postgresql://{user}{password}@{host}{port}/{name}"


@contextmanager
def serving(name: str, folder: Path) -> Iterator[int]:
    """tipg's port, while it serves the public cases of a database."""
    python, port = environment(folder), free_port()
    log = folder / "tipg.log"
    with databases.connect(name) as database:
        database.execute(VIEW.encode())
    with log.open("wb") as said:
        process = subprocess.Popen(
            [
                *(str(python), "-m", "uvicorn", "tipg.main:app", "--port", str(port)),
                *("--workers", str(WORKERS), "--log-level", "warning"),
            ],
            env={
                **{
                    key: os.environ[key]
                    for key in ("PATH", "LANG")
                    if key in os.environ
                },
                "DATABASE_URL": plain_url(name),
                "TIPG_DB_TABLES": '["public.bench_cases"]',
                "TIPG_DB_SPATIAL_EXTENT": "FALSE",
                "TIPG_DB_DATETIME_EXTENT": "FALSE",
                "TIPG_CATALOG_TTL": "3600",
            },
            stdout=said,
            stderr=said,
        )

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        with (
            suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz"),
        ):
            return True
        return False

    try:
        wait_until(answers, "tipg answers", 60)
        yield port
    finally:
        process.terminate()
        process.wait(30)
        with databases.connect(name) as database:
            database.execute("DROP VIEW IF EXISTS bench_cases")
