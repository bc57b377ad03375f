"""The same report, sent by many at the same moment, is one case (R3)."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from tests.faults.ledger import REPORTS, Letter, letter
from tests.servers import Answer, Server

pytestmark = pytest.mark.django_db

CLIENTS = 32
ROUNDS = 5


def send_at_once(server: Server, report: Letter) -> list[Answer]:
    start = Barrier(CLIENTS)

    def send(_client: int) -> Answer:
        start.wait()
        return server.send(REPORTS, report.body, report.content_type)

    with ThreadPoolExecutor(CLIENTS) as clients:
        return list(clients.map(send, range(CLIENTS)))


@pytest.mark.parametrize("with_photo", [False, True], ids=["json", "photo"])
def test_thirty_two_clients_sending_one_report_file_one_case(
    server: Server, with_photo: bool
) -> None:
    for number in range(ROUNDS):
        report = letter(f"Hueco de todos, {number}", with_photo=with_photo)

        answers = send_at_once(server, report)

        assert Counter(answer.status for answer in answers) == {201: 1, 200: 31}
        assert len({answer.body for answer in answers}) == 1
        filed = "SELECT number FROM cases_case WHERE report_id = %s"
        assert server.rows(filed, report.id) == [(answers[0].json()["number"],)]


def test_a_photo_sent_thirty_two_times_at_once_is_on_the_disk_once(
    server: Server,
) -> None:
    report = letter("Hueco con foto", with_photo=True)

    send_at_once(server, report)

    of_report = (
        "SELECT original FROM cases_photo JOIN cases_case c ON c.id = case_id"
        " WHERE report_id = %s"
    )
    assert len(server.rows(of_report, report.id)) == 1
    media = server.folder / "media"
    files = [path for path in media.rglob("*") if not path.is_dir()]
    named = server.rows("SELECT original FROM cases_photo")
    assert sorted(files) == sorted(media / Path(name) for (name,) in named)
