"""Write the analyst's map into one file, which opens without a network."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.http import QueryDict
from django.utils import translation
from django.utils.translation import gettext as _
from tqdm import tqdm

from geo.filters import STATES
from map_views.parameters import InvalidParameters
from map_views.publishing import publish, read

# The same names as in the map's addresses.
REPEATED = ("category", "group")
ONCE = ("state", "entity", "place", "since", "until")
LANGUAGES = ("es", "en")


class Command(BaseCommand):
    help = (
        "Writes a map (heat, months, places, cases) as one HTML file: to keep, to mail, to "
        "open without a network. With the filters of the public map."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--out", type=Path, required=True, metavar="FILE.html")
        parser.add_argument("--state", choices=STATES, default="all")
        parser.add_argument("--category", action="append", metavar="CODE")
        parser.add_argument("--group", action="append", metavar="CODE")
        parser.add_argument("--entity", metavar="CODE")
        parser.add_argument(
            "--place", metavar="CODE", help="province (2), district (4), corregimiento"
        )
        parser.add_argument("--since", metavar="DAY", help="YYYY-MM-DD, included")
        parser.add_argument("--until", metavar="DAY", help="YYYY-MM-DD, included")
        parser.add_argument("--language", choices=LANGUAGES, default="es")

    def handle(self, **options: Any) -> None:
        out: Path = options["out"]
        with translation.override(options["language"]):
            try:
                page = publish(read(query_of(options)), self.progress)
            except InvalidParameters as invalid:
                for name, problem in invalid.problems.items():
                    self.stderr.write(self.style.ERROR(f"✗ --{name}: {problem}"))
                raise CommandError(_("No se escribió nada.")) from invalid
        try:
            out.write_text(page, encoding="utf-8")
        except OSError as problem:
            raise CommandError(f"{out}: {problem.strerror}") from problem
        size = out.stat().st_size / 1e6
        self.stdout.write(f"{out}: {size:.1f} MB")

    def progress(self, items: Iterable[Any], what: str) -> Iterable[Any]:
        # Not `self.stderr`, which ends every write with a new line.
        return tqdm(items, desc=what, file=sys.stderr, disable=None, leave=False)


def query_of(options: dict[str, Any]) -> QueryDict:
    query = QueryDict(mutable=True)
    for name in ONCE:
        query[name] = options[name] or ""
    for name in REPEATED:
        query.setlist(name, options[name] or [])
    return query
