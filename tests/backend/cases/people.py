"""A person who left all that a person can leave in a case, each with a mark of its own."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
from django.contrib.gis.geos import Point
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from PIL import ExifTags, Image

from backend.accounts.devices import issue_device
from backend.accounts.encryption import decrypted, fingerprint_of
from backend.accounts.models import Device
from backend.cases.filing import Contact, file_case
from backend.cases.handling import Transition, change_status
from backend.cases.models import (
    Case,
    Flag,
    Follow,
    Notice,
    Photo,
    PhotoPart,
    StatusChange,
    Support,
)
from backend.cases.workflow import Status
from tests.factories import make_category, make_photo, make_report

FILED = datetime(2026, 11, 10, 15, tzinfo=UTC)
CAPTURED = datetime(2026, 11, 9, 3, 14, 15, tzinfo=UTC)
TAKEN = datetime(2026, 11, 9, 2, 7, 18, tzinfo=UTC)
TAKEN_AT = (-79.9456781, 8.5567892)
NAME, PHONE, EMAIL = "Zoraida Quintero", "6987-6543", "zoraida.q@example.com"
CAMERA = "MARCACAMARA"
# In metres. No clock says so, whatever the fraction of its seconds.
ACCURACY = 61.7329
WORDS = {
    "name": NAME,
    "phone": PHONE,
    "email": EMAIL,
    "place hint": "MARCA-casa-azul",
    "push": "https://push.example.com/MARCA-buzon",
    "camera": CAMERA,
    "when taken": "2026-11-09 02:07:18",
    "when captured": "2026-11-09 03:14:15",
    "accuracy": str(ACCURACY),
    "card": "8-765-4321",
}


def photo_with_exif() -> BytesIO:
    exif = Image.Exif()
    exif[ExifTags.Base.Model] = CAMERA
    file = BytesIO()
    Image.new("RGB", (640, 480), "teal").save(file, "JPEG", exif=exif)
    file.seek(0)
    return file


def make_person(status: Status = Status.RESOLVED, **fields: Any) -> Case:
    """A case with a contact, a phone with push, photos with EXIF, notes and a flag."""
    device = issue_device(at=FILED).device
    device.push = orjson.dumps({"endpoint": WORDS["push"], "keys": {}}).decode()
    device.save()
    report = make_report(
        category=fields.pop("category", None) or make_category(),
        description=f"Soy Zoraida  quintero, cédula 8-765-4321: llame al {PHONE}.",
        place_hint=WORDS["place hint"],
        accuracy=ACCURACY,
        captured_at=CAPTURED,
        contact=Contact(NAME, PHONE, EMAIL, "2026-11"),
        **fields,
    )
    case = file_case(report, at=FILED).case
    Case.objects.filter(pk=case.pk).update(device=device)
    case.refresh_from_db()
    add_photos(case)
    add_history(case, status)
    own = Follow(device=device, own=True)
    by_email = Follow(email=EMAIL.upper(), email_fingerprint=fingerprint_of(EMAIL, "x"))
    for follow in (own, by_email):
        follow.case, follow.followed_at = case, FILED
        follow.save()
    Support.objects.create(case=case, device=device, given_at=FILED)
    Flag.objects.create(
        id=uuid4(),
        case=case,
        device=device,
        reason=Flag.Reason.PERSONAL_DATA,
        note=f"sale mi número {PHONE}",
        raised_at=FILED,
    )
    last = case.history.latest("pk")
    for recipient in ("reporter", f"follow:{own.pk}", f"follow:{by_email.pk}"):
        Notice.objects.create(
            change=last, channel="email", recipient=recipient, made_at=FILED
        )
    return case


def add_photos(case: Case) -> None:
    """One that is ready, and one of which half has come."""
    sent = photo_with_exif().getvalue()
    ready = Photo(
        case=case,
        state=Photo.State.READY,
        size=len(sent),
        received=len(sent),
        original=saved("originals/1", sent),
        image=saved("2026/11/1.jpg", make_photo().getvalue()),
        thumbnail=saved("2026/11/1-320.jpg", make_photo((320, 240)).getvalue()),
        taken_at=TAKEN,
        taken_location=Point(*TAKEN_AT, srid=4326),
        added_at=FILED,
        released_at=FILED,
    )
    half = Photo(
        case=case,
        state=Photo.State.UPLOADING,
        size=len(sent) * 2,
        received=len(sent),
        added_at=FILED,
    )
    ready.save()
    half.save()
    PhotoPart.objects.create(
        photo=half, offset=0, size=len(sent), name=saved("parts/1", sent)
    )


def saved(name: str, content: bytes) -> str:
    return default_storage.save(name, ContentFile(content))


def add_history(case: Case, status: Status) -> None:
    crew_note = f"Llamé a ZORAIDA QUINTERO al {PHONE}"
    change_status(
        case,
        Transition(Status.WAITING_FOR_CITIZEN, crew_note, uuid4()),
        None,
        FILED + timedelta(days=1),
    )
    answer = Transition(Status.ASSIGNED, f"Mi correo es {EMAIL}", uuid4(), CAPTURED)
    line = change_status(case, answer, None, FILED + timedelta(days=2)).change
    StatusChange.objects.filter(pk=line.pk).update(by_reporter=True)
    if status != Status.ASSIGNED:
        change_status(
            case, Transition(status, "Listo"), None, FILED + timedelta(days=3)
        )
    case.refresh_from_db()


def other_follower(case: Case) -> Device:
    device = issue_device(at=FILED).device
    Follow.objects.create(case=case, device=device, followed_at=FILED)
    Support.objects.create(case=case, device=device, given_at=FILED)
    return device


def tie(device: Device, case: Case, by: str) -> None:
    """Has a phone follow a case, support it or flag it; the name is the relation's."""
    if by == "follows":
        Follow.objects.create(case=case, device=device, followed_at=FILED)
    elif by == "supports":
        Support.objects.create(case=case, device=device, given_at=FILED)
    else:
        other = Flag.Reason.OTHER
        case.flags.create(id=uuid4(), device=device, reason=other, raised_at=FILED)


