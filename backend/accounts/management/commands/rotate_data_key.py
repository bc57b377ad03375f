"""Put everything encrypted under the first key of DATA_KEY, so that others can go."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from tqdm import tqdm

from backend.accounts.rotation import BATCH, encrypted_columns, rotate


class Command(BaseCommand):
    help = (
        "Re-encrypts contacts, addresses and keys under the first key of DATA_KEY. "
        "Safe to stop and to repeat, and while serving."
    )

    def handle(self, **options: Any) -> None:
        moved = there = lost = 0
        for model, columns in encrypted_columns():
            batches = -(-model._default_manager.count() // BATCH)
            # Not `self.stderr`, which ends every write with a new line.
            for done in tqdm(
                rotate(model, columns),
                desc=model._meta.db_table,
                total=batches,
                file=sys.stderr,
                disable=None,
                leave=False,
            ):
                moved += done.moved
                there += done.there
                lost += done.lost
        self.stdout.write(
            _("%(moved)s textos pasaron a la primera clave; %(there)s ya la tenían.")
            % {"moved": moved, "there": there}
        )
        if lost:
            raise CommandError(
                _(
                    "%s textos no se pueden leer con ninguna clave de DATA_KEY: "
                    "no se tocaron. Agregue la clave que falta y repita."
                )
                % lost
            )
        self.stdout.write(_("Las demás claves ya se pueden quitar de DATA_KEY."))
