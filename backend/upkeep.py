"""What looks after the jobs themselves: those whose worker died are taken up again."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from backend.jobs import A_MINUTE, IN_THE_TRANSACTION

log = logging.getLogger(__name__)

# What has outlived so many workers has perhaps killed them.
MOST_DEATHS = 10


# Without a `lock`: it would be held for ever by the run that died with it.
@app.periodic(cron="* * * * *")
@app.task(retry=A_MINUTE)
def take_up_stalled(timestamp: int = 0) -> None:
    """Give the jobs of workers that have fallen silent to those that live.

    `timestamp` is when procrastinate meant it to run, and decides nothing.
    """
    silence = timedelta(seconds=settings.WORKER_SILENCE_SECONDS)
    gone = Q(worker=None) | Q(worker__last_heartbeat__lt=Now() - silence)
    with transaction.atomic():
        stalled = ProcrastinateJob.objects.filter(gone, status="doing")
        # Two workers that look at once do not take up the same job twice.
        for job in stalled.select_for_update(of=("self",), skip_locked=True):
            take_up(job)


def take_up(job: ProcrastinateJob) -> None:
    if job.attempts >= MOST_DEATHS:
        log.error("%s [%s]: given up after many workers' deaths", job.task_name, job.id)
        finish(job, "failed", delete=False)
    elif is_superseded(job):
        finish(job, "aborted", delete=True)
    else:
        log.warning("%s [%s]: taken up again, its worker died", job.task_name, job.id)
        IN_THE_TRANSACTION.retry_job_by_id(job.id, timezone.now())


def is_superseded(job: ProcrastinateJob) -> bool:
    """Whether another of its kind waits, of which there may be only one."""
    waiting = ProcrastinateJob.objects.filter(status="todo")
    return bool(
        job.queueing_lock and waiting.filter(queueing_lock=job.queueing_lock).exists()
    )


def finish(job: ProcrastinateJob, status: str, *, delete: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT procrastinate_finish_job_v1(%s, %s, %s)", [job.id, status, delete]
        )
