"""A real worker beside a real server: a process that does the jobs of its database."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Self

import psycopg

from tests.servers import PATIENCE_SECONDS, ROOT, libpq_url, wait_until

# A job that failed waits for seconds before its next try, and for twice as long after.
TRIES_PATIENCE_SECONDS = 120


class Worker:
    """`manage.py work` on a database; `environment` says what differs from the tests' own.

    Silent for a second it counts as dead: what a killed one had in hand is soon done.
    """

    def __init__(self, database_url: str, folder: Path, **environment: str) -> None:
        self.database_url = database_url
        self.log = folder / "worker.log"
        self.environment = {
            **os.environ,
            "DATABASE_URL": database_url,
            "SECRET_KEY": "tests-tests-tests-tests-tests-tests-tests",
            "MEDIA_ROOT": str(folder / "media"),
            "STATIC_ROOT": str(folder / "static"),
            "EMAIL_URL": f"filemail:///{folder / 'mail'}",
            "WORKER_SILENCE_SECONDS": "1",
            **environment,
        }

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.stop()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "work"],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )

    def stop(self) -> int:
        """In order, and within its own time; its exit status."""
        self.process.terminate()
        try:
            return self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def lives(self) -> bool:
        return self.process.poll() is None

    def wait_until_idle(self, patience: float = PATIENCE_SECONDS) -> None:
        """Until nothing waits that could be done now, and nothing is under way."""
        wait_until(self.is_idle, "all jobs are done", patience)

    def wait_until_done(self, patience: float = TRIES_PATIENCE_SECONDS) -> None:
        """Until no job is left, those that wait for another try included."""
        wait_until(self.has_done_all, "no job is left", patience)

    def has_done_all(self) -> bool:
        assert self.lives(), self.log.read_text()
        return not jobs_left(self.database_url)

    def is_idle(self) -> bool:
        assert self.lives(), self.log.read_text()
        return not jobs_in_hand(self.database_url)


def jobs_in_hand(database_url: str) -> list[tuple[str, str]]:
    """Task and status of what is under way, or could be."""
    with psycopg.connect(libpq_url(database_url)) as database:
        return database.execute(
            "SELECT task_name, status::text FROM procrastinate_jobs"
            " WHERE status = 'doing'"
            " OR status = 'todo' AND coalesce(scheduled_at <= now(), true)"
        ).fetchall()


def jobs_left(database_url: str) -> list[tuple[str, str]]:
    """Task and status of every job but those that the clock asks for, which wait again.

    None, once all is done: what went well is deleted.
    """
    with psycopg.connect(libpq_url(database_url)) as database:
        return database.execute(
            "SELECT task_name, status::text FROM procrastinate_jobs"
            " WHERE status <> 'todo' OR task_name NOT IN"
            " (SELECT task_name FROM procrastinate_periodic_defers)"
        ).fetchall()
