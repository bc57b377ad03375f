"""What of a case is a person's, and how it goes when they ask; the case stays."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from backend.accounts.models import Device
from backend.cases.models import (
    AccessLog,
    Case,
    Category,
    Flag,
    Follow,
    Notice,
    Photo,
    Reporter,
    StatusChange,
    Support,
)
from backend.cases.privacy import TAKEN_OUT, blurred, without_personal_data
from backend.jobs import enqueue

REPORTER = "reporter"  # in `Notice.recipient`
SHORTEST_NAME = 3  # letters: what is shorter is in half of all words
ACCENTED = {
    "a": "[aáàâä]",
    "e": "[eéèêë]",
    "i": "[iíìîï]",
    "o": "[oóòôö]",
    "u": "[uúùûü]",
    "n": "[nñ]",
    "c": "[cç]",
}
DELETE_FILES = "backend.cases.tasks.delete_files"
UNDER_WAY = (Photo.State.UPLOADING, Photo.State.RECEIVED)
BY_REPORTER = Q(change=None) | Q(change__by_reporter=True)


class NeededWhileOpen(Exception):
    """An open *denuncia* needs to know who makes it (Ley 38 de 2000, art. 65)."""


# ── What of a case is whose ──────────────────────────────────────────────────────


def reporter_of(case: Case) -> Reporter | None:
    return Reporter.objects.filter(case=case).first()


def by_own_phone(case: Case) -> Q:
    """Of what a phone did to the case: what the reporter's own did."""
    return Q(device=case.device_id) if case.device_id else Q(pk__in=[])


def own_follows(case: Case, reporter: Reporter | None) -> list[Follow]:
    """The reporter's phone and addresses; other people's are not theirs to see."""
    address = reporter.email.casefold() if reporter else ""
    own = {
        follow.pk for follow in case.follows.filter(Q(own=True) | by_own_phone(case))
    }
    return [
        follow
        for follow in case.follows.order_by("pk")
        if follow.pk in own or (address and follow.email.casefold() == address)
    ]


def notices_to_reporter(case: Case, follows: list[Follow]) -> QuerySet[Notice]:
    told = [REPORTER, *(f"follow:{follow.pk}" for follow in follows)]
    return Notice.objects.filter(change__case=case, recipient__in=told)


# ── It goes ──────────────────────────────────────────────────────────────────────


def erase_me(case: Case, at: datetime) -> None:
    """Take the person out of their case, for good. Asked again, it does so again.

    Raises NeededWhileOpen.
    """
    with transaction.atomic():
        locked = Case.objects.select_for_update(of=("self",)).get(pk=case.pk)
        if locked.act == Category.Act.DENUNCIATION and locked.is_open:
            raise NeededWhileOpen
        forget(locked, at)
        log_own_access(locked, AccessLog.What.ERASED, at)


def log_own_access(case: Case, what: AccessLog.What, at: datetime) -> None:
    """Once an hour: who has the PIN may call without end, and a line is kept for years.

    In a transaction that has locked the case.
    """
    since = at - timedelta(hours=1)
    if not case.accesses.filter(who=None, what=what, at__gt=since).exists():
        case.accesses.create(what=what, at=at)


def forget(case: Case, at: datetime) -> None:
    """Take out of a case, which is locked, all that is of who reported it.

    What happened stays: number, category, point, dates, published pictures, and the
    words without what could be somebody's. So does the report's id: sent again by
    the phone, it is this case and nothing comes back.
    """
    reporter = reporter_of(case)
    clean = Cleaner(reporter)
    device = case.device_id
    forget_followers(case, reporter)
    forget_words_of_others(case, clean)
    forget_hidden_pictures(case.photos.filter(BY_REPORTER))
    forget_photos(case.photos.filter(BY_REPORTER))
    Reporter.objects.filter(case=case).delete()

    public = clean(case.public_description)
    if public != case.public_description:
        # Whoever keeps a copy of the public cases must hear of it.
        case.updated_at = max(at, case.updated_at)
    case.description = case.public_description = public
    case.place_hint = ""
    case.accuracy = case.captured_at = case.device = None
    case.report_digest = blurred(case.report_digest)
    if is_unforgotten(case):
        case.forgotten_at = at
    case.save(
        update_fields=[
            "updated_at",
            "description",
            "public_description",
            "place_hint",
            "accuracy",
            "captured_at",
            "device",
            "report_digest",
            "forgotten_at",
        ]
    )
    if device:
        forget_devices(Device.objects.filter(pk=device))


