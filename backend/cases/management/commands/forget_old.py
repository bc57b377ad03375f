"""Forget what was kept as long as its category says, as the nightly job does."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _
from tqdm import tqdm

from backend.cases.retention import forget_old, what_is_old


class Command(BaseCommand):
    help = "Erases people from old cases and what was sent of their photos."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true")
        parser.add_argument(
            "--at",
            type=datetime.fromisoformat,
            help="with --dry-run: what would be old by then (ISO 8601)",
        )

    def handle(self, **options: Any) -> None:
        rehearsed, at = options["dry_run"], options["at"]
        if at and not rehearsed:
            raise CommandError(_("Otra fecha solo vale con --dry-run."))
        if at and timezone.is_naive(at):
            at = timezone.make_aware(at)
        at = at or timezone.now()
        old = what_is_old(at) if rehearsed else forget_old(at, self.progress)
        self.stdout.write(
            _(
                "%(cases)s casos sin su persona, %(photos)s fotos sin su original, "
                "%(devices)s teléfonos, %(invitations)s correos sin confirmar, "
                "%(accesses)s accesos y %(allowances)s límites."
            )
            % asdict(old)
        )
        if rehearsed:
            self.stdout.write(_("Nada ha cambiado."))

    def progress(self, items: Iterable[Any], what: str) -> Iterable[Any]:
        # Not `self.stderr`, which ends every write with a new line.
        return tqdm(items, desc=what, file=sys.stderr, disable=None, leave=False)
