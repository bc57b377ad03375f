"""Cases of whose filing two are to be told, one by each channel.

Made in a process of its own, on a server's database: see `Server.manage`.
"""

from __future__ import annotations

import json
from typing import Any

from django.utils import timezone

from backend.accounts.devices import issue_device
from backend.cases.filing import Contact, file_case
from backend.cases.models import Category, Follow
from tests.factories import make_report

SANTA_ANA = (-79.5408, 8.9536)


def make_news(cases: int, subscription: dict[str, Any]) -> None:
    category = Category.objects.get(code="VIA-02")
    device = issue_device().device
    device.push = json.dumps(subscription)
    device.save()
    for n in range(cases):
        contact = Contact("Ana", email=f"ana{n}@example.org", consent="2026-01")
        report = make_report(SANTA_ANA, category=category, contact=contact)
        case = file_case(report).case
        Follow.objects.create(
            case=case, device=device, own=True, followed_at=timezone.now()
        )