def is_unforgotten(case: Case) -> bool:
    """Whether something has been written since it was forgotten, if it ever was."""
    since = case.forgotten_at
    return since is None or case.history.filter(changed_at__gt=since).exists()


class Cleaner:
    """Takes out of words what could be somebody's, and the reporter's own name."""

    def __init__(self, reporter: Reporter | None) -> None:
        parts = reporter.name.split() if reporter else []
        long_enough = len("".join(parts)) >= SHORTEST_NAME
        self.name = name_pattern(parts) if long_enough else None

    def __call__(self, text: str) -> str:
        text = without_personal_data(text)
        return self.name.sub(TAKEN_OUT, text) if self.name else text


def name_pattern(parts: list[str]) -> re.Pattern[str]:
    """A name as people write it: in any case, with its accents or without."""
    return re.compile(
        r"(?<!\w)" + r"\s+".join(map(loosely, parts)) + r"(?!\w)", re.IGNORECASE
    )


def loosely(word: str) -> str:
    letters = unicodedata.normalize("NFKD", word)
    return "".join(
        ACCENTED.get(letter.lower(), re.escape(letter))
        for letter in letters
        if not unicodedata.combining(letter)
    )


def forget_followers(case: Case, reporter: Reporter | None) -> None:
    """Other people go on following."""
    follows = own_follows(case, reporter)
    notices_to_reporter(case, follows).delete()
    Follow.objects.filter(pk__in=[follow.pk for follow in follows]).delete()
    Support.objects.filter(by_own_phone(case), case=case).delete()
    Flag.objects.filter(by_own_phone(case), case=case).update(device=None)


def forget_words_of_others(case: Case, clean: Cleaner) -> None:
    """In what was written about the case, too, somebody may have named the person."""
    lines = list(case.history.all())
    for line in lines:
        line.note = line.public_note = clean(line.public_note)
        line.transition_digest = blurred(line.transition_digest)
        if line.by_reporter:
            line.reported_at = None  # their phone's clock
    StatusChange.objects.bulk_update(
        lines, ["note", "public_note", "transition_digest", "reported_at"]
    )
    flags = list(case.flags.all())
    for flag in flags:
        flag.note = clean(flag.note)
    Flag.objects.bulk_update(flags, ["note"])
    accesses = list(case.accesses.exclude(why=""))
    for access in accesses:
        access.why = clean(access.why)
    AccessLog.objects.bulk_update(accesses, ["why"])


def forget_hidden_pictures(photos: QuerySet[Photo]) -> None:
    """Take away pictures that nobody published, or that somebody took from sight.

    Their files go by a job of this transaction, which has locked their case.
    """
    hidden = list(photos.filter(state=Photo.State.READY, released_at=None))
    keys = [photo.pk for photo in hidden]
    Flag.objects.filter(photo__in=keys).update(photo=None)  # or they would go with it
    Photo.objects.filter(pk__in=keys).delete()
    files = [
        name
        for photo in hidden
        for name in (photo.original, photo.image, photo.thumbnail)
        if name
    ]
    if files:
        enqueue(DELETE_FILES, names=list(files))


def forget_photos(photos: QuerySet[Photo]) -> int:
    """Take away what was sent, and what it said of when and where; how many had any.

    What is published of them stays; what is not ready yet goes whole. Their files go
    by a job of this transaction: not before it, and then surely.
    """
    files: list[str] = []
    with transaction.atomic():
        locked = list(photos.select_for_update(of=("self",)).order_by("pk"))
        for photo in locked:
            files += filter(None, [photo.original])
            if photo.state in UNDER_WAY:
                files += photo.parts.values_list("name", flat=True)
        keys = [photo.pk for photo in locked]
        Photo.objects.filter(pk__in=keys, state__in=UNDER_WAY).delete()
        Photo.objects.filter(pk__in=keys).update(
            original="", taken_at=None, taken_location=None
        )
        if files:
            enqueue(DELETE_FILES, names=list(files))
    return len(locked)


def forget_devices(devices: QuerySet[Device]) -> int:
    """Delete phones with which nothing here has to do any more; how many.

    An app whose phone is gone asks for another when it has something to send.
    """
    with transaction.atomic():
        # Locked first, so that what they are sending now is seen.
        keys = list(devices.select_for_update().values_list("pk", flat=True))
        idle = Device.objects.filter(
            pk__in=keys, cases=None, follows=None, supports=None, flags=None
        )
        count = idle.count()
        idle.delete()
    return count
