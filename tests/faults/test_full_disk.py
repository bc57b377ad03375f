"""The database's disk is full: nothing acknowledged is lost, and room is all it needs (R26)."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.faults.cluster import (
    SmallDisk,
    may_mount,
    needed_postgresql,
    server_set_up,
)
from tests.faults.ledger import Ledger, says_come_back
from tests.servers import Server, wait_until

MEGABYTES = 300
REPORTS_BETWEEN = 15
REFUSALS = 15
DOORS = ["/", "/api/v1/heat/?zoom=7", "/tiles/heat/7/35/60.mvt", "/readyz"]
# Of the log, which is not left where nothing has been written.
NEXT_SEGMENT = "SELECT pg_logical_emit_message(false, '', ''), pg_switch_wal()"


@pytest.fixture(scope="module")
def cluster() -> Iterator[SmallDisk]:
    binaries = needed_postgresql()
    if not may_mount():
        pytest.skip("needs a disk to fill, and no process may have mounts of its own")
    with SmallDisk(binaries, MEGABYTES) as running:
        yield running


@pytest.fixture(scope="module")
def server(
    cluster: SmallDisk, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with server_set_up(cluster, tmp_path_factory.mktemp("server")) as running:
        yield running


def test_reports_are_refused_and_the_map_goes_on_until_there_is_room(
    cluster: SmallDisk, server: Server
) -> None:
    with Ledger(server, phones=4) as ledger:
        ledger.wait_for_more(REPORTS_BETWEEN)
        server.rows(NEXT_SEGMENT)  # 16 MB of log lie ahead: more than is written here
        cluster.fill()
        wait_for_refusals(ledger)
        answers = {door: server.send(door).status for door in DOORS}
        cluster.make_room()
        ledger.wait_for_more(REPORTS_BETWEEN)

    assert answers == dict.fromkeys(DOORS, 200)
    ledger.check()
    assert all(says_come_back(refusal) for refusal in ledger.refusals)


def test_a_database_that_stopped_for_want_of_room_comes_back_by_itself(
    cluster: SmallDisk, server: Server
) -> None:
    """It stops when its log has no room, whoever starts it: see `Cluster.ready`."""
    with Ledger(server, phones=4) as ledger:
        ledger.wait_for_more(REPORTS_BETWEEN)
        cluster.fill()
        with pytest.raises(psycopg.OperationalError):
            use_up_the_log(server)
        wait_for_refusals(ledger)
        cluster.make_room()
        cluster.wait_until_ready()
        ledger.wait_for_more(REPORTS_BETWEEN)

    assert "PANIC:  could not write" in (cluster.folder / "log").read_text()
    ledger.check()
    assert all(says_come_back(refusal) for refusal in ledger.refusals)


def use_up_the_log(server: Server) -> None:
    for _ in range(100):
        server.rows(NEXT_SEGMENT)


def wait_for_refusals(ledger: Ledger) -> None:
    enough = len(ledger.refusals) + REFUSALS
    wait_until(lambda: len(ledger.refusals) >= enough, "reports are refused")
