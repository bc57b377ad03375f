"""A report becomes a case."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO
from uuid import UUID

import orjson
from django.contrib.gis.geos import Point
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from backend.cases.deadlines import PANAMA, Unit, due_at
from backend.cases.models import SEQUENCE, Case, Category, Photo, Reporter, StatusChange
from backend.cases.numbers import case_number
from backend.cases.photos import StoredPhoto, clean_photo, digest_of, stored
from backend.cases.privacy import public_point, without_personal_data
from backend.cases.workflow import Status
from provinces.models import Jurisdiction
from provinces.places import Place, place_at
from provinces.routing import NobodyAnswers, jurisdiction_for

log = logging.getLogger(__name__)


class ReportIdReused(Exception):
    """This id has been used for another report."""


class ContactRequired(Exception):
    """A *denuncia* needs an identified person (Ley 38 de 2000, art. 65)."""


@dataclass(frozen=True)
class Contact:
    name: str
    phone: str = ""
    email: str = ""
    consent: str = ""


@dataclass(frozen=True)
class Report:
    """What a citizen sends, checked but not yet acted on.

    `location` is WGS 84 in degrees, `accuracy` in metres; `captured_at` is the phone's
    word and decides nothing.
    """

    id: UUID
    category: Category
    location: Point
    accuracy: float | None = None
    description: str = ""
    place_hint: str = ""
    act: str = ""
    contact: Contact | None = None
    captured_at: datetime | None = None
    language: str = "es"
    photos: list[BinaryIO] = field(default_factory=list)
    demo: bool = False


@dataclass(frozen=True)
class Filed:
    case: Case
    is_new: bool


def file_case(report: Report, at: datetime | None = None) -> Filed:
    """File a report once, however many times the phone sends it.

    When this returns, the case is committed and its photos are on the disk.
    Raises ReportIdReused, ContactRequired, OutsidePanama, NotAnImage, ImageTooLarge.
    """
    digest = digest_of_report(report)
    earlier = already_filed(report, digest)
    if earlier:
        return Filed(earlier, is_new=False)

    if act_of(report) == Category.Act.DENUNCIATION and report.contact is None:
        raise ContactRequired
    place = place_at(report.location, report.accuracy or 0)
    photos = [clean_photo(photo) for photo in report.photos]  # slow: no transaction yet
    filed_at = at or timezone.now()
    rule = who_answers(report, place, filed_at)

    try:
        with stored(photos, filed_at) as kept, transaction.atomic():
            case = new_case(report, digest, place, rule, filed_at)
            case.history.create(status=Status.RECEIVED, changed_at=filed_at)
            keep_reporter(case, report.contact, filed_at)
            Photo.objects.bulk_create(photo_rows(case, kept, filed_at))
    except IntegrityError:
        # Sent twice at once: the other one's case is the case.
        earlier = already_filed(report, digest)
        if earlier is None:
            raise
        return Filed(earlier, is_new=False)
    return Filed(case, is_new=True)


def already_filed(report: Report, digest: str) -> Case | None:
    earlier = Case.objects.filter(report_id=report.id)
    if not earlier.exists():  # By far the usual answer: no names to look up.
        return None
    case = earlier.with_names().get()
    if case.report_digest != digest:
        raise ReportIdReused
    return case


def act_of(report: Report) -> str:
    return report.act or report.category.act


def who_answers(
    report: Report, place: Place, filed_at: datetime
) -> Jurisdiction | None:
    day = filed_at.astimezone(PANAMA).date()
    try:
        return jurisdiction_for(report.category.duty, place, day)
    except NobodyAnswers as gap:
        # The case is filed all the same and waits where an operator looks for it.
        log.error("unassigned: nobody answers for %s (report %s)", gap, report.id)
        return None


def new_case(
    report: Report,
    digest: str,
    place: Place,
    rule: Jurisdiction | None,
    filed_at: datetime,
) -> Case:
    category = report.category
    near = place.near_border
    return Case.objects.create(
        number=next_number(filed_at),
        report_id=report.id,
        report_digest=digest,
        category=category,
        act=act_of(report),
        description=report.description,
        public_description=without_personal_data(report.description),
        place_hint=report.place_hint,
        location=report.location,
        accuracy=report.accuracy,
        public_location=public_point(report.location, category),
        is_public=not category.private,
        demo=report.demo,
        province_id=place.province.code,
        district_id=place.district.code,
        corregimiento_id=place.corregimiento.code if place.corregimiento else None,
        zones=list(place.zones),
        snapped=place.snapped,
        near_border_id=near.code if near else None,
        near_border_metres=near.metres if near else None,
        entity=rule.entity if rule else None,
        jurisdiction=rule,
        status=Status.RECEIVED,
        filed_at=filed_at,
        captured_at=report.captured_at,
        due_at=due_at(filed_at, category.sla_amount, Unit(category.sla_unit)),
        updated_at=filed_at,
        language=report.language,
    )


def next_number(filed_at: datetime) -> str:
    """The next case number; a number is never given twice, though some stay unused."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s)", [SEQUENCE])
        (sequence,) = cursor.fetchone()
    return case_number(filed_at.astimezone(PANAMA).year, sequence)


def keep_reporter(case: Case, contact: Contact | None, at: datetime) -> None:
    if contact is None:
        return
    Reporter.objects.create(
        case=case,
        name=contact.name,
        phone=contact.phone,
        email=contact.email,
        consent=contact.consent,
        consented_at=at,
    )


def photo_rows(
    case: Case,
    photos: list[StoredPhoto],
    at: datetime,
    change: StatusChange | None = None,
) -> list[Photo]:
    return [
        Photo(
            id=kept.id,
            case=case,
            change=change,
            image=kept.image,
            thumbnail=kept.thumbnail,
            width=kept.photo.width,
            height=kept.photo.height,
            sha256=kept.photo.sha256,
            added_at=at,
        )
        for kept in photos
    ]


def digest_of_report(report: Report) -> str:
    """SHA-256 of what the report says, the same for JSON and multipart."""
    contact = report.contact
    said = [
        report.category.code,
        [report.location.x, report.location.y],
        report.accuracy,
        report.description,
        report.place_hint,
        report.act,
        [contact.name, contact.phone, contact.email, contact.consent]
        if contact
        else None,
        report.captured_at,
        report.language,
        [digest_of(photo) for photo in report.photos],
    ]
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_UTC_Z)).hexdigest()
