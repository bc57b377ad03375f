"""Does the work that waits, as a worker would, inside the test's own transaction."""

from __future__ import annotations

import json

from django.db import connection
from procrastinate.contrib.django import app

TAKE = """
    DELETE FROM procrastinate_jobs WHERE id = (
        SELECT id FROM procrastinate_jobs
        WHERE status = 'todo' AND coalesce(scheduled_at <= clock_timestamp(), true)
          AND task_name = coalesce(%(task)s, task_name)
        ORDER BY priority DESC, id LIMIT 1
    ) RETURNING task_name, args
"""


def run_jobs(task: str | None = None) -> list[str]:
    """The names of the tasks done, in order; what a task enqueues is done too.

    With `task`, only jobs of that one: the others go on waiting.
    """
    done: list[str] = []
    while True:
        with connection.cursor() as cursor:
            cursor.execute(TAKE, {"task": task})
            job = cursor.fetchone()
        if job is None:
            return done
        name, arguments = job
        app.tasks[name](**json.loads(arguments))
        done.append(name)


def waiting_jobs(task: str | None = None) -> list[tuple[str, dict[str, object]]]:
    """What waits, as (task, arguments), without doing it; of one task, or of all."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT task_name, args FROM procrastinate_jobs"
            " WHERE status = 'todo' ORDER BY id"
        )
        waiting = [(name, json.loads(arguments)) for name, arguments in cursor]
    return [job for job in waiting if task in (None, job[0])]
