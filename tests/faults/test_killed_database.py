"""PostgreSQL is killed under load; what was acknowledged stays and is done (R2, R3, R7)."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import pytest

from tests.faults.cluster import Cluster, needed_postgresql, server_set_up
from tests.faults.ledger import REPORTS, Ledger, Letter, letter, says_come_back
from tests.servers import Answer, Server, wait_until
from tests.sinks import MailSink, mail_sink
from tests.workers import Worker

log = logging.getLogger(__name__)
KILLS = 4
REPORTS_BETWEEN = 40
AWAY_SECONDS = 1
DOORS = [
    "/api/v1/cases/26-0000001-4/",
    "/api/v1/heat/?zoom=7",
    "/data/cases.geojson",
]
PAGES = ["/", "/casos/26-0000001-4", "/fotos/2026/11/a.jpg"]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with Cluster(needed_postgresql()) as running:
        yield running


@pytest.fixture(scope="module")
def server(
    cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with server_set_up(cluster, tmp_path_factory.mktemp("server")) as running:
        yield running


def test_what_was_acknowledged_survives_the_killing_of_the_database(
    cluster: Cluster, server: Server
) -> None:
    workers = server.worker_pids()

    with Ledger(server, phones=6) as ledger:
        for kill in range(KILLS):
            ledger.wait_for_more(REPORTS_BETWEEN)
            cluster.kill(children=kill % 2 == 0)
            time.sleep(AWAY_SECONDS)
            cluster.wait_until_ready()
            ready = time.monotonic()
            ledger.wait_for_more(1)
            log.info("a report filed %.2f s after", time.monotonic() - ready)

    ledger.check()
    assert server.worker_pids() == workers, "the app recovers without a restart"
    assert ledger.refusals
    assert not [answer for answer in ledger.refusals if not says_come_back(answer)]


def test_while_the_database_is_away_every_door_says_to_come_back(
    cluster: Cluster, server: Server
) -> None:
    reports = [letter("Hueco"), letter("Hueco con foto", with_photo=True)]

    cluster.kill(children=True)
    try:
        refusals = [file(server, report) for report in reports]
        refusals += [server.send(door) for door in DOORS]
        pages = [server.send(page) for page in PAGES]
        alive = server.send("/healthz")
        ready = server.send("/readyz")
    finally:
        cluster.wait_until_ready()

    assert not [answer for answer in refusals if not says_come_back(answer)]
    assert not [answer for answer in pages if not says_so_to_people(answer)]
    assert (alive.status, ready.status) == (200, 503)
    assert [file(server, report).status for report in reports] == [201, 201]


def test_the_worker_goes_on_by_itself_and_everybody_is_told(
    cluster: Cluster, server: Server
) -> None:
    server.rows("DELETE FROM procrastinate_jobs RETURNING id")  # The other tests'.
    addresses = {f"ana{n}@example.org" for n in range(KILLS * 11)}
    waiting = sorted(addresses)
    with (
        mail_sink() as mail,
        Worker(cluster.url, server.folder, EMAIL_URL=mail.url) as worker,
    ):
        for kill in range(KILLS):
            for address in [waiting.pop() for _ in range(10)]:
                assert file(server, letter("Hueco", email=address)).status == 201
            wait_until(
                lambda: len(told_by(mail)) > kill * 11,  # noqa: B023
                "somebody is told",
            )
            cluster.kill(children=kill % 2 == 0)
            time.sleep(AWAY_SECONDS)
            cluster.wait_until_ready()
            ready, newest = time.monotonic(), waiting.pop()
            assert file(server, letter("Hueco", email=newest)).status == 201
            wait_until(lambda: newest in told_by(mail), "the worker goes on")  # noqa: B023
            log.info("somebody is told %.2f s after", time.monotonic() - ready)
        wait_until(lambda: told_by(mail) == addresses, "everybody is told")
        # What could not be marked when the database died is tried again, and finds it done.
        worker.wait_until_done()
        assert worker.log.read_text().count("worker begins") == 1
    assert server.rows("SELECT * FROM cases_notice WHERE sent_at IS NULL") == []


def told_by(mail: MailSink) -> set[str]:
    return {address for address, _ in mail.letters}


def file(server: Server, report: Letter) -> Answer:
    return server.send(REPORTS, report.body, report.content_type)


def says_so_to_people(answer: Answer) -> bool:
    return (
        answer.status == 503
        and int(answer.headers.get("Retry-After", 0)) > 0
        and answer.headers["Content-Type"].startswith("text/html")
        and "Nada se perdió" in answer.body.decode()
    )