# ── What is left of them ─────────────────────────────────────────────────────────


def marks_left(digests: dict[str, str]) -> set[str]:
    """Which of the marks are anywhere in the database, read with its keys, or on disk."""
    text = everything_stored()
    marks = {
        **WORDS,
        **digests,
        "where taken": bytes(Point(*TAKEN_AT, srid=4326).ewkb).hex(),
    }
    return {name for name, mark in marks.items() if mark.lower() in text}


def everything_stored() -> str:
    return f"{database_as_text()}\n{files_as_text()}".lower()


def database_as_text() -> str:
    """All rows of all tables, as `pg_dump` writes them, and what is encrypted, open."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(table_name) FROM information_schema.tables"
            " WHERE table_schema = 'public' AND table_type = 'BASE TABLE'"
            " AND table_name !~ '^(provinces_|spatial_ref_sys)'"
            " AND table_name <> 'django_migrations'"
        )
        tables = [name for (name,) in cursor.fetchall()]
        rows = []
        for table in tables:
            with cursor.copy(f"COPY {table} TO STDOUT") as copy:
                rows += [bytes(line).decode() for line in copy]
    text = "".join(rows)
    opened = [decrypted(token) for token in re.findall(r"gAAAA[\w-]+=*", text)]
    return "\n".join([text, *opened])


def files_as_text() -> str:
    root = Path(default_storage.path(""))
    return "\n".join(
        path.read_bytes().decode("latin-1")
        for path in root.rglob("*")
        if path.is_file()
    )


def digests_of(case: Case) -> dict[str, str]:
    """SHA-256 of words that are known but for a number: it could be found by trying."""
    lines = case.history.exclude(transition_digest="")
    return {
        "digest of the report": case.report_digest,
        **{f"digest of line {n}": x.transition_digest for n, x in enumerate(lines)},
    }
