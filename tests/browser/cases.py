"""The cases that browser tests find: filed in the database of the server they open.

Run there by `manage shell`; the dates are today's, so that "the last 7 days" holds.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from django.contrib.gis.geos import Point
from django.utils import timezone

from backend.cases.filing import Contact, Report, file_case
from backend.cases.handling import Transition, change_status
from backend.cases.models import Case, Category, Photo
from backend.cases.photos import clean
from backend.cases.workflow import Status
from tests.factories import make_photo

# Bella Vista, Panama City: the middle of the street-level view of the tests.
CENTRE = (-79.5240, 8.9860)
STREET = f"#map=16/{CENTRE[1]}/{CENTRE[0]}"
# (east, north) of the centre in thousandths of a degree, category, days ago
OPEN = [
    (0.0, 0.0, "VIA-01", 2),
    (1.0, 0.6, "AGU-01", 1),
    (-1.2, 0.9, "ELE-01", 3),
    (0.0, 0.0, "AGU-04", 20),
    (-260.0, 40.0, "VIA-01", 4),
]
RESOLVED = [
    (0.8, -0.8, "VIA-01", 9),
    (-0.9, -0.5, "AGU-01", 15),
    (0.6, 1.1, "ELE-01", 400),
]
PHOTOGRAPHED = "Un hueco grande frente a la escuela."
CONTACT = Contact("Ana Pérez", "6000-0000", "ana@example.com", "v1")
ONE_LONG_WORD = "https://mapas.example/" + "lugar" * 20


def file_all() -> None:
    for east, north, category, days in OPEN:
        made(east, north, category, days)
    for east, north, category, days in RESOLVED:
        resolve(made(east, north, category, days))
    photographed = made(0.4, 0.4, "VIA-02", 5, PHOTOGRAPHED)
    resolve(photographed)
    Case.objects.filter(pk=photographed.pk).update(pin="123456")
    for photo in Photo.objects.all():
        clean(photo.pk)  # as the worker does


def made(east: float, north: float, code: str, days: int, words: str = "") -> Case:
    report = Report(
        id=uuid4(),
        category=Category.objects.get(code=code),
        location=Point(CENTRE[0] + east / 1000, CENTRE[1] + north / 1000, srid=4326),
        description=words,
        place_hint=ONE_LONG_WORD if words else "",
        contact=CONTACT if words else None,
        photos=[make_photo()] if words else [],
        demo=True,
    )
    return file_case(report, at=timezone.now() - timedelta(days=days)).case


def resolve(case: Case) -> None:
    done = Transition(Status.RESOLVED, "Trabajo terminado.", photos=[make_photo()])
    for step in (Transition(Status.ASSIGNED), done):
        change_status(case, step, by=None)
