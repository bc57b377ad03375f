"""What every page must say: that some of its reports are made up."""

from __future__ import annotations

import time

from django.db import DatabaseError
from django.http import HttpRequest

from backend.cases.models import Case

SECONDS_KEPT = 30.0


class Remembered:
    """The last answer of this process, and until when it is good enough."""

    demo_cases = False
    good_until = 0.0


def demonstration(request: HttpRequest) -> dict[str, bool]:
    """`demo_cases`: whether any case is a made-up one."""
    if time.monotonic() >= Remembered.good_until:
        remember()
    return {"demo_cases": Remembered.demo_cases}


def remember() -> None:
    try:
        Remembered.demo_cases = Case.objects.filter(demo=True).exists()
    except DatabaseError:
        # The page that says so must not fail for the same reason.
        return
    Remembered.good_until = time.monotonic() + SECONDS_KEPT


def forget() -> None:
    """The next page asks again."""
    Remembered.good_until = 0.0
