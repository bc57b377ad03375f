"""The life of a case: citizens and crews in any order, against a small model."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from backend.accounts.devices import issue_device
from backend.cases.citizens import (
    follow,
    follows,
    possible,
    step_of,
    support,
    supports_of,
    take_step,
    unfollow,
)
from backend.cases.deadlines import PANAMA
from backend.cases.handling import (
    Changed,
    ChangedMeanwhile,
    NoLonger,
    NoteRequired,
    Transition,
    TransitionIdReused,
    change_status,
)
from backend.cases.models import Case
from backend.cases.workflow import CITIZEN_MAY, FOLLOWED_BY, NotAllowed, Status
from tests.factories import make_case

MONDAY = datetime(2026, 11, 23, 10, tzinfo=PANAMA)
REOPEN_DAYS = 30
notes = st.sampled_from(["", " ", "Nota.", "Otra."])
# How far the version that a step is meant for lies behind, if it is meant for any.
lags = st.sampled_from([None, None, 0, 1])
Step = tuple[Transition, bool]  # and whether the reporter takes it


class LifeOfACase(RuleBasedStateMachine):
    taken = Bundle("taken")
    phones = Bundle("phones")

    def __init__(self) -> None:
        super().__init__()
        self.now = MONDAY
        self.case = make_case(filed_at=MONDAY)
        # The model: who wrote which line, since when it is closed, who is with it.
        self.lines: list[tuple[Status, bool]] = [(Status.RECEIVED, False)]
        self.closed_at = MONDAY
        self.supporters: set[Any] = set()
        self.followers: set[Any] = set()

    @property
    def status(self) -> Status:
        return self.lines[-1][0]

    # ── Steps ────────────────────────────────────────────────────────────────────

    @rule(target=taken, to=st.sampled_from(Status), note=notes, lag=lags)
    def a_crew_moves_it_on(self, to, note, lag):
        step = Transition(to, note, uuid4())
        needs_note = to in {Status.REJECTED, Status.WAITING_FOR_CITIZEN}
        refusal = self.refusal(to, note, lag, needs_note=needs_note)
        return self.attempt(step, False, lag, refusal)

    @rule(target=taken, choice=st.integers(0, 99))
    def a_crew_takes_a_step_that_it_may(self, choice):
        """Chance alone would seldom get far. Withdrawing, which ends all, is left out."""
        next_ones = sorted(FOLLOWED_BY[self.status] - {Status.CANCELLED})
        if not next_ones:
            return multiple()
        to = Status(next_ones[choice % len(next_ones)])
        return self.attempt(Transition(to, "Nota.", uuid4()), False, None, None)

    @precondition(lambda self: Status.RESOLVED in FOLLOWED_BY[self.status])
    @rule(target=taken)
    def it_goes_as_it_should(self):
        resolved = self.attempt(
            Transition(Status.RESOLVED, "Listo.", uuid4()), False, 0, None
        )
        confirmed = self.attempt(step_of("confirm", uuid4()), True, 0, None)
        return multiple(resolved, confirmed)

    @rule(target=taken, action=st.sampled_from(list(CITIZEN_MAY)), note=notes, lag=lags)
    def the_reporter_moves_it_on(self, action, note, lag):
        come_from, to = CITIZEN_MAY[action]
        needs_note = action in {"reopen", "answer"}
        refusal = self.refusal(to, note, lag, needs_note=needs_note)
        if refusal in {None, NotAllowed} and self.status not in come_from:
            refusal = NotAllowed
        too_late = self.now > self.closed_at + timedelta(days=REOPEN_DAYS)
        if refusal is None and self.status == Status.CLOSED and too_late:
            refusal = NoLonger
        return self.attempt(step_of(action, uuid4(), note), True, lag, refusal)

    @rule(to=st.sampled_from(Status))
    def the_reporter_tries_what_is_not_theirs(self, to):
        if any(
            self.status in come_from and to == theirs
            for come_from, theirs in CITIZEN_MAY.values()
        ):
            return
        with pytest.raises(NotAllowed):
            change_status(
                self.case,
                Transition(to, "Nota.", uuid4()),
                None,
                self.now,
                by_reporter=True,
            )

    @rule(again=taken, lag=lags)
    def a_phone_sends_again_what_was_done(self, again, lag):
        step, by_reporter = again
        changed = self.send(step, by_reporter, lag)
        assert not changed.is_new
        assert self.lines[changed.version - 1] == (step.to, by_reporter)

    @rule(again=taken)
    def a_phone_uses_an_id_for_something_else(self, again):
        step, by_reporter = again
        other = Transition(step.to, step.note + " Y más.", step.id)
        with pytest.raises(TransitionIdReused):
            self.send(other, by_reporter, None)

    @rule(days=st.sampled_from([1, 29, 31]))
    def time_passes(self, days):
        self.now += timedelta(days=days)

    @precondition(lambda self: self.status == Status.CLOSED)
    @rule(seconds=st.sampled_from([0, 1]))
    def the_last_day_to_reopen_it_ends(self, seconds):
        end = self.closed_at + timedelta(days=REOPEN_DAYS, seconds=seconds)
        self.now = max(self.now, end)

    # ── Who is with it ───────────────────────────────────────────────────────────

    @rule(target=phones)
    def somebody_gets_a_phone(self):
        return issue_device().device

    @rule(phone=phones)
    def it_affects_somebody_too(self, phone):
        assert support(self.case, phone) is (phone.pk not in self.supporters)
        if phone.pk not in self.supporters:
            self.followers.add(phone.pk)
        self.supporters.add(phone.pk)

    @rule(phone=phones)
    def somebody_follows_it(self, phone):
        assert follow(self.case, phone) is (phone.pk not in self.followers)
        self.followers.add(phone.pk)

    @rule(phone=phones)
    def somebody_has_enough(self, phone):
        assert unfollow(self.case, phone) is (phone.pk in self.followers)
        self.followers.discard(phone.pk)

    @rule(phone=phones)
    def somebody_looks_whether_they_follow(self, phone):
        assert follows(self.case, phone) is (phone.pk in self.followers)

    # ── What always holds ────────────────────────────────────────────────────────

    @invariant()
    def the_history_is_the_model_s_and_the_version_counts_it(self):
        stored = Case.objects.get(pk=self.case.pk)
        lines = list(stored.history.values_list("status", "by_reporter"))
        assert lines == self.lines
        assert stored.version == len(lines)
        assert stored.status == self.status
        assert stored.updated_at == max(
            line.changed_at for line in stored.history.all()
        )

    @invariant()
    def the_history_is_a_legal_path(self):
        for (before, _), (after, by_reporter) in pairwise(self.lines):
            assert after in FOLLOWED_BY[before]
            if by_reporter:
                assert any(
                    before in come_from and after == to
                    for come_from, to in CITIZEN_MAY.values()
                )

    @invariant()
    def what_is_offered_is_what_the_model_allows(self):
        stored = Case.objects.get(pk=self.case.pk)
        offered = possible(stored, self.now)
        expected = {
            action: self.status in come_from
            for action, (come_from, _) in CITIZEN_MAY.items()
        }
        if self.status == Status.CLOSED:
            expected["reopen"] = self.now <= self.closed_at + timedelta(
                days=REOPEN_DAYS
            )
        assert offered == expected

    @invariant()
    def nobody_is_counted_twice(self):
        assert supports_of(self.case) == len(self.supporters)
        following = self.case.follows.values_list("device", flat=True)
        assert sorted(following) == sorted(self.followers)

    # ── The model's own ──────────────────────────────────────────────────────────

    def refusal(self, to, note, lag, *, needs_note) -> type[Exception] | None:
        if needs_note and not note.strip():
            return NoteRequired
        if lag:
            return ChangedMeanwhile
        return None if to in FOLLOWED_BY[self.status] else NotAllowed

    def attempt(self, step, by_reporter, lag, refusal):
        if refusal:
            with pytest.raises(refusal):
                self.send(step, by_reporter, lag)
            return multiple()
        changed = self.send(step, by_reporter, lag)
        self.lines.append((step.to, by_reporter))
        assert (changed.is_new, changed.version) == (True, len(self.lines))
        if step.to == Status.CLOSED:
            self.closed_at = self.now
        return (step, by_reporter)

    def send(self, step: Transition, by_reporter: bool, lag: int | None) -> Changed:
        meant_for = None if lag is None else {len(self.lines) - lag}
        if by_reporter:
            return take_step(self.case, step, self.now, meant_for=meant_for)
        return change_status(self.case, step, None, self.now, meant_for=meant_for)


Run = Callable[[int, int], None]


@pytest.fixture
def run(squares, settings, monkeypatch) -> Run:
    settings.REOPEN_DAYS = REOPEN_DAYS
    # How often is another test's matter: here are more steps than anybody takes.
    monkeypatch.setattr("backend.cases.citizens.take", lambda *_: None)
    monkeypatch.setattr("backend.cases.citizens.give_back", lambda *_: None)

    def run(lives: int, steps: int) -> None:
        run_state_machine_as_test(
            LifeOfACase,
            settings=hypothesis_settings(
                max_examples=lives,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )

    return run


def test_whatever_citizens_and_crews_do_the_story_is_true(run):
    run(12, 25)


@pytest.mark.slow
def test_whatever_citizens_and_crews_do_in_many_lives_the_story_is_true(run):
    run(300, 60)
