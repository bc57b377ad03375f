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
from time import sleep
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parent.parent.parent
Outcome = dict[str, int]


class Elsewhere:
    def __init__(self, database_url: str, folder: Path) -> None:
        self.database_url = database_url
        self.media = folder / "media"

    def play(self, scene: str, *arguments: int) -> Outcome:
        """How many threads met what: a word of the scene's, or an exception's name."""
        played = subprocess.run(
            [
                *(sys.executable, "-m", "tests.backend.elsewhere"),
                *(scene, *map(str, arguments)),
            ],
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


def same_words() -> Outcome:
    """One report without a photo, a contact or a phone: there is only one statement."""
    from backend.cases.filing import file_case
    from tests.factories import make_report

    report = make_report(MADE["case"], description="solo palabras")

    def send(number: int) -> str:
        return "new" if file_case(report).is_new else "again"

    return at_once(32, send)


def plain_report() -> Outcome:
    """By their first word, the statements that a report of a known phone takes."""
    from uuid import uuid4

    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from backend.accounts.devices import issue_device
    from backend.cases.filing import file_case
    from tests.factories import make_report

    report = make_report(MADE["case"], device=issue_device().device)
    file_case(report)
    another = replaced(report, id=uuid4())
    with CaptureQueriesContext(connection) as told:
        file_case(another)
    return Counter(query["sql"].split()[0] for query in told.captured_queries)


def no_job_no_case() -> Outcome:
    """A report whose photo's job cannot be enqueued: what is there of it afterwards."""
    from unittest.mock import patch

    from django.db import DataError

    from backend.cases.filing import file_case
    from backend.cases.models import Case
    from tests.factories import make_photo, make_report

    report = make_report(MADE["case"], photos=[make_photo((64, 48))])
    met: Outcome = Counter()
    try:
        with patch("backend.cases.filing.ask_to_clean", side_effect=DataError):
            file_case(report)
    except DataError:
        met["refused"] = 1
    met["cases"] = Case.objects.filter(report_id=report.id).count()
    met["new"] = int(file_case(report).is_new)
    return met


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


def same_step() -> Outcome:
    """A citizen's phone sends that it is not done eight times at once."""
    from uuid import uuid4

    from backend.cases.citizens import step_of, take_step
    from backend.cases.workflow import Status
    from tests.factories import make_case

    case = make_case(MADE["case"], Status.RESOLVED, description="no está hecho")
    step = step_of("reopen", uuid4(), "Sigue igual.")
    return at_once(8, lambda number: "new" if take_step(case, step).is_new else "again")


def same_support() -> Outcome:
    from backend.accounts.devices import issue_device
    from backend.cases.citizens import support
    from tests.factories import make_case

    case = make_case(MADE["case"], description="a mí también")
    device = issue_device().device
    return at_once(16, lambda number: "new" if support(case, device) else "again")


def two_of_one_version(rounds: int) -> Outcome:
    """Two crews, or a crew and whoever reported it, in each round on a case of its own."""
    from django.test import Client

    from tests.factories import make_case, make_crew
    from tests.mobile_api.calls import phone_of, send, step_body, transition_body

    crew = phone_of(make_crew(make_case(MADE["case"]).entity, "cuadrilla R8"))
    anyone = Client(HTTP_HOST="localhost")
    met: Counter[str] = Counter()
    for turn in range(rounds):
        case = make_case(MADE["case"])
        seen = anyone.get(f"/api/v1/cases/{case.number}/")["ETag"]
        moves = f"/api/v1/crew/cases/{case.number}/transitions/"
        cancel = f"/api/v1/cases/{case.number}/cancel/"

        def one(
            number: int, case=case, seen=seen, moves=moves, cancel=cancel, turn=turn
        ):
            headers = {"If-Match": seen}
            if number and turn % 2:
                pin = {**headers, "X-Case-Pin": case.pin}
                return str(send(anyone, step_body(), cancel, headers=pin).status_code)
            body = transition_body("scheduled" if number else "in_progress")
            return str(send(crew, body, moves, headers=headers).status_code)

        met.update(at_once(2, one))
    return met


def limit() -> Outcome:
    from backend.accounts.limits import Limit, take

    tight = Limit("crowd", times=20, seconds=3600)

    def one(number: int) -> str:
        take(tight, "everyone")
        return "passed"

    return at_once(40, one)


def several_limits() -> Outcome:
    """Six people with a limit each, and a tighter one for all of them."""
    from backend.accounts.limits import Limit, Use, take_all

    tight = Limit("crowds", times=20, seconds=3600)
    own = Limit("own", times=5, seconds=3600)

    def one(number: int) -> str:
        uses = [Use(own, str(number % 6)), Use(tight, "everyone")]
        take_all(uses)
        return "passed"

    return at_once(48, one)


def crossed_limits() -> Outcome:
    """Two name the same two limits the other way round, and meet half-way."""
    from django.db import connection, transaction

    from backend.accounts.limits import Limit, Use, take_all

    one, two = (Use(Limit(name, 9, 3600), "everyone") for name in ("one", "two"))
    take_all([one, two])
    met: list[str] = []

    def take_both(*uses: Use) -> None:
        try:
            take_all(uses)
            met.append("passed")
        except Exception as failure:  # noqa: BLE001 - whatever it is, the test judges
            met.append(type(failure).__name__)
        finally:
            connection.close()

    def wait_for(waiting: int) -> None:
        with connection.cursor() as cursor:
            for _ in range(1000):
                cursor.execute("SELECT pg_stat_clear_snapshot()")
                cursor.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname ="
                    " current_database() AND wait_event_type = 'Lock'"
                )
                if cursor.fetchone() == (waiting,):
                    return
                sleep(0.01)
        met.append("nobody waits")

    crowd = [
        Thread(target=take_both, args=[two, one]),
        Thread(target=take_both, args=[one, two]),
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM accounts_allowance WHERE key = %s FOR UPDATE", [two.key]
        )
        for waiting, thread in enumerate(crowd, 1):
            thread.start()
            wait_for(waiting)
    for thread in crowd:
        thread.join()
    return Counter(met)


