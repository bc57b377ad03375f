"""Count the heat anew from the cases: after filing millions at once, or in doubt."""

import sys
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from tqdm import tqdm

from backend.cases.heat_anew import rebuild
from backend.jobs import TryLater


class Command(BaseCommand):
    help = "Counts the map's heat anew; the map stays up, and reports go on arriving."

    def handle(self, **options: Any) -> None:
        try:
            rebuild(self.progress)
        except TryLater as busy:
            raise CommandError(
                _("Otro proceso está sumando el mapa; pruebe de nuevo en un minuto.")
            ) from busy

    def progress(self, steps: list[Any]) -> Iterable[Any]:
        # Not `self.stderr`, which ends every write with a new line.
        return tqdm(steps, file=sys.stderr, disable=None, leave=False)
