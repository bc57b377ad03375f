"""Photos are sent while servers and workers are killed and connections cut (R9, R10)."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests.faults.uploads import (
    PIECE,
    Jobs,
    Sent,
    Uploads,
    age_files,
    ask,
    check_photos,
    file_report,
    files_of,
    jobs_done,
    names_in_rows,
    new_photo,
    put_cut,
    put_piece,
)
from tests.servers import Server, server_of_its_own

pytestmark = pytest.mark.django_db

WEB_PAUSE_SECONDS = 0.7
JOBS_PAUSE_SECONDS = 4.0


@pytest.fixture
def server(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path: Path
) -> Iterator[Server]:
    with server_of_its_own(django_db_blocker, tmp_path, workers=4) as running:
        yield running


@pytest.mark.parametrize(
    "photos", [40, pytest.param(200, marks=pytest.mark.slow)], ids=str
)
def test_acknowledged_photos_survive_the_killing_of_servers_and_workers(
    server: Server, photos: int
) -> None:
    with jobs_done(server) as jobs:
        with Uploads(server, photos) as uploads:
            kill_until_over(server, jobs, uploads)
        assert len(uploads.safe) == photos
        assert uploads.silences, "nothing was killed while it had a piece in hand"
        assert {answer.status for answer in uploads.refusals} <= {503}
        check_photos(server, uploads.safe)

        jobs.finish()

    check_photos(server, uploads.safe)
    assert server.rows("SELECT state, count(*) FROM cases_photo GROUP BY state") == [
        ("ready", photos)
    ]
    check_sweeping(server)


def kill_until_over(server: Server, jobs: Jobs, uploads: Uploads) -> None:
    """Kill a web worker chosen at random, again and again, and now and then the other."""
    next_time = time.monotonic() + JOBS_PAUSE_SECONDS
    while not uploads.is_over():
        time.sleep(WEB_PAUSE_SECONDS)
        server.kill_worker(secrets.choice(server.worker_pids()))
        if time.monotonic() > next_time:
            jobs.kill()
            jobs.start()
            next_time = time.monotonic() + JOBS_PAUSE_SECONDS


def check_sweeping(server: Server) -> None:
    """What was cut off left at most files too many, and those go after a day."""
    assert names_in_rows(server) <= files_of(server)
    age_files(server.folder / "media", hours=25)
    server.manage("sweep_files")
    assert names_in_rows(server) == files_of(server)


@pytest.mark.parametrize(
    "cuts", [60, pytest.param(200, marks=pytest.mark.slow)], ids=str
)
def test_a_connection_cut_anywhere_costs_a_piece_and_never_half_a_photo(
    server: Server, cuts: int
) -> None:
    report, made = file_report(server), 0
    while made < cuts:
        photo = new_photo(report)
        made += send_through_cuts(server, photo)
        known = ask(server, photo)
        assert known["state"] == "received"
        assert known["sha256"] == hashlib.sha256(photo.content).hexdigest()
        check_photos(server, [photo])
        # Room for the next one: a report has four.
        report = file_report(server)
    check_sweeping(server)


def send_through_cuts(server: Server, photo: Sent) -> int:
    """How often the connection was cut before all had arrived."""
    cuts, size = 0, len(photo.content)
    while (known := ask(server, photo))["received"] < size:
        assert known["state"] == "uploading"
        here = known["received"]
        end = min(here + PIECE, size)
        for _ in range(6):
            put_cut(server, photo, here, end, secrets.randbelow(2 * PIECE))
            cuts += 1
        # A cut request that was whole may have arrived; then this one is too late.
        answer = put_piece(server, photo, here, end)
        assert answer.status in {200, 201, 202, 409}, answer.body
    return cuts
