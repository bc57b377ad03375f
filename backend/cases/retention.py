"""What was kept long enough goes: how long is each category's own (Ley 81 de 2019).

The time runs from the last line of the history of a case that is not open. What comes
after a case was forgotten, should it be reopened, is forgotten in its turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import (
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)

from backend.accounts.models import Allowance, Device
from backend.cases.follow_links import INVITED_SECONDS
from backend.cases.models import (
    AccessLog,
    Case,
    CaseQuerySet,
    Follow,
    Photo,
    StatusChange,
)
from backend.cases.personal_data import (
    UNDER_WAY,
    forget,
    forget_devices,
    forget_photos,
)
from backend.cases.workflow import OPEN

BATCH = 500
# Of phones that nothing has to do with, after how long, and how many in one night: with
# those that never filed anything, there may be millions.
PHONE_DAYS = 365
MOST_PHONES = 50_000
A_DAY = Value(timedelta(days=1), output_field=DurationField())

Progress = Callable[[Iterable[Any], str], Iterable[Any]]


@dataclass(frozen=True)
class Old:
    """How many of each there are to forget, or were forgotten."""

    cases: int
    photos: int
    devices: int
    invitations: int
    accesses: int
    allowances: int


def quietly(items: Iterable[Any], _what: str) -> Iterable[Any]:
    return items


def what_is_old(at: datetime) -> Old:
    """What `forget_old` would forget at that moment, as things stand."""
    return Old(
        cases=cases_to_forget(at).count(),
        photos=photos_to_strip(at).count(),
        devices=idle_devices(at).count(),
        invitations=unanswered_invitations(at).count(),
        accesses=old_accesses(at).count(),
        allowances=spent_allowances(at).count(),
    )


def forget_old(at: datetime, progress: Progress = quietly) -> Old:
    """Forget what is old, case by case: stopped half-way, the rest is for the next."""
    keys = list(cases_to_forget(at).order_by("pk").values_list("pk", flat=True))
    cases = sum(forget_if_old(key, at) for key in progress(keys, "cases"))
    strip = list(photos_to_strip(at).order_by("pk").values_list("pk", flat=True))
    photos = sum(
        forget_photos(Photo.objects.filter(pk__in=some))
        for some in progress(in_batches(strip), "photos")
    )
    idle = list(idle_devices(at).values_list("pk", flat=True)[:MOST_PHONES])
    devices = sum(
        forget_devices(Device.objects.filter(pk__in=some))
        for some in progress(in_batches(idle), "devices")
    )
    invitations, _ = unanswered_invitations(at).delete()
    accesses, _ = old_accesses(at).delete()
    allowances, _ = spent_allowances(at).delete()
    return Old(cases, photos, devices, invitations, accesses, allowances)


def forget_if_old(key: int, at: datetime) -> bool:
    """Looked at again once it is locked: meanwhile it may have been reopened."""
    with transaction.atomic():
        locked = Case.objects.select_for_update(of=("self",)).get(pk=key)
        if not cases_to_forget(at).filter(pk=key).exists():
            return False
        forget(locked, at)
    return True


def cases_to_forget(at: datetime) -> CaseQuerySet:
    """Those closed for as long as their category keeps the person."""
    since = StatusChange.objects.filter(
        case=OuterRef("pk"), changed_at__gt=OuterRef("forgotten_at")
    )
    return closed_before(at, "category__contact_days").filter(
        # A line since then has changed the case: without a look at the history, most of
        # what was forgotten is left out.
        Q(forgotten_at=None) | Q(updated_at__gt=F("forgotten_at")),
        Q(forgotten_at=None) | Exists(since),
    )


def photos_to_strip(at: datetime) -> QuerySet[Photo]:
    """Those of cases closed for as long as their category keeps what was sent."""
    old = closed_before(at, "category__originals_days").filter(pk=OuterRef("case"))
    return Photo.objects.filter(
        Exists(old),
        ~Q(original="")
        | Q(taken_at__isnull=False)
        | Q(taken_location__isnull=False)
        | Q(state__in=UNDER_WAY),
    )


def closed_before(at: datetime, days: str) -> CaseQuerySet:
    """Those whose last line, which closed them, is older than so many days."""
    last = StatusChange.objects.filter(case=OuterRef("pk")).order_by("-changed_at")
    kept_since = ExpressionWrapper(
        Value(at) - F(days) * A_DAY, output_field=DateTimeField()
    )
    return (
        Case.objects.exclude(status__in=OPEN)
        .annotate(closed_at=Subquery(last.values("changed_at")[:1]))
        # None was closed before it was filed, which is seen without its history.
        .filter(filed_at__lt=kept_since, closed_at__lt=kept_since)
    )


def idle_devices(at: datetime) -> QuerySet[Device]:
    """Phones that nothing here has to do with, and that may do nothing more or are old.

    Should an old one be there still, its app asks for another token.
    """
    made_long_ago = Q(made_at__lt=at - timedelta(days=PHONE_DAYS))
    return Device.objects.filter(
        Q(revoked_at__isnull=False) | made_long_ago,
        cases=None,
        follows=None,
        supports=None,
        flags=None,
    )


def unanswered_invitations(at: datetime) -> QuerySet[Follow]:
    """Addresses whose owner has not said yes while the link there was good."""
    return Follow.objects.filter(
        device=None,
        confirmed_at=None,
        followed_at__lt=at - timedelta(seconds=INVITED_SECONDS),
    )


def old_accesses(at: datetime) -> QuerySet[AccessLog]:
    return AccessLog.objects.filter(
        at__lt=at - timedelta(days=settings.ACCESS_LOG_DAYS)
    )


def spent_allowances(at: datetime) -> QuerySet[Allowance]:
    return Allowance.objects.filter(free_at__lt=at)


def in_batches(keys: list[Any]) -> list[list[Any]]:
    return [keys[start : start + BATCH] for start in range(0, len(keys), BATCH)]
