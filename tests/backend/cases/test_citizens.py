"""What citizens do with a case: support, follow, flag, and answer for their own."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from backend.accounts.devices import issue_device
from backend.accounts.limits import TooMany, take_all
from backend.accounts.models import Allowance, Device, User
from backend.cases import citizens
from backend.cases.citizens import (
    Complaint,
    FlagIdReused,
    NotItsPhoto,
    confirm,
    flag,
    follow,
    follows,
    invite,
    possible,
    question_to,
    settle,
    step_of,
    support,
    supports_of,
    take_step,
    unfollow,
)
from backend.cases.deadlines import PANAMA
from backend.cases.follow_links import (
    DeadLink,
    confirm_url,
    invited,
    leave_url,
    leaving,
)
from backend.cases.handling import (
    ChangedMeanwhile,
    NoLonger,
    NoteRequired,
    Transition,
    TransitionIdReused,
    change_status,
)
from backend.cases.models import Case, Flag, Follow, Photo, Support
from backend.cases.workflow import CITIZEN_MAY, FOLLOWED_BY, OPEN, NotAllowed, Status
from tests.factories import make_case, make_photo
from tests.jobs import run_jobs, waiting_jobs

pytestmark = pytest.mark.usefixtures("squares")

MONDAY = datetime(2026, 11, 23, 10, tzinfo=PANAMA)
TUESDAY = MONDAY + timedelta(days=1)


def phone() -> Device:
    return issue_device().device


# ── Support ──────────────────────────────────────────────────────────────────────


def test_whoever_is_affected_too_is_counted_once_and_told_from_then_on():
    case, device = make_case(), phone()
    assert support(case, device, at=TUESDAY)
    assert not support(case, device)
    assert support(case, phone())
    assert supports_of(case) == 2
    assert Support.objects.get(device=device).given_at == TUESDAY
    follower = Follow.objects.get(device=device)
    assert (follower.own, follower.confirmed_at) == (False, TUESDAY)


def test_supporting_again_does_not_make_anybody_follow_again():
    case, device = make_case(), phone()
    support(case, device)
    unfollow(case, device)
    support(case, device)
    assert not follows(case, device)


def test_whoever_reported_it_is_not_counted_among_the_others():
    case, device = make_case(), phone()
    case.device = device
    assert support(case, device)
    assert support(case, phone(), own=True)
    assert supports_of(case) == 0
    assert Follow.objects.filter(case=case, own=True).count() == 2


def test_of_a_phone_that_supports_many_times_at_once_one_counts(elsewhere):
    assert elsewhere.play("same_support") == {"new": 1, "again": 15}
    assert elsewhere.rows("SELECT count(*) FROM cases_support") == [(1,)]


# ── Follow ───────────────────────────────────────────────────────────────────────


def test_a_phone_follows_a_case_until_it_has_enough():
    case, device = make_case(), phone()
    assert follow(case, device)
    assert not follow(case, device)
    assert follows(case, device)
    assert unfollow(case, device)
    assert not unfollow(case, device)
    assert not follows(case, device)


@pytest.fixture
def asked(monkeypatch) -> list[dict[str, Any]]:
    """The letters that were asked for."""
    letters: list[dict[str, Any]] = []

    def enqueue(task: str, **arguments: Any) -> None:
        assert task == citizens.INVITE
        letters.append(arguments)

    monkeypatch.setattr(citizens, "enqueue", enqueue)
    return letters


def test_an_address_is_asked_before_it_is_told_anything(asked):
    case = make_case()
    invite(case, "Ana@Example.com", "en", at=MONDAY)
    follower = Follow.objects.get()
    assert asked == [{"follow_id": follower.pk}]
    assert (follower.email, follower.language) == ("Ana@Example.com", "en")
    assert follower.confirmed_at is None
    confirm(invited(token_of(confirm_url(follower))), TUESDAY)
    confirm(follower, TUESDAY + timedelta(days=1))
    follower.refresh_from_db()
    assert follower.confirmed_at == TUESDAY


def test_an_address_is_asked_once_an_hour_and_not_again_once_it_said_yes(asked):
    case = make_case()
    for spelling in ("ana@example.com", "ana@example.com", "ANA@example.com"):
        invite(case, spelling, "es")
    follower = Follow.objects.get()
    assert len(asked) == 1
    confirm(follower)
    invite(case, "ana@example.com", "es")
    assert len(asked) == 1


def test_who_asks_again_is_asked_in_their_language_and_with_the_pin_it_is_theirs(asked):
    case = make_case()
    for language, own in (("es", False), ("en", True), ("en", False)):
        Allowance.objects.all().delete()  # as hours later
        invite(case, "ana@example.com", language, own=own)
    follower = Follow.objects.get()
    assert len(asked) == 3
    assert (follower.language, follower.own) == ("en", True)


def test_nobody_is_drowned_in_invitations_to_many_cases(asked):
    for _ in range(int(citizens.INVITATIONS.times) + 3):
        invite(make_case(), "ana@example.com", "es")
    invite(make_case(), "eva@example.com", "es")
    assert len(asked) == citizens.INVITATIONS.times + 1


def test_if_the_letter_cannot_be_asked_for_nothing_has_happened(monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    case = make_case()
    with monkeypatch.context() as without_jobs:
        without_jobs.setattr(citizens, "enqueue", broken)
        with pytest.raises(RuntimeError):
            invite(case, "ana@example.com", "es")
    assert not Follow.objects.exists()
    # Nor is it used up: it can be asked for again at once.
    invite(case, "ana@example.com", "es")
    assert waiting_jobs(citizens.INVITE) == [
        (citizens.INVITE, {"follow_id": Follow.objects.get().pk})
    ]


def test_the_limits_of_invitations_are_not_held_until_the_letter_is_asked_for(
    asked, monkeypatch
):
    depths = []

    def noted(uses):
        depths.append(len(connection.savepoint_ids))
        take_all(uses)

    monkeypatch.setattr(citizens, "take_all", noted)
    case = make_case()
    outside = len(connection.savepoint_ids)
    invite(case, "ana@example.com", "es")
    assert depths == [outside]


def test_who_follows_already_loses_no_invitation_to_what_strangers_ask(asked):
    case = make_case()
    invite(case, "ana@example.com", "es")
    confirm(Follow.objects.get())
    Allowance.objects.all().delete()  # as days later
    invite(case, "ana@example.com", "es")
    assert not Allowance.objects.exists()


def test_the_link_of_an_invitation_ends_and_the_way_out_does_not(asked, time_machine):
    invite(make_case(), "ana@example.com", "es")
    follower = Follow.objects.get()
    yes, no_more = token_of(confirm_url(follower)), token_of(leave_url(follower))
    time_machine.move_to(timezone.now() + timedelta(days=7, minutes=1))
    with pytest.raises(DeadLink):
        invited(yes)
    assert leaving(no_more) == follower


def test_a_link_opens_only_its_own_door(asked):
    invite(make_case(), "ana@example.com", "es")
    follower = Follow.objects.get()
    yes, no_more = token_of(confirm_url(follower)), token_of(leave_url(follower))
    for token in (no_more, yes[:-1], "", "\0", "1", str(follower.pk)):
        with pytest.raises(DeadLink):
            invited(token)
    with pytest.raises(DeadLink):
        leaving(yes)
    follower.delete()
    with pytest.raises(DeadLink):
        invited(yes)
    assert leaving(no_more) is None


def token_of(url: str) -> str:
    return url.rsplit("/", 1)[-1]


# ── Flag ─────────────────────────────────────────────────────────────────────────


def complaint(**fields: Any) -> Complaint:
    return Complaint(uuid4(), Flag.Reason.PERSONAL_DATA, **fields)


def test_a_flagged_case_goes_to_a_person_and_not_away():
    case, device = make_case(photos=[make_photo()]), phone()
    run_jobs("clean_photo")
    said = complaint(note="Se ve una placa", photo=case.photos.get().pk)
    assert flag(case, device, said, at=TUESDAY)
    assert not flag(case, device, said)
    noted = Flag.objects.get()
    assert (noted.reason, noted.note) == ("personal_data", "Se ve una placa")
    assert (noted.photo, noted.raised_at) == (case.photos.get(), TUESDAY)
    case.refresh_from_db()
    assert case.under_review
    assert case.version == 1
    assert Case.objects.public().contains(case)


@pytest.mark.parametrize("difference", ["reason", "note", "photo", "device", "case"])
def test_the_same_id_for_another_flag_notes_nothing(difference):
    case, device = make_case(photos=[make_photo()]), phone()
    said = complaint()
    flag(case, device, said)
    other = {
        "reason": replace(said, reason=Flag.Reason.OTHER),
        "note": replace(said, note="Otra"),
        "photo": replace(said, photo=case.photos.get().pk),
    }.get(difference, said)
    with pytest.raises(FlagIdReused):
        flag(
            make_case() if difference == "case" else case,
            phone() if difference == "device" else device,
            other,
        )
    assert Flag.objects.count() == 1


def test_only_a_photo_that_the_case_shows_is_flagged():
    case, other = make_case(photos=[make_photo()]), make_case(photos=[make_photo()])
    for photo in (other.photos.get().pk, uuid4()):
        with pytest.raises(NotItsPhoto):
            flag(case, phone(), complaint(photo=photo))
    Photo.objects.update(released_at=None)
    with pytest.raises(NotItsPhoto):
        flag(case, phone(), complaint(photo=case.photos.get().pk))
    case.refresh_from_db()
    assert not case.under_review


def test_the_review_ends_with_its_last_reason():
    case, judge = make_case(photos=[make_photo()]), User.objects.create_user("mesa")
    for _ in range(2):
        flag(case, phone(), complaint())
    first, second = Flag.objects.all()

    def under_review() -> bool:
        return Case.objects.filter(pk=case.pk, under_review=True).exists()

    settle([first], judge, TUESDAY)
    assert under_review()
    first.refresh_from_db()
    assert (first.settled_at, first.settled_by) == (TUESDAY, judge)
    Photo.objects.update(doubts=["far-from-the-report"])
    settle([second], judge)
    assert under_review()
    Photo.objects.update(doubts=[])
    settle([first], judge)
    assert not under_review()
    first.refresh_from_db()
    assert first.settled_at == TUESDAY


# ── The reporter's own ───────────────────────────────────────────────────────────


def act(case: Case, action: str, note: str = "", **how: Any) -> Any:
    return take_step(case, step_of(action, uuid4(), note), **how)


def test_a_citizen_says_that_it_is_not_done_and_later_that_it_is():
    case = make_case(status=Status.RESOLVED, filed_at=MONDAY)
    reopened = act(case, "reopen", "Sigue igual, llame al 6999-1234", at=TUESDAY)
    assert reopened.is_new
    assert reopened.version == 3
    line = reopened.change
    assert line.by_reporter
    assert line.changed_by is None
    # The words are for whoever answers; the public sees only that it was reopened.
    assert line.note == "Sigue igual, llame al 6999-1234"
    assert line.public_note == ""
    change_status(case, Transition(Status.RESOLVED, "Ahora sí."), None)
    act(case, "confirm")
    statuses = [line.status for line in case.history.all()]
    assert statuses == ["received", "resolved", "reopened", "resolved", "closed"]
    case.refresh_from_db()
    assert case.version == len(statuses)


def test_a_question_is_answered_and_work_goes_on():
    case = make_case()
    assert question_to(case) is None
    change_status(case, Transition(Status.WAITING_FOR_CITIZEN, "¿Qué poste?"), None)
    case.refresh_from_db()
    assert question_to(case) == "¿Qué poste?"
    assert possible(case) == can("answer", "cancel")
    act(case, "answer", "El 1234")
    case.refresh_from_db()
    assert case.status == Status.IN_REVIEW
    assert question_to(case) is None


def can(*actions: str) -> dict[str, bool]:
    return {action: action in actions for action in CITIZEN_MAY}


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("action", CITIZEN_MAY)
def test_what_is_offered_is_what_is_allowed(status, action):
    case = make_case()
    Case.objects.filter(pk=case.pk).update(status=status)
    case.refresh_from_db()
    if possible(case)[action]:
        assert act(case, action, "Nota.").is_new
    else:
        with pytest.raises(NotAllowed):
            act(case, action, "Nota.")
        assert case.history.count() == 1


def test_a_citizen_may_withdraw_whatever_is_open_and_nothing_else():
    assert CITIZEN_MAY["cancel"][0] == OPEN
    for come_from, to in CITIZEN_MAY.values():
        assert all(to in FOLLOWED_BY[status] for status in come_from)


@pytest.mark.parametrize("to", Status)
def test_no_citizen_does_what_is_the_crews_to_do(to):
    case = make_case()
    step = Transition(to, "Nota.", uuid4())
    if to == Status.CANCELLED:
        assert change_status(case, step, None, by_reporter=True).is_new
    else:
        with pytest.raises(NotAllowed):
            change_status(case, step, None, by_reporter=True)


def test_what_was_closed_long_ago_stays_closed(settings):
    settings.REOPEN_DAYS = 30
    case = make_case(status=Status.RESOLVED, filed_at=MONDAY)
    act(case, "confirm", at=TUESDAY)
    case.refresh_from_db()
    last_moment = TUESDAY + timedelta(days=30)
    too_late = last_moment + timedelta(seconds=1)
    assert possible(case, last_moment) == can("reopen")
    assert possible(case, too_late) == can()
    with pytest.raises(NoLonger):
        act(case, "reopen", "Otra vez", at=too_late)
    assert act(case, "reopen", "Otra vez", at=last_moment).is_new


@pytest.mark.parametrize("status", [Status.RESOLVED, Status.REJECTED, Status.DUPLICATE])
def test_what_the_citizen_has_not_confirmed_can_be_reopened_at_any_time(status):
    case = make_case(status=status, filed_at=MONDAY)
    assert act(case, "reopen", "Sigue.", at=MONDAY + timedelta(days=400)).is_new


@pytest.mark.parametrize(
    ("action", "status"),
    [("reopen", Status.RESOLVED), ("answer", Status.WAITING_FOR_CITIZEN)],
)
def test_without_words_nothing_is_reopened_or_answered(action, status):
    case = make_case(status=status)
    for note in ("", "  \n"):
        with pytest.raises(NoteRequired):
            act(case, action, note)


def test_a_step_sent_twice_is_taken_once_and_told_the_same():
    case = make_case(status=Status.RESOLVED)
    step = step_of("reopen", uuid4(), "Sigue.")
    first = take_step(case, step)
    change_status(case, Transition(Status.ASSIGNED), None)
    again = take_step(case, step, meant_for={2})
    assert (first.is_new, again.is_new) == (True, False)
    assert (again.change, again.version) == (first.change, first.version)
    assert case.history.count() == 4


def test_the_same_id_with_other_words_or_by_a_crew_changes_nothing():
    case = make_case(status=Status.RESOLVED)
    step = step_of("reopen", uuid4(), "Sigue.")
    take_step(case, step)
    for other in (replace(step, note="Otra."), replace(step, to=Status.CANCELLED)):
        with pytest.raises(TransitionIdReused):
            take_step(case, other)
    with pytest.raises(TransitionIdReused):
        change_status(case, step, None)


def test_a_step_sent_many_times_at_once_is_taken_once(elsewhere):
    assert elsewhere.play("same_step") == {"new": 1, "again": 7}


def test_a_case_is_not_moved_to_and_fro_without_end():
    case = make_case(status=Status.RESOLVED)
    replayed = step_of("reopen", uuid4(), "Sigue.")
    take_step(case, replayed)
    for _ in range(int(citizens.STEPS.times) * 2):
        take_step(case, replayed)  # the phone asking again uses up nothing
    for _ in range(int(citizens.STEPS.times) - 1):
        with pytest.raises(NotAllowed):
            act(case, "confirm")
    with pytest.raises(TooMany):
        act(case, "cancel")
    assert act(make_case(), "cancel").is_new


# ── What was meant for another version ───────────────────────────────────────────


def test_a_step_that_was_meant_for_another_version_is_not_taken():
    case = make_case()
    change_status(case, Transition(Status.ASSIGNED), None, meant_for={1})
    with pytest.raises(ChangedMeanwhile) as refused:
        act(case, "cancel", meant_for={1, 7})
    assert refused.value.version == 2
    assert act(case, "cancel", meant_for={7, 2}).version == 3


def test_of_two_steps_meant_for_one_version_exactly_one_is_taken(elsewhere):
    assert elsewhere.play("two_of_one_version", 30) == {"201": 30, "412": 30}
    assert lost_updates(elsewhere) == []


@pytest.mark.slow
def test_of_two_steps_meant_for_one_version_exactly_one_is_taken_500_times(elsewhere):
    assert elsewhere.play("two_of_one_version", 500) == {"201": 500, "412": 500}
    assert lost_updates(elsewhere) == []


def lost_updates(elsewhere: Any) -> list[tuple[Any, ...]]:
    """The cases whose version is not the number of their lines."""
    return list(
        elsewhere.rows(
            "SELECT c.number FROM cases_case c JOIN cases_statuschange h"
            " ON h.case_id = c.id GROUP BY c.id HAVING c.version <> count(*)"
        )
    )