def one_proof() -> Outcome:
    from backend.accounts.limits import Limit, Use, take_all

    def one(number: int) -> str:
        take_all([Use(Limit("hot", 99, 3600, calm=1), str(number))], proof="same")
        return "passed"

    return at_once(16, one)


def pins() -> Outcome:
    from backend.cases.access import own_case
    from tests.factories import make_case

    case = make_case(MADE["case"], description="adivinanzas")
    right = int(case.pin)

    def guess(number: int) -> str:
        own_case(case.number, f"{(right + 1 + number) % 1_000_000:06}", "here")
        return "found"

    return at_once(30, guess)


def push_key() -> Outcome:
    from backend.cases.push import public_key

    return at_once(8, lambda _number: public_key())


def pieces() -> Outcome:
    """The first, one between, the last, and a whole photo: each eight at once."""
    scenes = {
        "first": (0, 200),
        "between": (200, 400),
        "last": (200, 1_000_000),
        "whole": (0, 1_000_000),
    }
    return {
        f"{scene} {met}": count
        for scene, (start, end) in scenes.items()
        for met, count in pieces_at_once(scene, start, end).items()
    }


def pieces_at_once(description: str, start: int, end: int) -> Outcome:
    from uuid import uuid4

    from backend.cases.uploads import receive
    from tests.factories import make_case

    case, photo_id = make_case(MADE["case"], description=description), uuid4()
    if start:
        receive(case.report_id, photo_id, piece_of_photo(0, start))

    def send(number: int) -> str:
        arrived = receive(case.report_id, photo_id, piece_of_photo(start, end))
        return "taken" if arrived.is_new else "again"

    return at_once(8, send)


def many_photos() -> Outcome:
    """Eight photos for one report at once, half of them in pieces."""
    from uuid import uuid4

    from backend.cases.uploads import receive
    from tests.factories import make_case

    case = make_case(MADE["case"], description="muchas fotos")

    def send(number: int) -> str:
        receive(
            case.report_id, uuid4(), piece_of_photo(0, 200 if number % 2 else 1_000_000)
        )
        return "taken"

    return at_once(8, send)


def piece_of_photo(start: int, end: int) -> Any:
    from hashlib import sha256
    from io import BytesIO

    from backend.cases.uploads import Piece
    from tests.factories import make_photo

    content = make_photo((64, 48)).getvalue()
    part = content[start:end]
    digest = sha256(content).hexdigest()
    return Piece(BytesIO(part), start, len(part), len(content), digest)


def fold_while_folded() -> Outcome:
    from django.core.management import call_command

    from backend.cases.heat import fold
    from backend.cases.tasks import fold_heat
    from backend.jobs import alone_with

    works: dict[str, Callable[[], object]] = {
        "fold": fold,
        "fold_heat": lambda: fold_heat(timestamp=0),
        "rebuild_heat": lambda: call_command("rebuild_heat"),
    }

    def try_all(_number: int) -> str:
        met = [f"{name}: {outcome_of(work)}" for name, work in works.items()]
        return ",".join(met)

    with alone_with("heat"):
        (met,) = at_once(1, try_all)
    return Counter(met.split(","))


