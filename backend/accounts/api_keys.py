"""Another system's key: told once, kept as a digest, revoked at once."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.utils import timezone

from backend.accounts.devices import digest_of
from backend.accounts.limits import HOUR, Limit, give_back, take
from backend.accounts.models import ApiKey
from provinces.models import Entity

PREFIX_LETTERS = 8
LONGEST_SECRET = 100


class NotAKey(Exception):
    """No key in use has this secret."""


def issue_key(
    name: str,
    contact: str = "",
    *,
    entity: Entity | None = None,
    consent: str = "",
    hourly: int | None = None,
    at: datetime | None = None,
) -> ApiKey:
    """A new key; its `secret` is known now and never again."""
    key = ApiKey(name=name, contact=contact, entity=entity, consent=consent)
    if hourly is not None:
        key.hourly = hourly
    give_secret(key, at or timezone.now())
    key.save()
    return key


def give_secret(key: ApiKey, at: datetime) -> None:
    """To a key that is being made: it keeps only what tells the secret apart."""
    key.secret = secrets.token_urlsafe(32)
    key.prefix = key.secret[:PREFIX_LETTERS]
    key.digest = digest_of(key.secret)
    key.made_at = at


def key_of(secret: str) -> ApiKey:
    """Raises NotAKey."""
    if not secret.isascii() or len(secret) > LONGEST_SECRET:
        raise NotAKey
    try:
        return ApiKey.objects.select_related("entity").get(
            digest=digest_of(secret), revoked_at=None
        )
    except ApiKey.DoesNotExist as nothing:
        raise NotAKey from nothing


def revoke_key(key: ApiKey, at: datetime | None = None) -> bool:
    """At once: the next call with it is refused. Whether it was in use."""
    in_use = ApiKey.objects.filter(pk=key.pk, revoked_at=None)
    return in_use.update(revoked_at=at or timezone.now()) > 0


def use_key(key: ApiKey) -> None:
    """Count one submission against the key's own limit. Raises TooMany."""
    take(limit_of(key), str(key.pk))


def give_use_back(key: ApiKey) -> None:
    """The submission did nothing after all: it had come before."""
    give_back(limit_of(key), str(key.pk))


def limit_of(key: ApiKey) -> Limit:
    return Limit("api-key", key.hourly, HOUR)
