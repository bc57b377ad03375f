"""Who is told of what happens to a case, and that each of them is told once.

A line of the history has a job that writes one notice for each channel and recipient,
and each notice has a job that delivers it. A notice is the ledger's: what it says was
sent is not sent again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from backend.accounts.encryption import fingerprint_of, readable
from backend.accounts.models import Device
from backend.cases import letters
from backend.cases.models import Case, Follow, Notice, Reporter, StatusChange
from backend.cases.push import Push, SubscriptionGone
from backend.cases.workflow import Status
from backend.jobs import alone_with, enqueue, enqueue_each

TELL = "backend.cases.tasks.tell"
DELIVER = "backend.cases.tasks.deliver"
REPORTER = "reporter"
FOLLOW = "follow:"


class Recipient(NamedTuple):
    channel: str
    name: str


class NobodyThere(Exception):
    """Who was to be told is not to be reached any more; `why` in a word."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def tell_of(case: Case, change: StatusChange) -> None:
    """Have those concerned told of this line, if the current transaction commits it."""
    if not case.demo:  # Nobody waits for news of what was made up.
        enqueue(TELL, change_id=change.pk)


# ── Who ──────────────────────────────────────────────────────────────────────────


def tell(change_id: int, at: datetime | None = None) -> None:
    """Write the notices of a line of the history, with a job to deliver each."""
    with transaction.atomic():
        lines = StatusChange.objects.select_for_update(of=("self",))
        change = lines.filter(pk=change_id).first()
        if change is None:  # Taken back since, with its case.
            return
        told = set(change.notices.values_list("channel", "recipient"))
        now = at or timezone.now()
        new = Notice.objects.bulk_create(
            Notice(change=change, channel=who.channel, recipient=who.name, made_at=now)
            for who in recipients(change.case_id)
            if who not in told
        )
        enqueue_each(DELIVER, ({"notice_id": notice.pk} for notice in new))


def recipients(case_id: int) -> Iterator[Recipient]:
    """Whoever left an address when reporting, and the followers who can be reached."""
    own_address = ""
    for reporter in Reporter.objects.filter(case=case_id).exclude(email=""):
        own_address = reporter.email.casefold()
        yield Recipient(Notice.Channel.EMAIL, REPORTER)
    follows = Follow.objects.filter(case=case_id)
    for follow in follows.exclude(email="").filter(confirmed_at__isnull=False):
        if follow.email.casefold() != own_address:
            yield Recipient(Notice.Channel.EMAIL, f"{FOLLOW}{follow.pk}")
    reached = follows.filter(device__revoked_at=None).exclude(device__push="")
    for key in reached.filter(device__isnull=False).values_list("pk", flat=True):
        yield Recipient(Notice.Channel.PUSH, f"{FOLLOW}{key}")


# ── How ──────────────────────────────────────────────────────────────────────────


def deliver(notice_id: int, at: datetime | None = None) -> None:
    """Send a notice that is not sent yet, and mark it so.

    Sent again only by who dies, or loses the database, between the two. Raises TryLater,
    Hopeless, DataKeyLost.
    """
    with alone_with(f"notice:{notice_id}"):
        notice = waiting(notice_id)
        if notice is None:
            return
        try:
            send(notice)
        except NobodyThere as gone:
            mark(notice, given_up=gone.why)
        else:
            mark(notice, sent_at=at or timezone.now())


def waiting(notice_id: int) -> Notice | None:
    return (
        Notice.objects.filter(pk=notice_id, sent_at=None, given_up="")
        .select_related("change__case__category", "change__case__entity")
        .first()
    )


def mark(notice: Notice, **outcome: str | datetime) -> None:
    Notice.objects.filter(pk=notice.pk).update(**outcome)


def send(notice: Notice) -> None:
    """Raises NobodyThere, TryLater, Hopeless, DataKeyLost."""
    if notice.channel == Notice.Channel.PUSH:
        push_to(follow_of(notice), notice)
    elif notice.recipient == REPORTER:
        write_to_reporter(notice)
    else:
        write_to_follower(follow_of(notice), notice)


def write_to_reporter(notice: Notice) -> None:
    case = notice.change.case
    reporter = Reporter.objects.filter(case=case).exclude(email="").first()
    if reporter is None:
        raise NobodyThere("forgotten")
    with override(case.language):
        post(letters.to_reporter(notice.change, mark_of(notice)), reporter.email)


def write_to_follower(follow: Follow, notice: Notice) -> None:
    with override(follow.language):
        letter = letters.to_follower(notice.change, follow, mark_of(notice))
        post(letter, follow.email)


def mark_of(notice: Notice) -> str:
    return f"notice:{notice.pk}"


def post(letter: letters.Letter, address: str) -> None:
    try:
        letters.post(letter, address)
    except letters.AddressRefused as refused:
        raise NobodyThere("address-refused") from refused


def follow_of(notice: Notice) -> Follow:
    """Whom a notice is for, if they still follow."""
    key = notice.recipient.removeprefix(FOLLOW)
    follow = Follow.objects.select_related("device").filter(pk=key).first()
    if follow is None:
        raise NobodyThere("unfollowed")
    return follow


def push_to(follow: Follow, notice: Notice) -> None:
    # Half a second's loading, which the web process is spared: it tells nobody.
    from backend.cases.push_sending import send_push

    device = follow.device
    if device is None or not readable(device.push):
        raise NobodyThere("push-off")
    subscription = json.loads(device.push)
    try:
        with override(device.language):
            send_push(subscription, push_of(notice.change))
    except SubscriptionGone as gone:
        forget_push(device, subscription)
        raise NobodyThere("subscription-gone") from gone


def forget_push(device: Device, subscription: object) -> None:
    """Unless the phone has another meanwhile."""
    with transaction.atomic():
        now = Device.objects.select_for_update().get(pk=device.pk)
        if now.push and json.loads(now.push) == subscription:
            now.push = ""
            now.save(update_fields=["push"])


def push_of(change: StatusChange) -> Push:
    """In the language in force; of a private case it says that there is something."""
    case = change.case
    # In the phone's list, what is new of a case takes the place of what was.
    tag = fingerprint_of(case.number, "push tag")[:16]
    if case.category.private:
        return Push("311 móvil", _("Hay novedades en su caso"), tag)
    said = _("Caso %(number)s: %(status)s") % {
        "number": case.number,
        "status": Status(change.status).label,
    }
    return Push("311 móvil", said, tag, case.number)


def invite(follow_id: int) -> None:
    """Ask the owner of an address whether they want to follow; raises TryLater."""
    waiting_for_word = Follow.objects.filter(pk=follow_id, confirmed_at=None)
    follow = (
        waiting_for_word.exclude(email="")
        .select_related("case__category", "case__entity")
        .first()
    )
    if follow is None:  # They said so, or somebody took it back.
        return
    try:
        with override(follow.language):
            letters.post(letters.invitation(follow), follow.email)
    except letters.AddressRefused:
        follow.delete()  # Nobody will ever confirm it.
