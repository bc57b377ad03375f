"""How a push is sent: for that phone alone to read (RFC 8291), and signed (RFC 8292)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from django.conf import settings
from django.utils import timezone
from pywebpush import WebPushException, webpush

from backend.accounts.encryption import fingerprint_of
from backend.cases.push import Push, SubscriptionGone, is_subscription, vapid_key
from backend.jobs import Hopeless, TryLater

TIMEOUT_SECONDS = 10
# What a phone that is off gets when it is on again: not the news of last week.
KEPT = timedelta(days=2)
LONGEST_WAIT = timedelta(hours=6)


def send_push(subscription: dict[str, Any], push: Push) -> None:
    """Hand a push over to the phone's service.

    `subscription` is the browser's own: `endpoint` and `keys`. Raises SubscriptionGone,
    TryLater, Hopeless; none of them names the endpoint, which is the phone's secret.
    """
    # It was one when the phone gave it; the services allowed may be others today.
    if not is_subscription(subscription):
        raise SubscriptionGone
    said = {"title": push.title, "body": push.body, "tag": push.tag}
    if push.number:
        said["number"] = push.number
    try:
        with Session() as session:
            webpush(
                subscription,
                json.dumps(said, ensure_ascii=False),
                vapid_private_key=vapid_key(),
                vapid_claims={"sub": settings.PUSH_CONTACT},
                ttl=int(KEPT.total_seconds()),
                timeout=TIMEOUT_SECONDS,
                headers={"Topic": topic_of(push.tag), "Urgency": "normal"},
                requests_session=session,
            )
    except WebPushException as refusal:
        problem = meaning_of(refusal, timezone.now())
    except requests.RequestException as failure:
        problem = TryLater(type(failure).__name__)
    else:
        return
    raise problem  # Outside, or the first one's text would follow it into the log.


class Session(requests.Session):
    """Goes where it is sent and nowhere else."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


def meaning_of(refusal: WebPushException, now: datetime) -> Exception:
    status = refusal.status_code
    if status is None or status in (404, 410):
        return SubscriptionGone()
    if status == 429 or status >= 500:
        return TryLater(f"push service: {status}", wait_of(refusal.retry_after, now))
    return Hopeless(f"push service: {status}")


def wait_of(retry_after: str | None, now: datetime) -> timedelta | None:
    """What a Retry-After asks for, in seconds or as a date; None if it asks nothing."""
    if not retry_after:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return min(timedelta(seconds=min(int(retry_after), 10**6)), LONGEST_WAIT)
    try:
        return min(
            max(parsedate_to_datetime(retry_after) - now, timedelta(0)), LONGEST_WAIT
        )
    except (TypeError, ValueError):
        return None


def topic_of(tag: str) -> str:
    """The name under which a service keeps only the newest: it learns no case by it."""
    return fingerprint_of(tag, "push topic")[:32]
