"""Do the jobs that wait, until told to stop."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from backend.worker import CONCURRENCY, work


class Command(BaseCommand):
    help = "Does the jobs that wait, until SIGTERM or SIGINT; waits for the database."
    # They ask the database, which may be away for now.
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--concurrency", type=int, default=CONCURRENCY)

    def handle(self, *, concurrency: int, **options: Any) -> None:
        work(concurrency)
