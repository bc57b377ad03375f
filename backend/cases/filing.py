"""A report becomes a case."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import BinaryIO, TypeVar
from uuid import UUID

import orjson
from django.contrib.gis.geos import Point
from django.db import DEFAULT_DB_ALIAS, IntegrityError, connection, transaction
from django.db.models import Model
from django.utils import timezone

from backend.accounts.models import ApiKey, Device
from backend.cases.consent import check_accepted
from backend.cases.days_off import promised
from backend.cases.deadlines import PANAMA
from backend.cases.models import (
    SEQUENCE,
    Case,
    Category,
    Follow,
    PartnerAct,
    Photo,
    Reporter,
    StatusChange,
)
from backend.cases.notices import tell_of
from backend.cases.numbers import case_number
from backend.cases.photos import ask_to_clean, digest_of, kept, rows_of
from backend.cases.privacy import (
    SHOWN_BY,
    is_digest,
    public_point,
    without_personal_data,
)
from backend.cases.workflow import Status
from backend.rows import NotAsSeen, Seen, insert
from provinces.editions import Edition, edition_in_force
from provinces.models import Corregimiento, District, Jurisdiction, Province
from provinces.places import Named, Neighbour, Place, place_at
from provinces.routing import NobodyAnswers, jurisdiction_for

log = logging.getLogger(__name__)
PlaceRow = TypeVar("PlaceRow", Province, District, Corregimiento)


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
    word and decides nothing. `district` is the side of a border that was chosen, if it
    was; `device` is the phone, if it has a token; `key` is of the system that sent it, if
    it came from one. `edition` is what was in force when the category was looked up.
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
    district: str = ""
    device: Device | None = None
    key: ApiKey | None = None
    edition: Edition | None = None


@dataclass(frozen=True)
class Filed:
    case: Case
    is_new: bool


def file_case(
    report: Report,
    at: datetime | None = None,
    admit: Callable[[], object] = lambda: None,
) -> Filed:
    """File a report once, however many times the phone sends it.

    When this returns, the case is committed and its photos' originals are kept. `admit`
    is called for a report that is new and in order, before it costs anything: what it
    raises, nothing was done. Raises ReportIdReused, ContactRequired, UnknownConsent,
    OutsidePanama, NotThisSide, NotAnImage, ImageTooLarge, StorageAway.
    """
    digest = digest_of_report(report)
    earlier = already_filed(report, digest)
    if earlier:
        return Filed(earlier, is_new=False)

    if act_of(report) == Category.Act.DENUNCIATION and report.contact is None:
        raise ContactRequired
    begun = at or timezone.now()
    if report.contact and not report.demo:  # Somebody made up accepts nothing.
        check_accepted(report.contact.consent, begun)
    edition = report.edition or edition_in_force()
    place = place_at(report.location, report.accuracy or 0, report.district, edition)
    admit()

    try:
        with kept(report.photos, begun) as originals:
            # Not before: keeping photos takes time, and whoever asked meanwhile for
            # what is new would never see a case of an earlier moment.
            filed_at = at or timezone.now()
            rule = who_answers(report, place, filed_at, edition)
            case = new_case(report, digest, place, rule, filed_at, edition)
            store(report, case, rows_of(case, originals, filed_at))
    except IntegrityError:
        # Sent twice at once: the other one's case is the case.
        earlier = already_filed(report, digest)
        if earlier is None:
            raise
        return Filed(earlier, is_new=False)
    except NotAsSeen:
        # Its category became more private, or less: the report is shown as it says now.
        return file_case(replace(report, category=as_it_is(report.category)), at)
    if rule is None:
        # It is filed all the same, and waits where an operator looks for it.
        log.error(
            "unassigned: nobody answers for %s in %s (case %s)",
            report.category.duty_id,
            place.district.code,
            case.number,
        )
    return Filed(case, is_new=True)


def already_filed(report: Report, digest: str) -> Case | None:
    if not is_filed(report.id):  # By far the usual answer: no names to look up.
        return None
    case = Case.objects.with_names().get(report_id=report.id)
    if not is_digest(case.report_digest, digest):
        raise ReportIdReused
    return case


def is_filed(id: UUID) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM cases_case WHERE report_id = %s)", [id]
        )
        (is_there,) = cursor.fetchone()
    return bool(is_there)


def as_it_is(category: Category) -> Category:
    return Category.objects.select_related("duty", "group").get(pk=category.pk)


def act_of(report: Report) -> str:
    return report.act or report.category.act


def who_answers(
    report: Report, place: Place, filed_at: datetime, edition: Edition
) -> Jurisdiction | None:
    day = filed_at.astimezone(PANAMA).date()
    try:
        return jurisdiction_for(report.category.duty, place, day, edition)
    except NobodyAnswers:
        return None


def new_case(
    report: Report,
    digest: str,
    place: Place,
    rule: Jurisdiction | None,
    filed_at: datetime,
    edition: Edition,
) -> Case:
    category = report.category
    near = place.near_border
    return Case(
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
        province=row_of(Province, place.province),
        district=row_of(District, place.district),
        corregimiento=row_of(Corregimiento, place.corregimiento)
        if place.corregimiento
        else None,
        zones=list(place.zones),
        snapped=place.snapped,
        near_border=row_of(District, near) if near else None,
        near_border_metres=near.metres if near else None,
        entity=rule.entity if rule else None,
        jurisdiction=rule,
        status=Status.RECEIVED,
        filed_at=filed_at,
        captured_at=report.captured_at,
        due_at=promised(category, filed_at, edition),
        updated_at=filed_at,
        language=report.language,
        device=report.device,
    )


def first_line(case: Case) -> StatusChange:
    return StatusChange(case=case, status=Status.RECEIVED, changed_at=case.filed_at)


def row_of(model: type[PlaceRow], place: Named | Neighbour) -> PlaceRow:
    """The place's row, of which the name need not be read again; the rest would be."""
    return model.from_db(DEFAULT_DB_ALIAS, ["code", "name"], [place.code, place.name])


