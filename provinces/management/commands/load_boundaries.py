"""Load boundary files into a new generation: all of them, or nothing."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _
from tqdm import tqdm

from provinces.boundary_checks import Findings, checked
from provinces.boundary_files import Feature, UnreadableFile, read_features
from provinces.loading import gone, known_names, load_generation
from provinces.models import Generation, Level

SHIPPED = Path(settings.BASE_DIR) / "fixtures" / "boundaries"
OPTIONS = {
    Level.PROVINCE: "provinces",
    Level.DISTRICT: "districts",
    Level.CORREGIMIENTO: "corregimientos",
    Level.ZONE: "zones",
    Level.ABROAD: "abroad",
}


class Command(BaseCommand):
    help = (
        "Loads boundaries (GeoJSON, Shapefile also zipped, GeoPackage; any CRS) as a "
        "new generation. Without files: the shipped ones. Levels not given are kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        for option in OPTIONS.values():
            parser.add_argument(f"--{option}", type=Path, metavar="FILE")
        parser.add_argument("--code-field", default="", metavar="NAME")
        parser.add_argument("--name-field", default="", metavar="NAME")
        parser.add_argument("--source", default="", help="where the files come from")
        parser.add_argument(
            "--check", action="store_true", help="say what is wrong, load nothing"
        )
        parser.add_argument(
            "--if-missing", action="store_true", help="only when none is active"
        )

    def handle(self, **options: Any) -> None:
        if options["if_missing"] and Generation.objects.active().exists():
            return
        files = {
            level: options[option]
            for level, option in OPTIONS.items()
            if options[option] is not None
        } or shipped_files()
        features, findings = self.read(files, options)
        self.report(findings)
        if findings.errors:
            raise CommandError(_("No se cargó nada."))
        if options["check"]:
            self.stdout.write(_("Todo en orden: no se cargó nada (--check)."))
            return
        source = options["source"] or ", ".join(path.name for path in files.values())
        generation = load_generation(features, source, self.progress)
        self.stdout.write(
            _("Generación %(number)s activa: %(count)s lugares.")
            % {"number": generation.pk, "count": len(features)}
        )

    def read(
        self, files: dict[Level, Path], options: dict[str, Any]
    ) -> tuple[list[Feature], Findings]:
        fields = options["code_field"], options["name_field"]
        features: list[Feature] = []
        try:
            for level, path in self.progress(list(files.items()), _("Leyendo")):
                features += read_features(path, level, *fields)
        except UnreadableFile as problem:
            raise CommandError(str(problem)) from problem
        features, findings = checked(features, known_names(), self.progress)
        findings.warnings += gone(features)
        return features, findings

    def report(self, findings: Findings) -> None:
        for warning in findings.warnings:
            self.stdout.write(self.style.WARNING(f"· {warning}"))
        for error in findings.errors:
            self.stderr.write(self.style.ERROR(f"✗ {error}"))

    def progress(self, items: Iterable[Any], what: str) -> Iterable[Any]:
        # Not `self.stderr`, which ends every write with a new line.
        return tqdm(items, desc=what, file=sys.stderr, disable=None, leave=False)


def shipped_files() -> dict[Level, Path]:
    paths = {level: SHIPPED / f"{option}.geojson" for level, option in OPTIONS.items()}
    return {level: path for level, path in paths.items() if path.exists()}
