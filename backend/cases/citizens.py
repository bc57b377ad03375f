"""What citizens do with a case: support it, follow it, flag it, answer for their own."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from backend.accounts.encryption import fingerprint_of
from backend.accounts.limits import (
    Limit,
    TooMany,
    Use,
    give_all_back,
    give_back,
    take,
    take_all,
)
from backend.accounts.models import ApiKey, Device, User
from backend.cases.handling import Changed, Transition, change_status, may_reopen
from backend.cases.models import Case, Flag, Follow, Photo, Support
from backend.cases.review import end_review
from backend.cases.workflow import CITIZEN_MAY, PAUSED, Status
from backend.jobs import enqueue

# What one case's reporter may do with it, and how often an address may be written to
# by strangers who claim that it is theirs: for one case, and for all.
STEPS = Limit("citizens-steps", times=30, seconds=3600)
INVITATIONS_TO_A_CASE = Limit("invited-to-case", times=1, seconds=3600)
INVITATIONS = Limit("invited", times=5, seconds=24 * 3600)

INVITE = "backend.cases.tasks.invite_follower"


class FlagIdReused(Exception):
    """This id has been used for another flag."""


class NotItsPhoto(Exception):
    """The case shows no such photo."""


@dataclass(frozen=True)
class Complaint:
    """What somebody says a case, or a photo of it, should not show.

    `id` is made on the phone: sent twice, it is noted once.
    """

    id: UUID
    reason: str
    note: str = ""
    photo: UUID | None = None


# ── Support ──────────────────────────────────────────────────────────────────────


def support(
    case: Case, device: Device, *, own: bool = False, at: datetime | None = None
) -> bool:
    """«A mí también me afecta», once per phone; whether it is new.

    Whoever supports a case follows it from then on. Whoever reported it has already
    said so, and only follows.
    """
    given_at = at or timezone.now()
    if own or is_reporters(case, device):
        return follow(case, device, own=True, at=given_at)
    with transaction.atomic():
        _, is_new = Support.objects.get_or_create(
            case=case, device=device, defaults={"given_at": given_at}
        )
        # Not again: who stopped following meanwhile would be made to.
        if is_new:
            follow(case, device, at=given_at)
    return is_new


def supports_of(case: Case) -> int:
    """How many others it affects too."""
    return case.supports.count()


def is_reporters(case: Case, device: Device) -> bool:
    return case.device_id == device.pk


# ── Follow ───────────────────────────────────────────────────────────────────────


def follow(
    case: Case, device: Device, *, own: bool = False, at: datetime | None = None
) -> bool:
    """Tell this phone of what happens to the case; whether it was not told before."""
    followed_at = at or timezone.now()
    _, is_new = Follow.objects.get_or_create(
        case=case,
        device=device,
        defaults={
            "language": device.language,
            "own": own or is_reporters(case, device),
            "followed_at": followed_at,
            "confirmed_at": followed_at,
        },
    )
    return is_new


def unfollow(case: Case, device: Device) -> bool:
    """Whether it was followed."""
    gone, _ = Follow.objects.filter(case=case, device=device).delete()
    return gone > 0


def follows(case: Case, device: Device) -> bool:
    return Follow.objects.filter(case=case, device=device).exists()


def invite(
    case: Case,
    email: str,
    language: str,
    *,
    own: bool = False,
    at: datetime | None = None,
) -> None:
    """Ask whoever reads an address whether they want to be told.

    Says nothing of whether the address follows already, or has been asked today: who
    asks may be somebody else.
    """
    asked_at = at or timezone.now()
    address = fingerprint_of(email.casefold(), "follow")
    known = Follow.objects.filter(case=case, email_fingerprint=address)
    if known.filter(confirmed_at__isnull=False).exists():
        return
    uses = [
        Use(INVITATIONS_TO_A_CASE, f"{case.pk}-{address}"),
        Use(INVITATIONS, address),
    ]
    try:
        take_all(uses)
    except TooMany:
        return  # Nobody is told: it would say what others asked for.
    try:
        with transaction.atomic():
            follower, _ = Follow.objects.update_or_create(
                case=case,
                email_fingerprint=address,
                # The new link is good for as long as the first was, and in the words
                # of who asks now; with the PIN once is with the PIN.
                defaults={
                    "language": language,
                    "followed_at": asked_at,
                    **({"own": True} if own else {}),
                },
                create_defaults={
                    "email": email,
                    "language": language,
                    "own": own,
                    "followed_at": asked_at,
                },
            )
            enqueue(INVITE, follow_id=follower.pk)
    except Exception:
        give_all_back(uses)  # Nothing was asked, so it may be tried again.
        raise


def confirm(follower: Follow, at: datetime | None = None) -> None:
    """The owner of the address said yes. Said twice, the first time counts."""
    Follow.objects.filter(pk=follower.pk, confirmed_at=None).update(
        confirmed_at=at or timezone.now()
    )


# ── Flag ─────────────────────────────────────────────────────────────────────────


def flag(
    case: Case,
    device: Device | None,
    complaint: Complaint,
    at: datetime | None = None,
    *,
    key: ApiKey | None = None,
) -> bool:
    """A person is to look at the case, which stays where it is; whether it is new.

    It comes from a phone, or with the key of another system.
    Raises FlagIdReused, NotItsPhoto.
    """
    raised_at = at or timezone.now()
    if noted(case, device, complaint):
        return False
    if complaint.photo and not shown(case, complaint.photo):
        raise NotItsPhoto
    try:
        with transaction.atomic():
            raised = Flag.objects.create(
                id=complaint.id,
                case=case,
                device=device,
                photo_id=complaint.photo,
                reason=complaint.reason,
                note=complaint.note,
                raised_at=raised_at,
            )
            if key:
                case.partner_acts.create(key=key, flag=raised, at=raised_at)
            Case.objects.filter(pk=case.pk).update(under_review=True)
    except IntegrityError:
        # Sent twice at once.
        if noted(case, device, complaint):
            return False
        raise
    return True


def noted(case: Case, device: Device | None, complaint: Complaint) -> bool:
    """Raises FlagIdReused when the id is another complaint's, or another phone's."""
    earlier = Flag.objects.filter(pk=complaint.id).first()
    if earlier is None:
        return False
    said = (earlier.case_id, earlier.device_id, earlier.reason, earlier.note)
    phone = device and device.pk
    if said != (case.pk, phone, complaint.reason, complaint.note):
        raise FlagIdReused
    if earlier.photo_id != complaint.photo:
        raise FlagIdReused
    return True


def shown(case: Case, photo: UUID) -> bool:
    photos = Photo.objects.filter(case=case, pk=photo, released_at__isnull=False)
    return photos.exists()


def settle(flags: list[Flag], by: User, at: datetime | None = None) -> None:
    """A person has looked, and the cases wait for it no more."""
    with transaction.atomic():
        ids = {flag.case_id for flag in flags}
        # Locked, or a flag raised meanwhile would find the review just ended.
        cases = list(Case.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
        Flag.objects.filter(pk__in=[flag.pk for flag in flags], settled_at=None).update(
            settled_at=at or timezone.now(), settled_by=by
        )
        for case in cases:
            end_review(case.pk)


# ── The reporter's own ───────────────────────────────────────────────────────────


def step_of(action: str, id: UUID, note: str = "") -> Transition:
    """What `confirm`, `reopen`, `answer` or `cancel` asks for."""
    _, to = CITIZEN_MAY[action]
    return Transition(to, note, id)


def take_step(
    case: Case,
    step: Transition,
    at: datetime | None = None,
    *,
    meant_for: Container[int] | None = None,
) -> Changed:
    """The reporter moves the own case on, as `change_status` does.

    Raises what that does, and TooMany.
    """
    take(STEPS, case.number)
    changed = change_status(case, step, None, at, by_reporter=True, meant_for=meant_for)
    if not changed.is_new:
        give_back(STEPS, case.number)
    return changed


def possible(case: Case, at: datetime | None = None) -> dict[str, bool]:
    """Which of these steps the reporter could take now."""
    can = {
        action: case.status in come_from
        for action, (come_from, _) in CITIZEN_MAY.items()
    }
    can["reopen"] &= may_reopen(case, at or timezone.now())
    return can


def question_to(case: Case) -> str | None:
    """What the reporter is asked, while somebody waits for the answer."""
    if case.status not in PAUSED:
        return None
    asked = case.history.filter(status=Status.WAITING_FOR_CITIZEN).last()
    return asked.note if asked else None
