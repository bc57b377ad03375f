"""A crew or an operator moves a case on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO
from uuid import UUID

import orjson
from django.db import IntegrityError, transaction
from django.utils import timezone

from backend.accounts.models import User
from backend.cases.filing import photo_rows
from backend.cases.models import Case, Photo, StatusChange
from backend.cases.photos import clean_photo, digest_of, stored
from backend.cases.privacy import without_personal_data
from backend.cases.workflow import OPEN, RESOLVED, Status, check_step

# The citizen is owed a reason, or a question that can be answered.
NEEDS_NOTE = frozenset({Status.REJECTED, Status.WAITING_FOR_CITIZEN})


class TransitionIdReused(Exception):
    """This id has been used for another transition."""


class NoteRequired(Exception):
    """This status says nothing to the citizen without a note."""


@dataclass(frozen=True)
class Transition:
    """A step that somebody wants a case to take.

    `id` is made on the phone: sent twice, it is done once. `at` is the phone's time.
    """

    to: Status
    note: str = ""
    id: UUID | None = None
    at: datetime | None = None
    photos: list[BinaryIO] = field(default_factory=list)


@dataclass(frozen=True)
class Changed:
    change: StatusChange
    is_new: bool


def change_status(
    case: Case, step: Transition, by: User | None, at: datetime | None = None
) -> Changed:
    """Move a case on, once per transition id, and add the line to its history.

    Raises NotAllowed, NoteRequired, TransitionIdReused, NotAnImage, ImageTooLarge.
    """
    digest = digest_of_transition(case, step)
    earlier = already_done(step, digest)
    if earlier:
        return Changed(earlier, is_new=False)

    if step.to in NEEDS_NOTE and not step.note.strip():
        raise NoteRequired
    photos = [clean_photo(photo) for photo in step.photos]  # slow: no transaction yet
    changed_at = at or timezone.now()

    try:
        with stored(photos, changed_at) as kept, transaction.atomic():
            locked = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
            # The same transition may have been done while this one waited for the row.
            if already_done(step, digest):
                raise AlreadyDone
            check_step(Status(locked.status), step.to)
            change = new_line(locked, step, digest, by, changed_at)
            Photo.objects.bulk_create(photo_rows(locked, kept, changed_at, change))
            move(locked, step.to, changed_at)
    except (IntegrityError, AlreadyDone):
        earlier = already_done(step, digest)
        if earlier is None:
            raise
        return Changed(earlier, is_new=False)
    return Changed(change, is_new=True)


class AlreadyDone(Exception):
    """The twin of this transition came first."""


def already_done(step: Transition, digest: str) -> StatusChange | None:
    if step.id is None:
        return None
    change = StatusChange.objects.filter(transition_id=step.id).first()
    if change and change.transition_digest != digest:
        raise TransitionIdReused
    return change


def new_line(
    case: Case, step: Transition, digest: str, by: User | None, at: datetime
) -> StatusChange:
    return StatusChange.objects.create(
        case=case,
        status=step.to,
        note=step.note,
        public_note=without_personal_data(step.note),
        changed_at=at,
        reported_at=step.at,
        changed_by=by,
        transition_id=step.id,
        transition_digest=digest,
    )


def move(case: Case, to: Status, at: datetime) -> None:
    case.status = to
    # Never backwards, or an increment since the last change would miss this one.
    case.updated_at = max(at, case.updated_at)
    if to in OPEN:
        case.resolved_at = None
    elif to in RESOLVED and case.resolved_at is None:
        case.resolved_at = at
    case.save(update_fields=["status", "updated_at", "resolved_at"])


def digest_of_transition(case: Case, step: Transition) -> str:
    said = [
        case.number,
        step.to,
        step.note,
        step.at,
        [digest_of(photo) for photo in step.photos],
    ]
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_UTC_Z)).hexdigest()
