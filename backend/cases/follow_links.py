"""The links in what followers are sent: yes, tell me; and no more, please."""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.urls import reverse

from backend.cases.models import Follow

# An invitation that nobody took up says nothing for ever. A letter may be years old
# when its reader has had enough, so the way out does not end.
INVITED_SECONDS = 7 * 24 * 3600
INVITATION = "follow-invitation"
WAY_OUT = "follow-way-out"


class DeadLink(Exception):
    """The link was never given, or is too old, or there is nothing to follow."""


def confirm_url(follower: Follow) -> str:
    """Where the owner of the address says yes, within a week."""
    return address_of("follow-confirm", signing.dumps(follower.pk, salt=INVITATION))


def leave_url(follower: Follow) -> str:
    """Where they say no more; a POST there is enough (RFC 8058)."""
    return address_of("follow-leave", signing.dumps(follower.pk, salt=WAY_OUT))


def address_of(name: str, token: str) -> str:
    return f"{settings.PUBLIC_URL}{reverse(name, args=[token])}"


def invited(token: str) -> Follow:
    """Raises DeadLink."""
    follower = Follow.objects.filter(
        pk=read(token, INVITATION, INVITED_SECONDS)
    ).first()
    if follower is None:
        raise DeadLink
    return follower


def leaving(token: str) -> Follow | None:
    """The follower who wants no more; none when they have left already.

    Raises DeadLink.
    """
    return Follow.objects.filter(pk=read(token, WAY_OUT)).first()


def read(token: str, salt: str, max_age: int | None = None) -> int:
    try:
        return int(signing.loads(token, salt=salt, max_age=max_age))
    except signing.BadSignature as broken:
        raise DeadLink from broken
