"""Map reads go to a replica that is seconds behind, or dead: nobody misses their own (R27)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any

import psycopg
import pytest
from django.db import connection

from tests.faults.cluster import Cluster, Standby, needed_postgresql
from tests.faults.ledger import REPORTS, letter
from tests.servers import (
    Answer,
    Server,
    children_of,
    libpq_url,
    url_of,
    wait_until,
)

BEHIND_SECONDS = 2.0
MOST_SECONDS = 5.0
THREADS = 8  # of a worker
AS_OF = "X-Data-As-Of"
NEWEST = "/data/cases.geojson?limit=1"
HEAT = "/api/v1/heat/?zoom=9"


class Pair:
    """A primary, a replica behind it, and the server that reads from both."""

    def __init__(self, primary: Cluster, standby: Standby, server: Server) -> None:
        self.primary, self.standby, self.server = primary, standby, server

    def file(self) -> tuple[str, str]:
        """A new case's number, and the cookie that its phone got."""
        said = letter("Hueco")
        answer = self.server.send(REPORTS, said.body, said.content_type)
        assert answer.status == 201
        (cookie,) = SimpleCookie(answer.headers["Set-Cookie"]).values()
        return answer.json()["number"], f"{cookie.key}={cookie.coded_value}"

    def get(self, path: str, cookie: str = "") -> Answer:
        answer = self.server.send(path, more={"Cookie": cookie} if cookie else {})
        assert answer.status == 200, answer
        return answer

    def newest(self, cookie: str = "") -> tuple[str, str | None]:
        """The newest case's number, as the public file tells; and of when that is."""
        answer = self.get(NEWEST, cookie)
        (feature,) = answer.json()["features"]
        return feature["id"], answer.headers[AS_OF]

    def is_read(self) -> bool:
        return self.get(HEAT).headers[AS_OF] is not None

    def is_current(self) -> bool:
        """It is read because it is new enough, and not because there is no primary."""
        as_of = self.get(HEAT).headers[AS_OF]
        oldest = datetime.now(UTC) - timedelta(seconds=MOST_SECONDS)
        return as_of is not None and datetime.fromisoformat(as_of) > oldest

    def ask_replica(self, question: str) -> Any:
        url = libpq_url(self.standby.url)
        with psycopg.connect(url, autocommit=True) as replica:
            return replica.execute(question.encode()).fetchall()


