"""What many do at once: threads with connections of their own, really committing.

The tests' own transaction would hide it, so a child process plays each scene on a copy
of the database and tells what each thread met: `python -m tests.backend.elsewhere SCENE`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parent.parent.parent
Outcome = dict[str, int]


class Elsewhere:
    def __init__(self, database_url: str, folder: Path) -> None:
        self.database_url = database_url
        self.media = folder / "media"

    def play(self, scene: str) -> Outcome:
        """How many threads met what: a word of the scene's, or an exception's name."""
        played = subprocess.run(
            [sys.executable, "-m", "tests.backend.elsewhere", scene],
            cwd=ROOT,
            env={
                **os.environ,
                "DATABASE_URL": self.database_url,
                "SECRET_KEY": "tests-tests-tests-tests-tests-tests-tests",
                "MEDIA_ROOT": str(self.media),
                "DJANGO_SETTINGS_MODULE": "backend.config.settings",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert played.returncode == 0, played.stderr
        outcome: Outcome = json.loads(played.stdout)
        return outcome

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        url = self.database_url.replace("postgis://", "postgresql://", 1)
        with psycopg.connect(url) as database:
            return list(database.execute(sql.encode()).fetchall())

    def files(self) -> set[str]:
        paths = self.media.rglob("*")
        return {str(path.relative_to(self.media)) for path in paths if path.is_file()}


def at_once(threads: int, work: Callable[[int], str]) -> Outcome:
    from django.db import connection

    start = Barrier(threads)
    met: list[str] = []

    def one(number: int) -> None:
        connection.ensure_connection()
        start.wait()
        try:
            met.append(work(number))
        except Exception as failure:  # noqa: BLE001 - whatever it is, the test judges
            met.append(type(failure).__name__)
        finally:
            connection.close()

    crowd = [Thread(target=one, args=[number]) for number in range(threads)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    return Counter(met)


def same_report() -> Outcome:
    from backend.cases.filing import file_case
    from tests.factories import make_photo, make_report

    report = make_report(MADE["case"], description="a la vez", photos=[])

    def send(number: int) -> str:
        sent = replaced(report, photos=[make_photo((64, 48))])
        filed = file_case(sent)
        return "new" if filed.is_new else "again"

    return at_once(32, send)


def same_transition() -> Outcome:
    from uuid import uuid4

    from backend.cases.handling import Transition, change_status
    from backend.cases.workflow import Status
    from tests.factories import make_case, make_photo

    case = make_case(MADE["case"], description="misma transición")
    step = Transition(Status.RESOLVED, "Listo.", id=uuid4())

    def send(number: int) -> str:
        sent = replaced(step, photos=[make_photo((64, 48))])
        return "new" if change_status(case, sent, by=None).is_new else "again"

    return at_once(8, send)


def two_crews() -> Outcome:
    """Eight people close the same resolved case, and only one may."""
    from backend.cases.handling import Transition, change_status
    from backend.cases.workflow import Status
    from tests.factories import make_case

    case = make_case(MADE["case"], Status.RESOLVED, description="dos cuadrillas")

    def close(number: int) -> str:
        change_status(case, Transition(Status.CLOSED, f"Cierra {number}."), by=None)
        return "closed"

    return at_once(8, close)


def limit() -> Outcome:
    from backend.accounts.limits import Limit, take

    tight = Limit("crowd", times=20, seconds=3600)

    def one(number: int) -> str:
        take(tight, "everyone")
        return "passed"

    return at_once(40, one)


def pins() -> Outcome:
    from backend.cases.access import own_case
    from tests.factories import make_case

    case = make_case(MADE["case"], description="adivinanzas")
    right = int(case.pin)

    def guess(number: int) -> str:
        own_case(case.number, f"{(right + 1 + number) % 1_000_000:06}")
        return "found"

    return at_once(30, guess)


def replaced(thing: Any, **changes: Any) -> Any:
    from dataclasses import replace

    return replace(thing, **changes)


# A place that the shipped boundaries know: Panama City, Parque Santa Ana.
MADE = {"case": (-79.5408, 8.9536)}
SCENES: dict[str, Callable[[], Outcome]] = {
    scene.__name__: scene
    for scene in (same_report, same_transition, two_crews, limit, pins)
}

if __name__ == "__main__":
    import django

    django.setup()
    sys.stdout.write(json.dumps(SCENES[sys.argv[1]]()))
