"""A made-up month of reports, filed and handled as real ones are."""

from __future__ import annotations

import csv
import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.contrib.gis.geos import Point
from django.db import transaction
from PIL import Image, ImageDraw

from backend.cases.filing import Contact, Report, file_case
from backend.cases.handling import Transition, change_status
from backend.cases.models import Case, Category
from backend.cases.photo_cleaning import clean_photo
from backend.cases.photos import clean
from backend.cases.workflow import Status
from provinces.places import OutsidePanama, place_at

# About 1.2 km: people report from where they live, not from the town's square.
SPREAD_DEGREES = 0.011
# Islands that the outlines miss lie within this of a shore that they have.
COAST_METRES = 800
BATCH = 50
WITH_PHOTO = 0.06
CONSENT = "demo"

# What happens to a case, and how often: what is missing here stays received.
STORIES: list[tuple[float, list[tuple[Status, str]]]] = [
    (
        0.52,
        [
            (Status.ASSIGNED, "Se asignó a la cuadrilla del sector."),
            (Status.IN_PROGRESS, "La cuadrilla está en el sitio."),
            (Status.RESOLVED, "Trabajo terminado."),
        ],
    ),
    (
        0.14,
        [
            (Status.ASSIGNED, "Se asignó a la cuadrilla del sector."),
            (Status.SCHEDULED, "Programado para la próxima semana."),
        ],
    ),
    (0.08, [(Status.IN_REVIEW, "Se verifica el sitio.")]),
    (0.03, [(Status.REJECTED, "No se encontró el problema en el sitio.")]),
    (
        0.02,
        [
            (Status.ASSIGNED, "Se asignó a la cuadrilla del sector."),
            (Status.RESOLVED, "Trabajo terminado."),
            (Status.REOPENED, "El ciudadano indica que el problema sigue."),
        ],
    ),
]


@dataclass(frozen=True)
class Town:
    lon: float
    lat: float
    weight: float


@dataclass(frozen=True)
class Kind:
    category: Category
    weight: float
    descriptions: list[str]


class Demonstration:
    """Draws reports at random, the same ones for the same seed and moment."""

    def __init__(self, folder: Path, until: datetime, days: int, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - made-up reports, no secrets
        self.until = until
        self.days = days
        self.towns = read_towns(folder / "towns.csv")
        self.kinds = read_kinds(folder / "reports.csv")

    def file(self, count: int) -> Iterator[Case]:
        """File so many cases; each comes back with what became of it."""
        filed = 0
        while filed < count:
            # One commit for many: nobody waits for a made-up report.
            with transaction.atomic():
                batch = [self.one() for _ in range(min(BATCH, count - filed))]
            yield from batch
            filed += len(batch)

    def one(self) -> Case:
        filed_at = self.until - timedelta(days=self.days * self.random.random())
        report = self.report()
        while not on_land(report):
            report = self.report()  # The town is by the border or the sea.
        case = file_case(report, at=filed_at).case
        self.handle(case, filed_at)
        for photo in case.photos.all():
            # Here and at once: of a drawing of ours no process has to be afraid.
            clean(photo.pk, photo.added_at, cleaner=clean_photo)
        return case

    def report(self) -> Report:
        [town] = self.random.choices(self.towns, [t.weight for t in self.towns])
        [kind] = self.random.choices(self.kinds, [k.weight for k in self.kinds])
        location = Point(
            self.random.gauss(town.lon, SPREAD_DEGREES),
            self.random.gauss(town.lat, SPREAD_DEGREES),
            srid=4326,
        )
        needs_name = kind.category.act == Category.Act.DENUNCIATION
        return Report(
            id=UUID(int=self.random.getrandbits(128), version=4),
            category=kind.category,
            location=location,
            accuracy=self.random.choice([4.0, 8.0, 15.0, 30.0]),
            description=self.random.choice(kind.descriptions),
            contact=Contact("Persona de demostración", email="demo@example.org",
                            consent=CONSENT) if needs_name else None,
            photos=self.photos(kind.category, "ANTES"),
            demo=True,
        )  # fmt: skip

    def handle(self, case: Case, filed_at: datetime) -> None:
        at = filed_at
        for status, note in self.story():
            at += timedelta(hours=self.random.expovariate(1 / 40))
            if at > self.until:
                return
            photos = []
            if status == Status.RESOLVED:
                photos = self.photos(case.category, "DESPUES")
            change_status(case, Transition(status, note, photos=photos), None, at)

    def story(self) -> list[tuple[Status, str]]:
        drawn = self.random.random()
        for share, steps in STORIES:
            drawn -= share
            if drawn < 0:
                return steps
        return []

    def photos(self, category: Category, word: str) -> list[BinaryIO]:
        if self.random.random() > WITH_PHOTO:
            return []
        return [made_up_photo(category, word, self.random.randrange(360))]


def on_land(report: Report) -> bool:
    try:
        return (place_at(report.location).snapped or 0) < COAST_METRES
    except OutsidePanama:
        return False


def read_towns(path: Path) -> list[Town]:
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Town(float(row["lon"]), float(row["lat"]), float(row["weight"]))
            for row in csv.DictReader(file)
        ]


def read_kinds(path: Path) -> list[Kind]:
    categories = Category.objects.select_related("duty", "group").in_bulk()
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Kind(
                categories[row["category"]],
                float(row["weight"]),
                row["descriptions_es"].split("|"),
            )
            for row in csv.DictReader(file)
        ]


def made_up_photo(category: Category, word: str, hue: int) -> BinaryIO:
    """A drawing that says what it is: nobody should take it for a real place."""
    picture = Image.new("RGB", (640, 480), f"hsl({hue}, 30%, 78%)")
    draw = ImageDraw.Draw(picture)
    draw.polygon([(0, 480), (256, 203), (384, 203), (640, 480)], "#5b6470")
    for top, height in ((224, 16), (277, 27), (352, 43), (437, 43)):
        draw.rectangle(
            (320 - height // 6, top, 320 + height // 6, top + height), "#eee"
        )
    draw.text((320, 80), word, "#1b2a41", anchor="mm", font_size=51)
    draw.text(
        (320, 133), without_accents(str(category)), "#1b2a41", anchor="mm", font_size=24
    )
    draw.text((320, 171), "FOTO DE MUESTRA", "#1b2a41", anchor="mm", font_size=19)
    file = BytesIO()
    picture.save(file, "JPEG", quality=85)
    file.seek(0)
    return file


def without_accents(text: str) -> str:
    """For the font that comes with Pillow, which has none."""
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
