"""A process that does the jobs: it outlives the database's absences, and ends in order."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, close_old_connections
from procrastinate import PsycopgConnector, exceptions
from procrastinate.contrib.django import app
from procrastinate.contrib.django.utils import connector_params
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager

from backend.upkeep import take_up_stalled

log = logging.getLogger(__name__)

CONCURRENCY = 2
# Between the end of one life and the attempt to begin another.
PAUSE_SECONDS = 2
# The pool's own way to wait for the database is to ask less and less often: that far
# apart, it would be noticed late that it is there again.
POOL_PATIENCE_SECONDS = 5
# "Temporary failure": what is in hand is another worker's to finish.
NOT_FINISHED = 75

DATABASE_AWAY = (exceptions.ConnectorException, psycopg.Error, DatabaseError)


def work(concurrency: int = CONCURRENCY) -> None:
    """Do jobs until SIGTERM or SIGINT; a second one does not wait for those in hand."""
    asyncio.run(Lives(concurrency).lead())


class Lives:
    """A worker that cannot trust what it knows of its jobs ends, and begins as another.

    What the database does not hear of (a job done while it was away) stays marked as
    under way by a worker that is no more, which is how it is found and done again.
    """

    def __init__(self, concurrency: int) -> None:
        self.concurrency = concurrency
        self.stopping = asyncio.Event()
        self.life: asyncio.Task[None] | None = None
        self.waits = False

    async def lead(self) -> None:
        loop = asyncio.get_running_loop()
        # A thread has a connection to the database, and keeps it.
        loop.set_default_executor(ThreadPoolExecutor(self.concurrency + 1))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        log.info("worker begins")
        while not self.stopping.is_set():
            await self.live()
            await self.rest(PAUSE_SECONDS)
        log.info("worker ends")

    def stop(self) -> None:
        if self.stopping.is_set():
            leave_unfinished()
        self.stopping.set()
        loop = asyncio.get_running_loop()
        loop.call_later(settings.WORKER_GRACE_SECONDS, leave_unfinished)
        self.end_life()

    def end_life(self) -> None:
        if self.life:
            self.life.cancel()  # procrastinate's way to say: after the jobs in hand

    async def live(self) -> None:
        self.life = asyncio.create_task(self.do_jobs())
        try:
            await self.life
        except asyncio.CancelledError:
            pass
        except DATABASE_AWAY as away:
            if not self.waits:  # Said once, however long it takes.
                log.warning("worker waits for the database: %s", type(away).__name__)
            self.waits = True
        finally:
            self.life = None

    async def rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return

    async def do_jobs(self) -> None:
        await sync_to_async(take_up, thread_sensitive=False)()
        silence = settings.WORKER_SILENCE_SECONDS
        with own_connections(self.concurrency, self.end_life):
            async with app.open_async():
                self.waits = False
                await app.run_worker_async(
                    concurrency=self.concurrency,
                    install_signal_handlers=False,
                    update_heartbeat_interval=silence / 3,
                    stalled_worker_timeout=silence,
                )


def take_up() -> None:
    """What stalled while no worker lived need not wait for the next full minute."""
    close_old_connections()
    try:
        take_up_stalled()
    finally:
        close_old_connections()


@contextmanager
def own_connections(concurrency: int, give_up: Callable[[], None]) -> Iterator[None]:
    """Connections for the worker itself, apart from those of the tasks it runs."""
    connector = PsycopgConnector(
        kwargs=connector_params(),
        min_size=1,
        max_size=concurrency + 2,
        timeout=POOL_PATIENCE_SECONDS,
    )
    with app.replace_connector(connector) as doing:
        before, doing.job_manager = doing.job_manager, Marks(connector, give_up)
        try:
            yield
        finally:
            doing.job_manager = before


class Marks(JobManager):
    """Marks what became of each job; when it cannot, the worker gives up its life."""

    def __init__(
        self, connector: PsycopgConnector, give_up: Callable[[], None]
    ) -> None:
        super().__init__(connector)
        self.give_up = give_up

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:
        with self.or_give_up(job):
            await super().finish_job(job, status, delete_job)

    async def retry_job(self, job: Job, *arguments: Any, **options: Any) -> None:
        with self.or_give_up(job):
            try:
                await super().retry_job(job, *arguments, **options)
            except exceptions.UniqueViolation:
                # Another of its kind waits meanwhile, of which there may be only one.
                await super().finish_job(job, Status.ABORTED, delete_job=True)

    @contextmanager
    def or_give_up(self, job: Job) -> Iterator[None]:
        try:
            yield
        except DATABASE_AWAY as away:
            why = type(away).__name__
            log.warning("%s [%s] could not be marked: %s", job.task_name, job.id, why)
            self.give_up()


def leave_unfinished() -> None:
    """End now. Threads cannot be stopped: as if killed, and nothing is lost by that."""
    log.warning("worker leaves jobs unfinished")
    logging.shutdown()
    os._exit(NOT_FINISHED)
