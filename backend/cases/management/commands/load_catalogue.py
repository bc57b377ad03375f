"""Load duties, entities, jurisdictions, categories and consent; say what changed."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _
from tqdm import tqdm

from backend.cases.catalogue import load_catalogue
from backend.cases.models import Category
from provinces.catalogue import InvalidCatalogue

SHIPPED = Path(settings.BASE_DIR) / "fixtures" / "catalogue"
SHIPPED_CONSENT = Path(settings.BASE_DIR) / "fixtures" / "consent"
MOST_LINES = 40


class Command(BaseCommand):
    help = "Loads the catalogue's files, all or nothing; safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", nargs="?", type=Path, default=SHIPPED)
        parser.add_argument("--consent", type=Path, default=SHIPPED_CONSENT)
        parser.add_argument(
            "--if-missing", action="store_true", help="only when there is no category"
        )

    def handle(self, **options: Any) -> None:
        # What an authority has made of it is theirs: also a retired category is one.
        if options["if_missing"] and Category.objects.exists():
            return
        try:
            changes = load_catalogue(
                options["folder"],
                timezone.localdate(),
                self.progress,
                options["consent"],
            )
        except InvalidCatalogue as invalid:
            for problem in invalid.problems:
                self.stderr.write(self.style.ERROR(f"✗ {problem}"))
            raise CommandError(_("No se cambió nada.")) from invalid
        for line in changes.lines[:MOST_LINES]:
            self.stdout.write(line)
        if len(changes.lines) > MOST_LINES:
            more = len(changes.lines) - MOST_LINES
            self.stdout.write(_("… y %(count)s cambios más") % {"count": more})
        self.stdout.write(
            _("Catálogo: %(count)s cambios.") % {"count": len(changes.lines)}
        )

    def progress(self, items: Iterable[Any], what: str) -> Iterable[Any]:
        # Not `self.stderr`, which ends every write with a new line.
        return tqdm(items, desc=what, file=sys.stderr, disable=None, leave=False)
