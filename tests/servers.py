"""Real servers for the tests that need one: processes, sockets, a database."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import quote
from uuid import uuid4

import psycopg
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

ROOT = Path(settings.BASE_DIR)
PATIENCE_SECONDS = 30


class Answer(NamedTuple):
    status: int
    headers: HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def children_of(pid: int) -> list[int]:
    """In order; not from `/proc/…/children`, which may miss some of them (proc(5))."""
    return sorted(
        int(process.name)
        for process in Path("/proc").glob("[0-9]*")
        if parent_of(process) == pid
    )


def parent_of(process: Path) -> int | None:
    """The pid of a process's parent, from its folder below /proc; None: it is gone."""
    try:
        stat = (process / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # After its name, which may have anything in it: its state, and then its parent.
    return int(stat.rpartition(")")[2].split()[1])


class Server:
    """gunicorn with two workers, as `./run serve` starts it."""

    app = "backend.config.wsgi"
    patience: float = PATIENCE_SECONDS

    def __init__(
        self,
        database_url: str,
        folder: Path,
        workers: int = 2,
        options: tuple[str, ...] = (),
        **environment: str,
    ) -> None:
        self.database_url = database_url
        self.folder = folder
        self.workers = workers
        self.options = options
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "server.log"
        self.environment = {
            **os.environ,
            "DATABASE_URL": database_url,
            "SECRET_KEY": "tests-tests-tests-tests-tests-tests-tests",
            "MEDIA_ROOT": str(folder / "media"),
            "STATIC_ROOT": str(static_files()),
            "LIMITS_FACTOR": "100000",
            **environment,
        }

    def prepare(self) -> None:
        """What it needs before it starts."""

    def __enter__(self) -> Server:
        self.prepare()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "gunicorn", self.app),
                    *("--config", "python:backend.config.serving"),
                    *("--bind", f"127.0.0.1:{self.port}"),
                    *("--workers", str(self.workers), "--graceful-timeout", "5"),
                    *self.options,
                ],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        wait_until(self.answers, "the server answers", self.patience)
        return self

    def __exit__(self, *failure: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        with suppress(OSError), urllib.request.urlopen(f"{self.url}/readyz") as ready:  # noqa: S310
            return bool(ready.status == 200)
        return False

    def manage(self, *arguments: str) -> str:
        """Run a command of Django's against this server's database."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def do_jobs(self) -> None:
        """All that wait now, and then no more."""
        self.manage("procrastinate", "worker", "--one-shot")

    def worker_pids(self) -> list[int]:
        return children_of(self.process.pid)

    def kill_worker(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(libpq_url(self.database_url)) as database:
            return list(database.execute(sql.encode(), values or None).fetchall())

    def send(
        self,
        path: str,
        body: bytes | None = None,
        content_type: str = "",
        token: str = "",
        patience: float = PATIENCE_SECONDS,
        more: dict[str, str] | None = None,
    ) -> Answer:
        """GET, or POST what has a body, on a connection of its own.

        Raises OSError or HTTPException when no whole answer comes.
        """
        headers = {"Content-Type": content_type} if content_type else {}
        headers |= more or {}
        if token:
            headers["Authorization"] = f"Token {token}"
        method = "GET" if body is None else "POST"
        with closing(HTTPConnection("127.0.0.1", self.port, patience)) as phone:
            phone.request(method, path, body, headers)
            answer = phone.getresponse()
            return Answer(answer.status, answer.headers, answer.read())

    def get_json(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path) as answer:  # noqa: S310
            return json.load(answer)


@cache
def static_files() -> Path:
    """The static files as a server has them, collected once for all of this process."""
    folder = Path(tempfile.mkdtemp(prefix="movil311-static-"))
    atexit.register(shutil.rmtree, folder)
    subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--no-input", "-v0"],
        cwd=ROOT,
        env={**os.environ, "STATIC_ROOT": str(folder)},
        check=True,
    )
    return folder


@contextmanager
def cloned_database(django_db_blocker: Any) -> Iterator[str]:
    """A copy of the tests' database, boundaries and catalogue included; its URL."""
    name = f"movil311_{uuid4().hex[:12]}"
    with django_db_blocker.unblock():
        source = connection.settings_dict["NAME"]
        # pytest-django makes it only when a test is marked as one of the database.
        assert source.startswith("test_"), "mark the tests: pytest.mark.django_db"
        # PostgreSQL copies only a database that nobody is connected to.
        connections.close_all()
        with maintenance() as database:
            database.execute(f'CREATE DATABASE "{name}" TEMPLATE "{source}"'.encode())
    try:
        yield url_of(name)
    finally:
        with maintenance() as database:
            database.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@contextmanager
def server_of_its_own(
    django_db_blocker: Any, folder: Path, workers: int = 2, **environment: str
) -> Iterator[Server]:
    """A server on a copy of the tests' database, with its files in this folder."""
    with (
        cloned_database(django_db_blocker) as url,
        Server(url, folder, workers, (), **environment) as running,
    ):
        yield running


def maintenance() -> psycopg.Connection[Any]:
    return psycopg.connect(libpq_url(url_of("postgres")), autocommit=True)


def url_of(name: str) -> str:
    """The address of a database beside the tests' own."""
    server = connection.settings_dict
    host = server["OPTIONS"].get("host") or server["HOST"] or ""
    password = f":{quote(server['PASSWORD'])}" if server["PASSWORD"] else ""
    port = f"&port={server['PORT']}" if server["PORT"] else ""
    user = quote(server["USER"])
    return f"postgis://{user}{password}@/{name}?host={quote(host, safe='')}{port}"


def libpq_url(url: str) -> str:
    return url.replace("postgis://", "postgresql://", 1)


def form(said: dict[str, Any], photo: BinaryIO) -> tuple[bytes, str]:
    """A form with a photo, as a phone sends it: the body and its content type."""
    fields = {
        name: json.dumps(value) if isinstance(value, dict) else value
        for name, value in said.items()
    }
    file = SimpleUploadedFile("foto.jpg", photo.read(), "image/jpeg")
    return encode_multipart(BOUNDARY, {**fields, "photo": file}), MULTIPART_CONTENT


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_until(condition: Any, what: str, patience: float = PATIENCE_SECONDS) -> None:
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"not within {patience} s: {what}"
        time.sleep(0.05)
