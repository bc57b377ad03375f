"""Which status may follow which, and which statuses are open."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Status(models.TextChoices):
    RECEIVED = "received", _("Recibido")
    IN_REVIEW = "in_review", _("En revisión")
    ASSIGNED = "assigned", _("Asignado")
    IN_PROGRESS = "in_progress", _("En proceso")
    SCHEDULED = "scheduled", _("Programado")
    WAITING_FOR_CITIZEN = "waiting_for_citizen", _("Esperando al ciudadano")
    TRANSFERRED = "transferred", _("Trasladado")
    RESOLVED = "resolved", _("Resuelto")
    CLOSED = "closed", _("Cerrado")
    REJECTED = "rejected", _("No procede")
    DUPLICATE = "duplicate", _("Duplicado")
    CANCELLED = "cancelled", _("Cancelado")
    REOPENED = "reopened", _("Reabierto")


class NotAllowed(Exception):
    """This status may not follow that one."""

    def __init__(self, before: Status, after: Status) -> None:
        super().__init__(f"{before} → {after}")
        self.before = before
        self.after = after


OPEN = frozenset(
    {
        Status.RECEIVED,
        Status.IN_REVIEW,
        Status.ASSIGNED,
        Status.IN_PROGRESS,
        Status.SCHEDULED,
        Status.WAITING_FOR_CITIZEN,
        Status.TRANSFERRED,
        Status.REOPENED,
    }
)
# Done, as the public sees it: what the entity says is solved, confirmed or not.
RESOLVED = frozenset({Status.RESOLVED, Status.CLOSED})
PAUSED = frozenset({Status.WAITING_FOR_CITIZEN})

WORK = {
    Status.IN_REVIEW,
    Status.ASSIGNED,
    Status.IN_PROGRESS,
    Status.SCHEDULED,
    Status.WAITING_FOR_CITIZEN,
    Status.RESOLVED,
    Status.REJECTED,
    Status.DUPLICATE,
}
FOLLOWED_BY: dict[Status, set[Status]] = {
    Status.RECEIVED: WORK | {Status.TRANSFERRED, Status.CANCELLED},
    Status.IN_REVIEW: WORK - {Status.IN_REVIEW}
    | {Status.TRANSFERRED, Status.CANCELLED},
    Status.ASSIGNED: WORK - {Status.ASSIGNED} | {Status.TRANSFERRED, Status.CANCELLED},
    Status.IN_PROGRESS: WORK - {Status.IN_PROGRESS} | {Status.CANCELLED},
    Status.SCHEDULED: WORK - {Status.SCHEDULED} | {Status.CANCELLED},
    Status.WAITING_FOR_CITIZEN: WORK - {Status.WAITING_FOR_CITIZEN}
    | {Status.CANCELLED},
    Status.TRANSFERRED: WORK | {Status.CANCELLED},
    Status.RESOLVED: {Status.CLOSED, Status.REOPENED},
    Status.CLOSED: {Status.REOPENED},
    Status.REJECTED: {Status.REOPENED},
    Status.DUPLICATE: {Status.REOPENED},
    Status.CANCELLED: set(),
    Status.REOPENED: WORK | {Status.TRANSFERRED, Status.CANCELLED},
}
# What a crew in the street may do; the rest is the desk's and the citizen's.
CREW_MAY = {
    Status.ASSIGNED,
    Status.IN_PROGRESS,
    Status.SCHEDULED,
    Status.WAITING_FOR_CITIZEN,
    Status.RESOLVED,
    Status.REJECTED,
}
# What whoever reported a case may do with it: from which statuses, and where it leads.
CITIZEN_MAY: dict[str, tuple[frozenset[Status], Status]] = {
    "confirm": (frozenset({Status.RESOLVED}), Status.CLOSED),
    "reopen": (
        frozenset({Status.RESOLVED, Status.CLOSED, Status.REJECTED, Status.DUPLICATE}),
        Status.REOPENED,
    ),
    "answer": (PAUSED, Status.IN_REVIEW),
    "cancel": (OPEN, Status.CANCELLED),
}


def check_step(before: Status, after: Status) -> None:
    """Raises NotAllowed when `after` may not follow `before`."""
    if after not in FOLLOWED_BY[before]:
        raise NotAllowed(before, after)


def check_citizens_step(before: Status, after: Status) -> None:
    """Raises NotAllowed when it is not the citizen's to take the case there."""
    if not any(
        before in come_from and after == to for come_from, to in CITIZEN_MAY.values()
    ):
        raise NotAllowed(before, after)
