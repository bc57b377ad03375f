"""Which cases wait for a person to look at them: for a flag, or a doubt about a photo."""

from __future__ import annotations

from backend.cases.models import Case, Flag, Photo


def end_review(case_id: int) -> None:
    """The case, which is locked, leaves the review with its last reason to be there."""
    if Flag.objects.filter(case=case_id, settled_at=None).exists():
        return
    if not Photo.objects.filter(case=case_id).exclude(doubts=[]).exists():
        Case.objects.filter(pk=case_id).update(under_review=False)
