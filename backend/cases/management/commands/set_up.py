"""Make a new or updated installation ready to serve; quick when nothing is to do."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from backend.cases.models import Case
from backend.cases.push import vapid_key
from backend.jobs import TryLater, alone_with

PAUSE_SECONDS = 0.5


class Command(BaseCommand):
    help = (
        "Migrates, loads boundaries, populations and the catalogue where there are none, "
        "makes the key of pushes, collects static files. "
        "Last line: `empty` or `has-cases`."
    )

    def handle(self, **options: Any) -> None:
        with one_at_a_time():
            call_command("migrate", interactive=False, verbosity=0)
            call_command("load_boundaries", if_missing=True)
            call_command("load_population", if_missing=True)
            call_command("load_catalogue", if_missing=True)
            vapid_key()
        self.collect_static()
        self.stdout.write("has-cases" if Case.objects.exists() else "empty")

    def collect_static(self) -> None:
        Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
        apps = Path(settings.BASE_DIR)
        files = [path for path in apps.glob("*/static/**/*") if path.is_file()]
        lock = apps / "requirements.lock"  # Django's and DRF's own static files
        seen = Stamp("static", [lock, *sorted(files)])
        if (
            seen.is_new
            or not (Path(settings.STATIC_ROOT) / "staticfiles.json").exists()
        ):
            call_command("collectstatic", interactive=False, verbosity=0)
            seen.keep()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Of several servers that start at once, the others wait for the first."""
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(alone_with("set up"))
                break
            except TryLater:
                time.sleep(PAUSE_SECONDS)
        yield


class Stamp:
    """Whether some files are the ones that were handled last time."""

    def __init__(self, name: str, files: list[Path]) -> None:
        self.path = Path(settings.STATIC_ROOT).parent / f"{name}.stamp"
        digest = hashlib.sha256()
        for file in files:
            digest.update(str(file).encode() + file.read_bytes())
        self.value = digest.hexdigest()

    @property
    def is_new(self) -> bool:
        return not self.path.exists() or self.path.read_text() != self.value

    def keep(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(self.value)
