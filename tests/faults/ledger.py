"""Phones that file reports through thick and thin, and a ledger of what they were told."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import count
from typing import Any, NamedTuple, Self
from uuid import uuid4

import orjson

from tests.factories import make_photo
from tests.servers import Answer, Server, form, wait_until

REPORTS = "/api/v1/reports/"
PATIENCE_SECONDS = 10.0
# Of somebody who touches "send" again while the first is still under way.
IMPATIENCE_SECONDS = 0.01
PAUSE_SECONDS = 0.1
# How long the phones go on with the reports they hold when the load is over.
LAST_CHANCE_SECONDS = 30.0


class Letter(NamedTuple):
    """A report as it goes over the wire, the same each time it is sent."""

    id: str
    body: bytes
    content_type: str
    has_photo: bool


def letter(description: str, *, with_photo: bool = False, email: str = "") -> Letter:
    said: dict[str, Any] = {
        "id": str(uuid4()),
        "category": "VIA-02",
        "location": {"type": "Point", "coordinates": [-79.52, 8.99]},
        "description": description,
    }
    if email:
        said |= {"contact": {"name": "Ana", "email": email}, "consent": "2026-11"}
    if with_photo:
        return Letter(said["id"], *form(said, make_photo((64, 48))), has_photo=True)
    return Letter(said["id"], orjson.dumps(said), "application/json", has_photo=False)


def says_come_back(answer: Answer) -> bool:
    return (
        answer.status == 503
        and int(answer.headers.get("Retry-After", 0)) > 0
        and answer.headers["Content-Type"] == "application/problem+json"
        and answer.json()["type"] == "/problems/unavailable"
    )


@dataclass
class Ledger:
    """What phones sent, by report id, and what they heard of it.

    Used with `with`: meanwhile each phone files one report after the other, trying
    until it is acknowledged. One in three has a photo; one in five is sent again too
    soon; one in five is tried only once, as by a phone that falls into the water.
    """

    server: Server
    phones: int = 8
    sent: dict[str, Letter] = field(default_factory=dict)
    acknowledged: dict[str, str] = field(default_factory=dict)
    refusals: list[Answer] = field(default_factory=list)
    silences: list[Exception] = field(default_factory=list)

    def __enter__(self) -> Self:
        self.newest = self.server.rows("SELECT coalesce(max(id), 0) FROM cases_case")[0]
        self.numbers = count()
        self.over = threading.Event()
        self.end = float("inf")
        self.threads = [threading.Thread(target=self.phone) for _ in range(self.phones)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self.end = time.monotonic() + LAST_CHANCE_SECONDS
        self.over.set()
        for thread in self.threads:
            thread.join()

    def phone(self) -> None:
        while not self.over.is_set():
            n = next(self.numbers)
            report = letter(f"Hueco número {n}", with_photo=n % 3 == 0)
            self.sent[report.id] = report
            impatient, lost = n % 5 == 1, n % 5 == 2
            patience = IMPATIENCE_SECONDS if impatient else PATIENCE_SECONDS
            heard = self.try_once(report, patience)
            while not (heard or lost or time.monotonic() > self.end):
                heard = self.try_once(report, PATIENCE_SECONDS)
                time.sleep(0 if heard else PAUSE_SECONDS)

    def try_once(self, report: Letter, patience: float) -> bool:
        """Send a report; whether it was acknowledged."""
        try:
            answer = self.server.send(
                REPORTS, report.body, report.content_type, patience=patience
            )
        except (OSError, HTTPException) as silence:
            self.silences.append(silence)
            return False
        if answer.status not in (200, 201):
            self.refusals.append(answer)
            return False
        self.acknowledged[report.id] = answer.json()["number"]
        return True

    def wait_for_more(self, reports: int) -> None:
        enough = len(self.acknowledged) + reports
        wait_until(lambda: len(self.acknowledged) >= enough, "reports are filed")

    def check(self) -> None:
        """Everything acknowledged is there, once and whole, and nothing made up."""
        rows = self.server.rows(
            "SELECT report_id::text, number,"
            " (SELECT count(*) FROM cases_photo WHERE case_id = c.id),"
            " (SELECT count(*) FROM cases_statuschange WHERE case_id = c.id)"
            " FROM cases_case c WHERE id > %s",
            *self.newest,
        )
        stored = {report: number for report, number, _, _ in rows}
        assert len(rows) == len(stored), "a report was filed twice"
        lost = self.acknowledged.items() - stored.items()
        assert not lost, "acknowledged, and not there"
        assert stored.keys() <= self.sent.keys(), "nobody sent this"
        for report, _, photos, lines in rows:
            assert photos == self.sent[report].has_photo, "photos come with their case"
            assert lines == 1, "a case begins with a line of history"
