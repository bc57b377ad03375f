"""A crew, an operator or whoever reported it moves a case on."""

from __future__ import annotations

import hashlib
from collections.abc import Container
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import BinaryIO
from uuid import UUID

import orjson
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q
from django.utils import timezone

from backend.accounts.models import ApiKey, User
from backend.cases.days_off import promised_after_asking
from backend.cases.models import Case, StatusChange
from backend.cases.notices import tell_of
from backend.cases.photos import digest_of, kept, take_in
from backend.cases.privacy import is_digest, without_personal_data
from backend.cases.workflow import (
    OPEN,
    PAUSED,
    RESOLVED,
    Status,
    check_citizens_step,
    check_step,
)

# The citizen is owed a reason, or a question that can be answered; and owes an answer
# to a question, or a word on what is not done.
NEEDS_NOTE = frozenset({Status.REJECTED, Status.WAITING_FOR_CITIZEN})
CITIZENS_NEED_NOTE = frozenset({Status.REOPENED, Status.IN_REVIEW})


class TransitionIdReused(Exception):
    """This id has been used for another transition."""


class NoteRequired(Exception):
    """This status says nothing without a note."""


class ChangedMeanwhile(Exception):
    """The step was meant for another version of the case than `version`, the present."""

    def __init__(self, version: int) -> None:
        super().__init__(f"version {version}")
        self.version = version


class NoLonger(Exception):
    """The case has been closed for too long to be opened again."""


@dataclass(frozen=True)
class Transition:
    """A step that somebody wants a case to take.

    `id` is made on the phone: sent twice, it is done once. `at` is the phone's time.
    `key` is of the system that asks for it, if one does.
    """

    to: Status
    note: str = ""
    id: UUID | None = None
    at: datetime | None = None
    photos: list[BinaryIO] = field(default_factory=list)
    key: ApiKey | None = None


@dataclass(frozen=True)
class Changed:
    """The line of the history, and the version of the case that it made."""

    change: StatusChange
    is_new: bool
    version: int


def change_status(
    case: Case,
    step: Transition,
    by: User | None,
    at: datetime | None = None,
    *,
    by_reporter: bool = False,
    meant_for: Container[int] | None = None,
) -> Changed:
    """Move a case on, once per transition id, and add the line to its history.

    With `meant_for`, only while the case's version is one of these: of two steps that
    were meant for the same version, exactly one is taken.
    Raises NotAllowed, NoLonger, NoteRequired, ChangedMeanwhile, TransitionIdReused,
    NotAnImage, ImageTooLarge, StorageAway.
    """
    digest = digest_of_transition(case, step, by_reporter=by_reporter)
    earlier = already_done(step, digest)
    if earlier:
        return done_before(earlier)

    check_note(step, by_reporter=by_reporter)

    try:
        begun = at or timezone.now()
        with kept(step.photos, begun) as originals, transaction.atomic():
            locked = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
            # Not before: keeping photos takes time, and whoever asked meanwhile for
            # what is new would never see a line of an earlier moment.
            changed_at = at or timezone.now()
            # The same transition may have been done while this one waited for the row.
            if already_done(step, digest):
                raise AlreadyDone
            if meant_for is not None and locked.version not in meant_for:
                raise ChangedMeanwhile(locked.version)
            check_may(locked, step.to, changed_at, by_reporter=by_reporter)
            change = new_line(
                locked, step, digest, by, changed_at, by_reporter=by_reporter
            )
            if step.key:
                locked.partner_acts.create(key=step.key, change=change, at=changed_at)
            take_in(locked, originals, changed_at, change)
            move(locked, step.to, changed_at)
            tell_of(locked, change)
    except (IntegrityError, AlreadyDone):
        earlier = already_done(step, digest)
        if earlier is None:
            raise
        return done_before(earlier)
    return Changed(change, is_new=True, version=locked.version)


class AlreadyDone(Exception):
    """The twin of this transition came first."""


def already_done(step: Transition, digest: str) -> StatusChange | None:
    if step.id is None:
        return None
    change = StatusChange.objects.filter(transition_id=step.id).first()
    if change and not is_digest(change.transition_digest, digest):
        raise TransitionIdReused
    return change


def done_before(change: StatusChange) -> Changed:
    """The same answer as the first time, whatever has happened to the case since."""
    later = Count("history", filter=Q(history__pk__gt=change.pk))
    version = (
        Case.objects.filter(pk=change.case_id)
        .annotate(made=F("version") - later)
        .values_list("made", flat=True)
        .get()
    )
    return Changed(change, is_new=False, version=version)


def check_note(step: Transition, *, by_reporter: bool) -> None:
    """Raises NoteRequired."""
    needs_note = CITIZENS_NEED_NOTE if by_reporter else NEEDS_NOTE
    if step.to in needs_note and not step.note.strip():
        raise NoteRequired


def check_may(case: Case, to: Status, at: datetime, *, by_reporter: bool) -> None:
    """Raises NotAllowed, NoLonger."""
    check_step(Status(case.status), to)
    if not by_reporter:
        return
    check_citizens_step(Status(case.status), to)
    if to == Status.REOPENED and not may_reopen(case, at):
        raise NoLonger


def may_reopen(case: Case, at: datetime) -> bool:
    """Whether its closing, if it is closed, is recent enough to be taken back."""
    if case.status != Status.CLOSED:
        return True
    closed = case.history.filter(status=Status.CLOSED).last()
    closed_at = closed.changed_at if closed else case.updated_at
    return at <= closed_at + timedelta(days=settings.REOPEN_DAYS)


def new_line(
    case: Case,
    step: Transition,
    digest: str,
    by: User | None,
    at: datetime,
    *,
    by_reporter: bool,
) -> StatusChange:
    return StatusChange.objects.create(
        case=case,
        status=step.to,
        note=step.note,
        # What citizens tell who answers them is not told to everybody.
        public_note="" if by_reporter else without_personal_data(step.note),
        changed_at=at,
        reported_at=step.at,
        changed_by=by,
        by_reporter=by_reporter,
        transition_id=step.id,
        transition_digest=digest,
    )


def move(case: Case, to: Status, at: datetime) -> None:
    if case.status in PAUSED:
        case.due_at = due_after_asking(case, at)
    case.status = to
    case.version += 1
    # Never backwards, or an increment since the last change would miss this one.
    case.updated_at = max(at, case.updated_at)
    if to in OPEN:
        case.resolved_at = None
    elif to in RESOLVED and case.resolved_at is None:
        case.resolved_at = at
    case.save(
        update_fields=["status", "version", "due_at", "updated_at", "resolved_at"]
    )


def due_after_asking(case: Case, at: datetime) -> datetime:
    """When it is due, the time that it waited for the citizen given back."""
    asked = case.history.filter(status__in=PAUSED).last()
    if asked is None:
        return case.due_at
    return promised_after_asking(case.category, case.due_at, asked.changed_at, at)


def digest_of_transition(
    case: Case, step: Transition, *, by_reporter: bool = False
) -> str:
    said: list[object] = [
        case.number,
        step.to,
        step.note,
        step.at,
        [digest_of(photo) for photo in step.photos],
    ]
    if by_reporter:
        said.append("by the reporter")
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_UTC_Z)).hexdigest()
