"""Which status may follow which."""

from __future__ import annotations

from itertools import pairwise, product

import pytest

from backend.cases.workflow import (
    CREW_MAY,
    FOLLOWED_BY,
    OPEN,
    PAUSED,
    RESOLVED,
    NotAllowed,
    Status,
    check_step,
)

# The whole table once more, as a person draws it: a change of either is a decision.
STEPS = """
received             in_review assigned in_progress scheduled waiting_for_citizen resolved rejected duplicate transferred cancelled
in_review            assigned in_progress scheduled waiting_for_citizen resolved rejected duplicate transferred cancelled
assigned             in_review in_progress scheduled waiting_for_citizen resolved rejected duplicate transferred cancelled
in_progress          in_review assigned scheduled waiting_for_citizen resolved rejected duplicate cancelled
scheduled            in_review assigned in_progress waiting_for_citizen resolved rejected duplicate cancelled
waiting_for_citizen  in_review assigned in_progress scheduled resolved rejected duplicate cancelled
transferred          in_review assigned in_progress scheduled waiting_for_citizen resolved rejected duplicate cancelled
reopened             in_review assigned in_progress scheduled waiting_for_citizen resolved rejected duplicate transferred cancelled
resolved             closed reopened
closed               reopened
rejected             reopened
duplicate            reopened
cancelled
"""


def test_a_case_is_received_worked_on_resolved_and_closed():
    story = ["received", "assigned", "in_progress", "resolved", "closed"]
    for before, after in pairwise(story):
        check_step(Status(before), Status(after))


def test_every_step_of_the_table_is_allowed_and_no_other():
    drawn = {
        (line.split()[0], after)
        for line in STEPS.strip().splitlines()
        for after in line.split()[1:]
    }
    for before, after in product(Status, Status):
        if (before, after) in drawn:
            check_step(before, after)
        else:
            with pytest.raises(NotAllowed) as refusal:
                check_step(before, after)
            assert (refusal.value.before, refusal.value.after) == (before, after)


def test_the_table_knows_every_status():
    assert set(FOLLOWED_BY) == set(Status)


def test_every_status_can_be_reached_from_received():
    reached: set[Status] = set()
    ahead = {Status.RECEIVED}
    while ahead:
        reached |= ahead
        ahead = set().union(*(FOLLOWED_BY[status] for status in ahead)) - reached
    assert reached == set(Status)


def test_no_status_follows_itself():
    assert all(status not in after for status, after in FOLLOWED_BY.items())


def test_only_a_cancelled_case_stays_where_it_is_for_ever():
    assert [status for status in Status if not FOLLOWED_BY[status]] == [
        Status.CANCELLED
    ]


def test_a_case_is_open_resolved_or_neither_and_never_both():
    assert not OPEN & RESOLVED
    assert set(Status) - OPEN - RESOLVED == {
        Status.REJECTED,
        Status.DUPLICATE,
        Status.CANCELLED,
    }
    assert PAUSED < OPEN


def test_every_open_case_can_be_resolved_and_a_resolved_one_reopened():
    assert all(Status.RESOLVED in FOLLOWED_BY[status] for status in OPEN)
    assert all(Status.REOPENED in FOLLOWED_BY[status] for status in RESOLVED)


def test_a_crew_neither_closes_nor_cancels_for_the_citizen():
    assert not CREW_MAY & {
        Status.CLOSED,
        Status.CANCELLED,
        Status.REOPENED,
        Status.TRANSFERRED,
    }
