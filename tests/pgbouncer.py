"""A real PgBouncer with the lines that docs/scaling.md gives, on a port of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import psycopg
from psycopg.conninfo import conninfo_to_dict

from tests.faults.cluster import not_as_root
from tests.servers import ROOT, free_port, libpq_url, wait_until

# Where `./run test` puts one that the system has not.
OWN = ROOT / ".local" / "pgbouncer" / "usr"
OF_THE_TESTS = """
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
"""


def pgbouncer_program() -> str | None:
    places = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:{OWN / 'sbin'}"
    return shutil.which("pgbouncer", path=places)


class PgBouncer:
    """In front of a database; `settings` are instead of the document's."""

    def __init__(
        self, program: str, database_url: str, folder: Path, **settings: int
    ) -> None:
        self.program, self.folder, self.port = program, folder, free_port()
        self.database_url = database_url
        address = f"any@127.0.0.1:{self.port}/movil311"
        self.url = f"postgis://{address}?DISABLE_SERVER_SIDE_CURSORS=true"
        self.conninfo = f"postgresql://{address}"
        text = documented()
        for name, value in settings.items():
            text, found = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value}", text)
            assert found == 1, name
        where = said(conninfo_to_dict(libpq_url(database_url)))
        text = text.replace("host=db dbname=movil311", where)
        self.config = folder / "pgbouncer.ini"
        self.config.write_text(text + OF_THE_TESTS.format(port=self.port))
        self.log = folder / "pgbouncer.log"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.kill()

    def start(self) -> None:
        libraries = ":".join(map(str, (OWN / "lib").glob("*-linux-*")))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*not_as_root(self.folder), self.program, str(self.config)],
                env={**os.environ, "LD_LIBRARY_PATH": libraries},
                stdout=log,
                stderr=log,
            )
        wait_until(self.answers, "PgBouncer answers")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.conninfo, autocommit=True)


def documented() -> str:
    text = (ROOT / "docs" / "scaling.md").read_text("utf-8")
    (found,) = re.findall(r"```ini\n(.*?)```", text, re.DOTALL)
    return str(found)


def said(where: Mapping[str, Any]) -> str:
    """As PgBouncer's file has it: a quote is said by two."""
    quoted = {name: str(value).replace("'", "''") for name, value in where.items()}
    return " ".join(f"{name}='{value}'" for name, value in quoted.items())
