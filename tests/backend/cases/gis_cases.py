"""Cases of every kind, full of what a GIS may not read.

Made in a process of its own, on a copy of the database: see `Server.manage`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from backend.cases.filing import Contact
from backend.cases.handling import Transition, change_status
from backend.cases.models import Case
from backend.cases.workflow import Status
from tests.factories import make_case, make_category, make_territory

MARK = "MARCA-"
# Per precision; the fifth of the private ones makes a figure of them.
KINDS = {"exact": 2, "grid": 2, "none": 1, "private": 5}
AT = (-79.9301237, 8.5401237)
FILED = datetime(2026, 3, 1, 12, tzinfo=UTC)


def make_marked_cases() -> None:
    make_territory()
    for kind, count in KINDS.items():
        for number in range(count):
            make_marked_case(kind, number)
    hidden = Case.objects.filter(category="K-exact").latest("id")
    hidden.is_public, hidden.public_location = False, None
    hidden.save()


def make_marked_case(kind: str, number: int) -> Case:
    category = make_category(
        f"K-{kind[:5]}",
        precision="none" if kind == "private" else kind,
        private=kind == "private",
    )
    case = make_case(
        at=AT,
        category=category,
        filed_at=FILED + timedelta(hours=number),
        description=f"{MARK}words 6999-1234",
        place_hint=f"{MARK}hint",
        accuracy=41.73,
        captured_at=datetime(2025, 7, 8, tzinfo=UTC),
        contact=Contact(
            f"{MARK}name", "6999-1234", "marca@example.com", f"{MARK}consent"
        ),
    )
    change_status(case, Transition(Status.RESOLVED, f"{MARK}note"), None)
    return case