def outcome_of(work: Callable[[], object]) -> str:
    try:
        work()
    except Exception as failure:  # noqa: BLE001 - whatever it is, the test judges
        return type(failure).__name__
    return "done"


# What a reader sums in one statement, and what there is.
COUNTED_AND_THERE = """
    SELECT (
        SELECT coalesce(sum(cases[cardinality(cases)]), 0)
        FROM cases_heatcell WHERE level = 0 AND facet = ''
    ) + (
        SELECT coalesce(sum(cases), 0) FROM cases_heatdelta
    ), (
        SELECT count(*) FROM cases_case WHERE is_public AND public_location IS NOT NULL
    )
"""
WHO_WAITS = """
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'
"""
EVERY_ROW = "SELECT * FROM cases_heatcell ORDER BY level, facet, key, place, entity"
EVERY_TILE = "SELECT * FROM cases_heattile ORDER BY level, facet, tile"
EVERY_DAY = "SELECT * FROM cases_heatdays ORDER BY days, facet, entity, district"
EVERY_TILES_DAY = "SELECT * FROM cases_heattiledays ORDER BY level, days, tile"


# How much longer than asked a crowd goes on, at most, for what has not yet happened.
MOST_TIMES_LONGER = 20


class Crowd:
    """Four who write, one who folds, one who rebuilds and one who reads, all at once."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds
        self.met: Counter[str] = Counter()
        self.writing = set(range(4))

    def play(self, number: int) -> str:
        others = {4: self.fold, 5: self.rebuild, 6: self.read}
        if number in others:
            while self.writing:
                others[number]()
            return "done"
        try:
            self.write(number)
        finally:
            self.writing.remove(number)
        return "done"

    def write(self, number: int) -> None:
        from contextlib import suppress
        from random import Random

        from django.db import transaction

        from backend.cases.models import Case
        from backend.cases.workflow import Status
        from tests.factories import make_case

        random = Random(number)  # noqa: S311 - the same scene each time
        for turn in range(self.rounds * MOST_TIMES_LONGER):
            if turn >= self.rounds and self.has_seen_all():
                return
            made = make_case(MADE["case"], description=f"{number} {turn}")
            changes = {"status": random.choice(list(Status)), "entity": None}
            Case.objects.filter(pk=made.pk).update(**changes)
            with suppress(ZeroDivisionError), transaction.atomic():
                Case.objects.filter(description__startswith=f"{number} ").delete()
                1 / 0  # noqa: B018 - and nothing of it has happened
            if turn % 3 == 0:
                made.delete()

    def has_seen_all(self) -> bool:
        """On a busy machine one of the others may not have had a turn yet."""
        met = self.met
        return met["read right"] > 20 and bool(met["folded"] and met["rebuilt"])

    def fold(self) -> None:
        from contextlib import suppress

        from backend.cases.heat import fold_batch
        from backend.jobs import TryLater, alone_with

        with suppress(TryLater), alone_with("heat"):
            self.met["folded"] += fold_batch(5)
        sleep(0.01)  # or nobody would get to rebuild

    def rebuild(self) -> None:
        from contextlib import suppress

        from backend.cases.heat_anew import rebuild
        from backend.jobs import TryLater

        with suppress(TryLater):
            rebuild()
            self.met["rebuilt"] += 1
        sleep(0.05)  # or nobody would get to fold

    def read(self) -> None:
        ((counted, there),) = asked(COUNTED_AND_THERE)
        self.met["read right" if counted == there else f"{counted} for {there}"] += 1


def use_a_key_of_ten(threads: int) -> Outcome:
    from backend.accounts.api_keys import issue_key, use_key

    key = issue_key("Uno", hourly=10)

    def use(_number: int) -> str:
        use_key(key)
        return "used"

    return at_once(threads, use)


def heat_at_once(rounds: int) -> Outcome:
    from backend.cases.heat import fold
    from backend.cases.heat_anew import rebuild
    from tests.factories import make_case

    make_case(MADE["case"])
    crowd = Crowd(rounds)
    met = at_once(7, crowd.play)
    fold()
    ((counted, there),) = asked(COUNTED_AND_THERE)
    met["at the end right" if counted == there > 0 else "at the end wrong"] += 1
    everything = (EVERY_ROW, EVERY_TILE, EVERY_DAY, EVERY_TILES_DAY)
    folded = list(map(asked, everything))
    rebuild()
    same = list(map(asked, everything)) == folded
    met["rebuilt the same" if same else "rebuilt others"] += 1
    return {**met, **crowd.met}


def patience(in_binary: int) -> Outcome:
    """Questions outside of any transaction that may take so long, and after them."""
    import sqlalchemy as sa
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from geo import sql

    asleep = sa.select(sa.func.pg_sleep(sa.literal(5)), sa.literal("a%b"))
    limit = sa.select(sa.func.current_setting("statement_timeout"))
    rows = sql.rows_in_binary if in_binary else sql.rows
    ((before,),) = rows(limit)
    with CaptureQueriesContext(connection) as told, sql.within(1234):
        ((meanwhile,),) = rows(limit)
    met = Counter([f"{meanwhile} in {len(told)}"])
    try:
        with sql.within(50):
            rows(asleep)
    except sql.TooLong:
        met["too long"] += 1
    ((after,),) = rows(limit)
    met["as before" if after == before else f"{after}, not {before}"] += 1
    return met


class FiledMeanwhile:
    """Reports on their way while a load of the catalogue changes their category."""

    def __init__(self) -> None:
        from threading import Event

        from backend.cases.categories import category_of
        from tests.factories import make_photo

        self.category = category_of("VIA-01")
        self.stored, self.finish = Event(), Event()
        photos = {"photos": [make_photo()]}
        self.threads = [
            Thread(target=self.file, args=["committed"]),
            Thread(target=self.file, args=["stored"], kwargs=photos),
            Thread(target=self.finish_once_waited_for),
        ]

    def file(self, words: str, **fields: Any) -> None:
        from contextlib import closing

        from django.db import connection

        from backend.cases.filing import file_case
        from tests.factories import make_report

        report = make_report(MADE["case"], category=self.category, description=words)
        with closing(connection):
            file_case(replaced(report, **fields))

    def not_yet_committed(self, *photos: object) -> None:
        if photos:
            self.stored.set()
            self.finish.wait(10)

    def finish_once_waited_for(self) -> None:
        from contextlib import closing

        from django.db import connection

        with closing(connection):
            for _look in range(500):
                if asked(WHO_WAITS):
                    break
                sleep(0.01)
        self.finish.set()

    def meanwhile(self, cases: Any, _what: str) -> Any:
        """The load has looked which cases there are."""
        yield from cases
        if not self.stored.is_set():
            for thread in self.threads:
                thread.start()
            self.threads[0].join()
            self.stored.wait(10)


def filed_while_it_becomes_private() -> Outcome:
    """What is shown of reports that had got so far when their category became private."""
    from unittest.mock import patch

    from django.db import transaction

    from backend.cases import filing
    from backend.cases.catalogue import load_categories
    from backend.cases.management.commands.load_catalogue import SHIPPED
    from backend.cases.models import Case
    from provinces.catalogue import Changes, read_rows

    filed = FiledMeanwhile()
    filed.file("before")
    rows = read_rows(SHIPPED / "categories.csv")
    for row in rows:
        if row["code"] == filed.category.code:
            row |= {"precision": "none", "private": "true"}
    slowly = patch.object(filing, "ask_to_clean", filed.not_yet_committed)
    with slowly, transaction.atomic():
        load_categories(rows, Changes(), filed.meanwhile)
    for thread in filed.threads:
        thread.join()
    filed.file("begun")
    return {
        f"{case.description}: {'public' if case.is_public else 'private'}": 1
        for case in Case.objects.filter(category=filed.category)
    }


def asked(statement: str) -> list[tuple[Any, ...]]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def replaced(thing: Any, **changes: Any) -> Any:
    from dataclasses import replace

    return replace(thing, **changes)


# A place that the shipped boundaries know: Panama City, Parque Santa Ana.
MADE = {"case": (-79.5408, 8.9536)}
SCENES: dict[str, Callable[..., Outcome]] = {
    scene.__name__: scene
    for scene in (
        *(same_report, same_words, plain_report, no_job_no_case),
        *(same_transition, two_crews),
        *(same_step, same_support, two_of_one_version),
        *(limit, several_limits, crossed_limits, one_proof, pins, push_key),
        *(pieces, many_photos),
        *(filed_while_it_becomes_private,),
        *(fold_while_folded, heat_at_once, use_a_key_of_ten, patience),
    )
}

if __name__ == "__main__":
    import django

    django.setup()
    sys.stdout.write(json.dumps(SCENES[sys.argv[1]](*map(int, sys.argv[2:]))))
