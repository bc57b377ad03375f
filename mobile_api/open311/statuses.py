"""Our statuses in Open311's two words, and in FixMyStreet's longer list.

Who works for the citizen sees *transferred* as open, whatever FixMyStreet makes of it.
"""

from __future__ import annotations

from backend.cases.workflow import CREW_MAY, OPEN, Status

# As FixMyStreet writes them in updates (Open311 "extended statuses").
EXTENDED = {
    Status.RECEIVED: "OPEN",
    Status.IN_REVIEW: "FOR_TRIAGE",
    Status.ASSIGNED: "INVESTIGATING",
    Status.IN_PROGRESS: "IN_PROGRESS",
    Status.SCHEDULED: "ACTION_SCHEDULED",
    Status.WAITING_FOR_CITIZEN: "INVESTIGATING",
    Status.TRANSFERRED: "INTERNAL_REFERRAL",
    Status.RESOLVED: "FIXED",
    Status.CLOSED: "CLOSED",
    Status.REJECTED: "NO_FURTHER_ACTION",
    Status.DUPLICATE: "DUPLICATE",
    Status.CANCELLED: "CANCELLED",
    Status.REOPENED: "REOPEN",
}
# What an entity's own system may ask for, and where the case goes then. To close a case
# for good, to withdraw and to reopen it are the citizen's; to hand it over and to merge
# it the desk's.
ASKED = {
    "FOR_TRIAGE": Status.IN_REVIEW,
    "INVESTIGATING": Status.ASSIGNED,
    "IN_PROGRESS": Status.IN_PROGRESS,
    "ACTION_SCHEDULED": Status.SCHEDULED,
    "FIXED": Status.RESOLVED,
    "CLOSED": Status.RESOLVED,
    "NO_FURTHER_ACTION": Status.REJECTED,
    "NOT_COUNCILS_RESPONSIBILITY": Status.REJECTED,
}
SYSTEMS_MAY = CREW_MAY | {Status.IN_REVIEW}
# Which say nothing of where the case should go: words about it as it is.
AS_IT_IS = frozenset({"", "OPEN"})
WORDS = ("open", "closed")


def status_of(status: str) -> str:
    return "open" if status in OPEN else "closed"


def statuses_of(words: list[str]) -> frozenset[Status]:
    """Ours that Open311 calls so; all, without a word."""
    return frozenset(
        status for status in Status if not words or status_of(status) in words
    )


def plain(word: str) -> str:
    return word.upper().replace(" ", "_")


def asked_for(word: str) -> Status | None:
    """Where a case should go by one of FixMyStreet's words, or by one of ours."""
    if word.lower() in SYSTEMS_MAY:
        return Status(word.lower())
    return ASKED.get(plain(word))


def is_there(status: Status, word: str) -> bool:
    """Whether a case of this status is where the word would have it, or calls it."""
    called = plain(word) in {EXTENDED[status], status.upper()}
    # What a system can bring about it calls by the word that does: *waiting for the
    # citizen* is told as INVESTIGATING, which would end the wait.
    return asked_for(word) == status or (called and status not in SYSTEMS_MAY)
