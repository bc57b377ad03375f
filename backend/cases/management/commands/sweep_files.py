"""Tidy up the storage of photos: what the worker does every night."""

import sys
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from tqdm import tqdm

from backend.cases.sweeping import sweep


class Command(BaseCommand):
    help = (
        "Removes files that belong to no photo and uploads that were never finished; "
        "lists photos whose file is lost, and then fails."
    )

    def handle(self, **options: Any) -> None:
        swept = sweep(timezone.now(), self.progress)
        self.stdout.write(
            _("%(removed)s archivos sueltos quitados, %(forgotten)s envíos olvidados.")
            % {"removed": swept.removed, "forgotten": swept.forgotten}
        )
        for photo in sorted(map(str, swept.lost)):
            self.stdout.write(photo)
        if swept.lost:
            raise CommandError(
                ngettext(
                    "Falta un archivo de %(count)s foto.",
                    "Faltan archivos de %(count)s fotos.",
                    len(swept.lost),
                )
                % {"count": len(swept.lost)}
            )

    def progress(self, folders: list[str]) -> Iterable[str]:
        # Not `self.stderr`, which ends every write with a new line.
        return tqdm(folders, file=sys.stderr, disable=None, leave=False)