@pytest.fixture(scope="module")
def pair(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[Pair]:
    binaries = needed_postgresql()
    folder = tmp_path_factory.mktemp("server")
    behind = f"recovery_min_apply_delay={BEHIND_SECONDS}s"
    with Cluster(binaries) as primary:
        fill(primary)
        with (
            Standby(primary, behind) as standby,
            Server(
                primary.url,
                folder,
                # Each process finds out by itself how far the replica is.
                workers=1,
                REPLICA_URL=standby.url,
                REPLICA_MOST_SECONDS=str(MOST_SECONDS),
            ) as server,
        ):
            made = Pair(primary, standby, server)
            made.file()
            wait_until(made.is_read, "the replica is read")
            yield made


def fill(cluster: Cluster) -> None:
    """With the tests' own database: boundaries and catalogue are in it."""
    name = str(connection.settings_dict["NAME"])
    assert name.startswith("test_")
    dump = [str(cluster.binaries / "pg_dump"), libpq_url(url_of(name))]
    load = [str(cluster.binaries / "psql"), "-qX", "-v", "ON_ERROR_STOP=1"]
    with subprocess.Popen(dump, stdout=subprocess.PIPE) as dumping:
        subprocess.run(
            [*load, libpq_url(cluster.url)],
            stdin=dumping.stdout,
            stdout=subprocess.DEVNULL,
            check=True,
        )
    assert dumping.returncode == 0


pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("reports", [30, pytest.param(400, marks=pytest.mark.slow)])
def test_whoever_files_a_report_finds_it_at_once_everywhere(pair, reports):
    for _ in range(reports):
        filed, cookie = pair.file()
        assert pair.get(f"/api/v1/cases/{filed}/").json()["number"] == filed
        assert pair.newest(cookie) == (filed, None)


def test_others_see_it_a_little_later_and_are_told_of_when_their_answer_is(pair):
    wait_until(pair.is_current, "the replica is read")
    began = datetime.now(UTC)
    filed, cookie = pair.file()

    seen, as_of = pair.newest()
    assert seen != filed
    assert as_of is not None
    # Of a moment before the report, and of one that is not too long ago.
    assert datetime.fromisoformat(as_of) <= began
    age = datetime.now(UTC) - datetime.fromisoformat(as_of)
    assert age < timedelta(seconds=MOST_SECONDS) + (datetime.now(UTC) - began)

    wait_until(lambda: pair.newest()[0] == filed, "everybody sees it")
    wait_until(lambda: pair.newest(cookie)[1] is not None, "the replica has it too")
    assert pair.newest(cookie)[0] == filed


def test_nobody_has_the_primary_for_themselves_by_saying_so(pair):
    _, cookie = pair.file()
    name, signed = cookie.split("=", 1)
    wait_until(pair.is_read, "the replica is read")
    for forged in (f"{name}=18446744073709551615:{signed.split(':')[-1]}", f"{name}=x"):
        assert pair.get(HEAT, forged).headers[AS_OF] is not None
    assert pair.get(HEAT, "sessionid=any").headers[AS_OF] is None


def test_a_replica_that_falls_too_far_behind_is_not_read(pair):
    wait_until(pair.is_read, "the replica is read")
    pair.ask_replica("SELECT pg_wal_replay_pause()")
    try:
        filed, _ = pair.file()
        wait_until(lambda: pair.newest() == (filed, None), "the primary is read")
    finally:
        pair.ask_replica("SELECT pg_wal_replay_resume()")
    wait_until(pair.is_read, "the replica is read again")


def test_when_the_replica_dies_the_primary_answers_at_once(pair):
    wait_until(pair.is_read, "the replica is read")
    pair.standby.kill(children=True)
    try:
        asked = [pair.get(path) for path in (HEAT, NEWEST) * 20]
        assert {answer.headers[AS_OF] for answer in asked} == {None}
        filed, cookie = pair.file()
        assert pair.newest() == pair.newest(cookie) == (filed, None)
    finally:
        pair.standby.wait_until_ready()
    wait_until(pair.is_read, "the replica is read again")


def test_when_the_replica_freezes_nobody_waits_for_it_to_thaw(pair):
    """Its kernel takes questions, and no limit of PostgreSQL's ends them."""
    at_once = ThreadPoolExecutor(THREADS)
    # Each thread of the server has a connection to it.
    wait_until(
        lambda: all(at_once.map(Pair.is_read, [pair] * THREADS)), "it is read by all"
    )
    with frozen(pair.standby):
        began = time.monotonic()
        asked = [at_once.submit(pair.get, path) for path in (HEAT, NEWEST) * THREADS]
        answers = [each.result(timeout=20) for each in asked]
        assert {answer.headers[AS_OF] for answer in answers} == {None}
        assert time.monotonic() - began < 15
        filed, cookie = pair.file()
        assert pair.newest() == pair.newest(cookie) == (filed, None)
    wait_until(pair.is_read, "the replica is read again")


@contextmanager
def frozen(cluster: Cluster) -> Iterator[None]:
    """As a machine whose disk stands still."""
    postmaster = cluster.postmaster.pid
    processes = [postmaster, *children_of(postmaster)]
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def test_while_the_primary_is_away_the_map_is_read_and_nothing_is_filed(pair):
    wait_until(pair.is_read, "the replica is read")
    with primary_away(pair.primary):
        # Longer than a replica may be behind a primary that lives.
        end = time.monotonic() + MOST_SECONDS + 1
        while time.monotonic() < end:
            assert pair.is_read()
            time.sleep(0.2)
        said = letter("Hueco")
        refused = pair.server.send(REPORTS, said.body, said.content_type)
        assert refused.status == 503
    filed, cookie = pair.file()
    assert pair.newest(cookie) == (filed, None)
    wait_until(pair.is_current, "the primary is looked at again")


def test_while_the_primary_is_frozen_the_map_is_read(pair):
    wait_until(pair.is_read, "the replica is read")
    with frozen(pair.primary):
        # Longer than a replica may be behind a primary that lives.
        end = time.monotonic() + MOST_SECONDS + 3
        while time.monotonic() < end:
            assert pair.server.send(HEAT, patience=20).headers[AS_OF] is not None
            time.sleep(0.2)
    filed, cookie = pair.file()
    assert pair.newest(cookie) == (filed, None)
    wait_until(pair.is_current, "the primary is looked at again")


@contextmanager
def primary_away(primary: Cluster) -> Iterator[None]:
    primary.kill(children=True)
    try:
        yield
    finally:
        primary.wait_until_ready()


def test_the_map_is_read_in_one_place_for_one_answer(pair):
    """A heat map says when it was made; the file of the same moment is as old."""
    wait_until(pair.is_read, "the replica is read")
    pair.ask_replica("SELECT pg_wal_replay_pause()")  # or it moves between the two
    try:
        heat, file = pair.get(HEAT), pair.get("/data/cases.geojson")
    finally:
        pair.ask_replica("SELECT pg_wal_replay_resume()")
    assert heat.headers[AS_OF] is not None
    assert file.headers[AS_OF] is not None
    assert json.loads(heat.body)["total"] == len(file.json()["features"])
