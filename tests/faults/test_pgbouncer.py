"""Web servers reach PostgreSQL through PgBouncer, in transaction mode (docs/scaling.md)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier
from uuid import uuid4

import pytest

from tests.factories import make_photo
from tests.faults.ledger import REPORTS, Ledger, letter
from tests.pgbouncer import PgBouncer, pgbouncer_program
from tests.servers import Answer, Server, cloned_database, form
from tests.stories.crews import sign_in_as_crew

pytestmark = pytest.mark.django_db
POOL = 4
WAIT_SECONDS = 2
# Of those without a token, from one range of addresses: see `RATES`.
FREE_REPORTS = 5
AT_ONCE = 12
HEAT = "/api/v1/heat/?zoom=9"
ALL = "/data/cases.geojsonl"


class Web(Server):
    """Its sixteen threads go through PgBouncer; the test and `manage.py` go past it."""

    def __init__(self, bouncer: PgBouncer, folder: Path, **environment: str) -> None:
        super().__init__(bouncer.database_url, folder)
        self.environment |= {"DATABASE_URL": bouncer.url, **environment}

    def manage(self, *arguments: str) -> str:
        return Server(self.database_url, self.folder).manage(*arguments)

    def report(self) -> Answer:
        said = letter("Hueco")
        return self.send(REPORTS, said.body, said.content_type)

    def file(self) -> str:
        return str(self.report().json()["number"])


@pytest.fixture(scope="module")
def bouncer(
    django_db_setup, django_db_blocker, tmp_path_factory
) -> Iterator[PgBouncer]:
    program = pgbouncer_program()
    if program is None:
        pytest.skip("needs PgBouncer on this machine")
    folder = tmp_path_factory.mktemp("bouncer")
    settings = {"default_pool_size": POOL, "query_wait_timeout": WAIT_SECONDS}
    with (
        cloned_database(django_db_blocker) as url,
        PgBouncer(program, url, folder, **settings) as bouncer,
    ):
        yield bouncer


@pytest.fixture(scope="module")
def web(bouncer, tmp_path_factory) -> Iterator[Web]:
    folder = tmp_path_factory.mktemp("web")
    web = Web(bouncer, folder, EXPORTS_AT_ONCE=str(POOL // 2))
    with web:
        yield web


@pytest.fixture(autouse=True)
def nothing_used_yet(web) -> None:
    web.rows("DELETE FROM accounts_allowance RETURNING key")


def test_many_phones_at_once_lose_nothing_and_file_nothing_twice(web):
    with Ledger(web, phones=8) as ledger:
        ledger.wait_for_more(40)
    ledger.check()
    assert ledger.refusals == []
    ((connections,),) = web.rows(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    assert 0 < connections <= POOL


def test_the_map_and_the_whole_file_say_what_was_filed(web):
    filed = web.file()
    with ThreadPoolExecutor(16) as readers:
        heats = list(readers.map(web.send, [HEAT] * 16))
        files = list(readers.map(web.send, [ALL] * 16))
    totals = {answer.json()["total"] for answer in heats}
    # More at once than may be are told to come back.
    assert {answer.status for answer in files} <= {200, 503}
    (lines,) = {answer.body for answer in files if answer.status == 200}
    numbers = [json.loads(line)["id"] for line in lines.splitlines()]
    assert totals == {len(numbers)}
    assert filed in numbers


def test_a_crew_sees_what_is_near_and_moves_it_on(web):
    filed = web.file()
    ((entity,),) = web.rows("SELECT entity_id FROM cases_case WHERE number = %s", filed)
    token = sign_in_as_crew(web, entity)
    near = web.send("/api/v1/crew/cases/nearby/?lat=8.99&lon=-79.52", token=token)
    nearest = near.json()["features"][0]["id"]

    step = {"id": str(uuid4()), "to": "resolved", "note": "Tapado."}
    path = f"/api/v1/crew/cases/{nearest}/transitions/"
    moved = web.send(path, *form(step, make_photo((64, 48))), token=token)
    assert moved.status == 201
    assert web.send(f"/api/v1/cases/{nearest}/").json()["status"] == "resolved"


def test_what_is_done_past_it_is_seen_through_it(web):
    filed = web.file()
    asked = web.send("/data/cases.fgb")
    assert asked.status == 303
    web.do_jobs()
    state = web.send(f"{asked.headers['Location']}.json").json()
    assert state["state"] == "ready"
    assert filed.encode() in web.send(state["file"].removeprefix(web.url)).body


def test_of_many_at_once_a_limit_lets_exactly_so_many_through(
    bouncer, tmp_path_factory
):
    strict = Web(bouncer, tmp_path_factory.mktemp("strict"), LIMITS_FACTOR="1")
    with strict:
        start = Barrier(AT_ONCE)

        def passes(_phone: int) -> bool:
            start.wait()
            return strict.report().status == 201

        with ThreadPoolExecutor(AT_ONCE) as phones:
            met = Counter(phones.map(passes, range(AT_ONCE)))
    assert met == {True: FREE_REPORTS, False: AT_ONCE - FREE_REPORTS}


def test_the_time_limits_of_web_servers_hold(bouncer):
    limits = "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"
    with bouncer.connect() as database:
        found = [database.execute(f"SHOW {name}").fetchone() for name in limits]
    assert found == [("5s",), ("2s",), ("30s",)]


def test_while_every_connection_is_taken_phones_are_told_to_come_back(web, bouncer):
    with ExitStack() as taken:
        for _ in range(POOL):
            database = taken.enter_context(bouncer.connect())
            taken.enter_context(database.transaction())
            database.execute("SELECT 1")
        refused = web.report()
        assert refused.status == 503
        assert refused.headers["Retry-After"]
    assert web.report().status == 201


def test_after_it_died_and_came_back_all_is_as_before(web, bouncer):
    assert web.report().status == 201
    bouncer.kill()
    try:
        assert web.report().status == 503
    finally:
        bouncer.start()
    assert web.report().status == 201
    assert web.send(HEAT).status == 200


def test_a_lock_that_a_connection_holds_is_none_here(bouncer):
    """Why workers and `set_up` go past it: two of them would hold the same."""
    take = "SELECT pg_try_advisory_lock(311)"
    with bouncer.connect() as one, bouncer.connect() as other:
        held = [client.execute(take).fetchone() for client in (one, other)]
        one.execute("SELECT pg_advisory_unlock_all()")
    assert held == [(True,), (True,)]