def next_number(filed_at: datetime) -> str:
    """The next case number; a number is never given twice, though some stay unused."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(%s)", [SEQUENCE])
        (sequence,) = cursor.fetchone()
    return case_number(filed_at.astimezone(PANAMA).year, sequence)


def reporter_of(case: Case, contact: Contact, at: datetime) -> Reporter:
    return Reporter(
        case=case,
        name=contact.name,
        phone=contact.phone,
        email=contact.email,
        consent=contact.consent,
        consented_at=at,
    )


def own_follow(case: Case, device: Device) -> Follow:
    """The phone that sent the report is told of what happens to it."""
    return Follow(
        case=case,
        device=device,
        language=case.language,
        own=True,
        followed_at=case.filed_at,
    )


# ── It is stored ─────────────────────────────────────────────────────────────────


def store(report: Report, case: Case, photos: list[Photo]) -> None:
    """The case and all that is known with it: everything or nothing, and by then durable.

    Raises IntegrityError when the report has been filed, and NotAsSeen when the category
    says otherwise by now how its cases are shown.
    """
    line = first_line(case)
    rows: list[Model] = [case, line, *photos]
    if report.device:
        rows.append(own_follow(case, report.device))
    if report.contact:
        rows.append(reporter_of(case, report.contact, case.filed_at))
    if report.key:
        rows.append(PartnerAct(case=case, key=report.key, at=case.filed_at))
    tells = tells_sender(report)
    # A statement is a transaction by itself, but jobs are statements of their own; and
    # within another transaction, one that is refused would break it.
    are_several = photos or tells or connection.in_atomic_block
    with transaction.atomic() if are_several else nullcontext():
        insert(*rows, seen=Seen(report.category, SHOWN_BY))
        ask_to_clean(*(photo.pk for photo in photos))
        if tells:
            tell_of(case, line)


def tells_sender(report: Report) -> bool:
    """A job only where there is an address: nobody else knows of the case yet."""
    address = report.contact.email if report.contact else ""
    return bool(address or (report.device and report.device.push))


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
        # Not there at all when there was nothing to choose: as it was always made.
        *([report.district] if report.district else []),
    ]
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_UTC_Z)).hexdigest()
