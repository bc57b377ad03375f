"""What is done for the public's data while nobody waits; each of these may run twice."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from procrastinate.contrib.django import app

from backend.jobs import A_DAY, A_MINUTE, Patience
from map_views.data import builds


# They wait for each other: often, and never for long.
@app.task(name="build_data_file", retry=Patience(times=500, first=3, longest=30))
def build_data_file(file: str) -> None:
    builds.build(UUID(file))


@app.periodic(cron="41 7 * * *")  # in the small hours of Panama
@app.task(name="make_nightly_data", queueing_lock="make_nightly_data", retry=A_DAY)
def make_nightly_data(timestamp: int) -> None:
    builds.ask_for_tonight(datetime.fromtimestamp(timestamp, UTC))


@app.periodic(cron="13 * * * *")
@app.task(name="throw_data_away", queueing_lock="throw_data_away", retry=A_MINUTE)
def throw_data_away(timestamp: int) -> None:
    builds.throw_away(datetime.fromtimestamp(timestamp, UTC))
