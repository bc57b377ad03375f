"""Fill the map with a made-up month of reports, labelled as such."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _
from tqdm import tqdm

from backend.cases.demonstration import Demonstration
from backend.cases.models import Case, Category

FOLDER = Path(settings.BASE_DIR) / "fixtures" / "demo"


class Command(BaseCommand):
    help = "Files made-up reports through the same code as real ones."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--days", type=int, default=30)
        parser.add_argument("--count", type=int, default=5000)
        parser.add_argument("--seed", type=int, default=311)

    def handle(self, **options: Any) -> None:
        if not Category.objects.exists():
            raise CommandError(_("Falta el catálogo: ejecute antes set_up."))
        if Case.objects.filter(demo=False).exists():
            raise CommandError(
                _("Esta base tiene casos reales: los de demostración no se mezclan.")
            )
        demonstration = Demonstration(
            FOLDER,
            timezone.now(),
            options["days"],
            options["seed"] + Case.objects.count(),
        )
        cases = demonstration.file(options["count"])
        for _case in tqdm(cases, total=options["count"], file=sys.stderr, disable=None):
            pass
        self.stdout.write(
            _("%(count)s casos de demostración.") % {"count": options["count"]}
        )
