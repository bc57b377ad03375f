"""Load how many people live in provinces and districts; say what changed."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from tqdm import tqdm

from provinces.catalogue import InvalidCatalogue, read_rows
from provinces.models import Province
from provinces.population import load_population

SHIPPED = Path(settings.BASE_DIR) / "fixtures" / "population"


class Command(BaseCommand):
    help = (
        "Loads populations from CSV files (code, name, population, year, source), all or "
        "nothing; safe to repeat. Without files: the shipped ones."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="*", type=Path, metavar="FILE")
        parser.add_argument(
            "--if-missing", action="store_true", help="only when no place has any"
        )

    def handle(self, **options: Any) -> None:
        counted = Province.objects.filter(population__isnull=False)
        if options["if_missing"] and counted.exists():
            return
        files = options["files"] or sorted(SHIPPED.glob("*.csv"))
        reading = tqdm(files, _("Leyendo"), file=sys.stderr, disable=None, leave=False)
        try:
            changes = load_population([row for f in reading for row in read_rows(f)])
        except InvalidCatalogue as invalid:
            for problem in invalid.problems:
                self.stderr.write(self.style.ERROR(f"✗ {problem}"))
            raise CommandError(_("No se cambió nada.")) from invalid
        self.stdout.write(
            _("Población: %(count)s lugares cambiados.") % {"count": len(changes.lines)}
        )
