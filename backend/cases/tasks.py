"""What is done for a case after the answer; each of these may run twice."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from uuid import UUID

from procrastinate.contrib.django import app

from backend.cases import heat, notices, photos, retention, sweeping
from backend.cases.storage import remove
from backend.jobs import A_DAY, A_MINUTE, TryLater

# ── Telling people ───────────────────────────────────────────────────────────────


@app.task(retry=A_DAY)
def tell(change_id: int) -> None:
    notices.tell(change_id)


@app.task(retry=A_DAY)
def deliver(notice_id: int) -> None:
    notices.deliver(notice_id)


@app.task(retry=A_DAY)
def invite_follower(follow_id: int) -> None:
    notices.invite(follow_id)


# ── Photos ───────────────────────────────────────────────────────────────────────


# What fails here is the storage or the machine, never the photo.
@app.task(name="clean_photo", retry=A_DAY)
def clean_photo(photo: str) -> None:
    photos.clean(UUID(photo))


# Of those of every night there is one at a time: `queueing_lock` knows who waits, `lock`
# who is at it. The next night's waits then, and the worker's other hand stays free.
@app.periodic(cron="23 8 * * *")  # in the small hours of Panama
@app.task(
    name="sweep_files", queueing_lock="sweep_files", lock="sweep_files", retry=A_DAY
)
def sweep_files(timestamp: int) -> None:
    sweeping.sweep(datetime.fromtimestamp(timestamp, UTC))


# ── Personal data ────────────────────────────────────────────────────────────────


@app.task(retry=A_DAY)
def delete_files(names: list[str]) -> None:
    """Files that no row names any more; those that are gone are gone."""
    remove(*names)


@app.periodic(cron="17 8 * * *")
@app.task(queueing_lock="forget_old", lock="forget_old", retry=A_DAY)
def forget_old(timestamp: int) -> None:
    """What was kept as long as its category says goes, every day."""
    retention.forget_old(datetime.fromtimestamp(timestamp, UTC))


# ── The map ──────────────────────────────────────────────────────────────────────────


@app.periodic(cron="* * * * *")
@app.task(queueing_lock="fold_heat", retry=A_MINUTE)
def fold_heat(timestamp: int) -> None:
    """What changed in a minute joins the heat's counts; it is on the map before that."""
    # Whoever rebuilds them folds what is there; the rest waits for the next minute.
    with suppress(TryLater):
        heat.fold()
