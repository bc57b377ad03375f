"""Which stored cases would change hands if these jurisdictions were the rules."""

import sys
from argparse import ArgumentParser
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from tqdm import tqdm

from backend.cases.deadlines import PANAMA
from backend.cases.models import Case
from backend.cases.rehearsal import Move, rehearse
from provinces.catalogue import InvalidCatalogue, parse_jurisdictions, read_rows


class Command(BaseCommand):
    help = "Lists the cases that a file of jurisdictions would route otherwise."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--since", type=date.fromisoformat, required=True)

    def handle(self, **options: Any) -> None:
        try:
            rules = parse_jurisdictions(read_rows(options["file"]))
        except InvalidCatalogue as invalid:
            for problem in invalid.problems:
                self.stderr.write(self.style.ERROR(f"✗ {problem}"))
            raise CommandError(_("El archivo no vale.")) from invalid
        cases = Case.objects.filed_since(options["since"])
        count = cases.count()
        moves: Counter[tuple[str, str]] = Counter()
        steps = rehearse(cases, rules)
        # Not `self.stderr`, which ends every write with a new line.
        for move in tqdm(steps, total=count, file=sys.stderr, disable=None):
            if move:
                moves[move.before, move.after] += 1
                self.stdout.write(self.line(move))
        self.summary(moves, count)

    def line(self, move: Move) -> str:
        day = move.case.filed_at.astimezone(PANAMA).date().isoformat()
        where = f"{move.case.district_id} {move.case.category_id}"
        return f"{move.case.number}  {day}  {where}  {move.before} → {move.after}"

    def summary(self, moves: Counter[tuple[str, str]], count: int) -> None:
        for (before, after), number in moves.most_common():
            self.stdout.write(f"{number:>8}  {before} → {after}")
        self.stdout.write(
            _("%(moved)s de %(count)s casos cambiarían de entidad. Nada ha cambiado.")
            % {"moved": moves.total(), "count": count}
        )
