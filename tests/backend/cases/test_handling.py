"""A crew or an operator moves a case on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from io import BytesIO
from itertools import pairwise
from uuid import uuid4

import pytest
from django.db import DataError
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from backend.cases.deadlines import PANAMA
from backend.cases.handling import (
    NoteRequired,
    Transition,
    TransitionIdReused,
    change_status,
)
from backend.cases.models import Case, Photo, StatusChange
from backend.cases.notices import TELL
from backend.cases.photo_headers import NotAnImage
from backend.cases.workflow import FOLLOWED_BY, RESOLVED, NotAllowed, Status
from tests.backend.cases.failures import failing_at, files
from tests.backend.elsewhere import Elsewhere
from tests.factories import make_case, make_crew, make_photo
from tests.jobs import run_jobs, waiting_jobs

pytestmark = pytest.mark.usefixtures("squares")

MONDAY = datetime(2026, 11, 23, 10, tzinfo=PANAMA)
TUESDAY = MONDAY + timedelta(days=1)


def test_a_crew_resolves_a_case_with_a_note_and_a_photo():
    case = make_case(filed_at=MONDAY)
    crew = make_crew()
    done = change_status(
        case,
        Transition(
            Status.RESOLVED,
            "Bache tapado. Dudas: 6612-3456.",
            id=uuid4(),
            at=MONDAY + timedelta(hours=20),
            photos=[make_photo()],
        ),
        by=crew,
        at=TUESDAY,
    )
    assert done.is_new
    case.refresh_from_db()
    assert case.status == Status.RESOLVED
    assert case.resolved_at == case.updated_at == TUESDAY
    received, resolved = case.history.all()
    assert received.status == Status.RECEIVED
    assert resolved == done.change
    assert resolved.status == Status.RESOLVED
    assert resolved.note == "Bache tapado. Dudas: 6612-3456."
    assert resolved.public_note == "Bache tapado. Dudas: […]."
    assert resolved.changed_by == crew
    assert resolved.changed_at == TUESDAY
    assert resolved.reported_at == MONDAY + timedelta(hours=20)
    photo = resolved.photos.get()
    assert photo.case == case
    assert [photo.original] == files()
    run_jobs()
    photo.refresh_from_db()
    assert {photo.original, photo.image, photo.thumbnail} == set(files())


# ── While the citizen is asked ───────────────────────────────────────────────────

WAITING = Status.WAITING_FOR_CITIZEN


def test_the_time_that_a_case_waits_for_its_reporter_is_given_back():
    case = make_case(filed_at=MONDAY)  # three working days
    assert case.due_at.date() == date(2026, 11, 26)
    change_status(case, Transition(WAITING, "¿Qué poste?"), by=make_crew(), at=TUESDAY)
    change_status(
        case,
        Transition(Status.IN_REVIEW, "El de la esquina."),
        by=None,
        at=TUESDAY + timedelta(days=7),
        by_reporter=True,
    )
    case.refresh_from_db()
    assert case.due_at == datetime(2026, 12, 3, 23, 59, 59, tzinfo=PANAMA)


def test_each_time_that_it_waits_counts_by_itself():
    case, crew = make_case(filed_at=MONDAY), make_crew()
    for day in (1, 3):
        asked = MONDAY + timedelta(days=day)
        change_status(case, Transition(WAITING, "¿Y?"), by=crew, at=asked)
        answered = asked + timedelta(days=1)
        change_status(case, Transition(Status.IN_PROGRESS), by=crew, at=answered)
    case.refresh_from_db()
    # Two working days more.
    assert case.due_at == datetime(2026, 11, 30, 23, 59, 59, tzinfo=PANAMA)


def test_a_step_that_waits_for_nobody_leaves_the_term():
    case, crew = make_case(filed_at=MONDAY), make_crew()
    for status in (Status.ASSIGNED, Status.RESOLVED, Status.REOPENED):
        change_status(case, Transition(status), by=crew, at=TUESDAY)
    before = case.due_at
    case.refresh_from_db()
    assert case.due_at == before


def test_a_case_that_waits_for_its_reporter_is_not_late():
    case, crew = make_case(filed_at=MONDAY), make_crew()
    later = MONDAY + timedelta(days=30)
    assert Case.objects.overdue(later).get() == case
    change_status(case, Transition(WAITING, "¿Qué poste?"), by=crew, at=TUESDAY)
    assert not Case.objects.overdue(later).exists()
    change_status(case, Transition(Status.IN_REVIEW), by=crew, at=later)
    assert not Case.objects.overdue(later).exists()
    assert Case.objects.overdue(later + timedelta(days=9)).get() == case


# ── Once ─────────────────────────────────────────────────────────────────────────


def test_a_transition_sent_twice_is_done_once():
    case = make_case()
    step = Transition(Status.RESOLVED, "Listo.", id=uuid4(), photos=[make_photo()])
    first = change_status(case, step, by=None)
    second = change_status(case, step, by=None)
    assert (first.is_new, second.is_new) == (True, False)
    assert second.change == first.change
    assert case.history.count() == 2
    assert Photo.objects.count() == 1
    assert len(files()) == 1
    assert len(waiting_jobs("clean_photo")) == 1
    assert waiting_jobs(TELL) == [(TELL, {"change_id": first.change.pk})]


def test_a_transition_sent_again_after_others_undoes_nothing():
    case = make_case()
    step = Transition(Status.IN_PROGRESS, id=uuid4())
    change_status(case, step, by=None)
    change_status(case, Transition(Status.RESOLVED, "Listo."), by=None)
    assert not change_status(case, step, by=None).is_new
    case.refresh_from_db()
    assert case.status == Status.RESOLVED


@pytest.mark.parametrize(
    "difference",
    [
        {"to": Status.ASSIGNED},
        {"note": "Otra nota."},
        {"at": TUESDAY},
        {"photos": []},
        {"photos": [make_photo(colour="red")]},
        {"photos": [make_photo(), make_photo()]},
    ],
)
def test_the_same_id_for_another_transition_changes_nothing(difference):
    case = make_case()
    step = Transition(
        Status.SCHEDULED, "El lunes.", uuid4(), MONDAY, photos=[make_photo()]
    )
    change_status(case, step, by=None)
    with pytest.raises(TransitionIdReused):
        change_status(case, replace(step, **difference), by=None)
    case.refresh_from_db()
    assert case.status == Status.SCHEDULED
    assert (case.history.count(), Photo.objects.count()) == (2, 1)


def test_the_id_of_another_cases_transition_changes_nothing():
    one, other = make_case(), make_case()
    step = Transition(Status.ASSIGNED, id=uuid4())
    change_status(one, step, by=None)
    with pytest.raises(TransitionIdReused):
        change_status(other, step, by=None)
    other.refresh_from_db()
    assert other.status == Status.RECEIVED


def test_without_an_id_every_transition_counts():
    case = make_case()
    for status in (Status.ASSIGNED, Status.IN_PROGRESS, Status.ASSIGNED):
        assert change_status(case, Transition(status), by=None).is_new
    assert case.history.count() == 4


def test_of_the_same_transition_at_once_one_is_done(elsewhere):
    assert elsewhere.play("same_transition") == {"new": 1, "again": 7}
    assert history_of(elsewhere, "misma transición") == ["received", "resolved"]
    named = elsewhere.rows("SELECT original FROM cases_photo")
    assert elsewhere.files() == {name for (name,) in named}


def test_of_two_crews_at_once_the_second_sees_what_the_first_did(elsewhere):
    assert elsewhere.play("two_crews") == {"closed": 1, "NotAllowed": 7}
    assert history_of(elsewhere, "dos cuadrillas") == ["received", "resolved", "closed"]


# ── What is allowed ──────────────────────────────────────────────────────────────


@hypothesis_settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.sampled_from(Status), min_size=1, max_size=10))
def test_the_history_is_a_legal_path_whatever_is_tried(attempts):
    """Against a model: a status, a list, and whether somebody called it resolved."""
    case = make_case()
    path, status = [Status.RECEIVED], Status.RECEIVED
    for wanted in attempts:
        step = Transition(wanted, "Nota.")
        if wanted in FOLLOWED_BY[status]:
            change_status(case, step, by=None)
            path.append(wanted)
            status = wanted
        else:
            with pytest.raises(NotAllowed):
                change_status(case, step, by=None)
    case.refresh_from_db()
    assert case.status == status
    assert [line.status for line in case.history.all()] == path
    assert all(after in FOLLOWED_BY[before] for before, after in pairwise(path))
    assert (case.resolved_at is not None) == (status in RESOLVED)
    assert Case.objects.filter(pk=case.pk).open().exists() == case.is_open


@pytest.mark.parametrize("status", [Status.REJECTED, Status.WAITING_FOR_CITIZEN])
@pytest.mark.parametrize("note", ["", "  \n"])
def test_what_the_citizen_must_understand_needs_a_note(status, note):
    case = make_case()
    with pytest.raises(NoteRequired):
        change_status(case, Transition(status, note), by=None)
    case.refresh_from_db()
    assert case.status == Status.RECEIVED
    assert change_status(case, Transition(status, "Falta la calle."), by=None).is_new


def test_a_stale_copy_of_a_case_does_not_decide():
    case = make_case()
    stale = Case.objects.get(pk=case.pk)
    change_status(case, Transition(Status.CANCELLED), by=None)
    with pytest.raises(NotAllowed):
        change_status(stale, Transition(Status.RESOLVED), by=None)
    case.refresh_from_db()
    assert case.status == Status.CANCELLED


# ── When ─────────────────────────────────────────────────────────────────────────


def test_closing_keeps_the_moment_of_resolution_and_reopening_forgets_it():
    case = make_case(filed_at=MONDAY)
    hours = iter(range(1, 9))

    def then(status: Status) -> datetime | None:
        at = MONDAY + timedelta(hours=next(hours))
        change_status(case, Transition(status, "Nota."), by=None, at=at)
        case.refresh_from_db()
        assert case.updated_at == at
        return case.resolved_at

    assert then(Status.RESOLVED) == MONDAY + timedelta(hours=1)
    assert then(Status.CLOSED) == MONDAY + timedelta(hours=1)
    assert then(Status.REOPENED) is None
    assert then(Status.REJECTED) is None
    assert then(Status.REOPENED) is None
    assert then(Status.RESOLVED) == MONDAY + timedelta(hours=6)


def test_a_clock_that_went_back_does_not_take_the_case_back():
    case = make_case(filed_at=TUESDAY)
    change_status(case, Transition(Status.ASSIGNED), by=None, at=MONDAY)
    case.refresh_from_db()
    assert case.updated_at == TUESDAY


def test_the_phones_time_decides_nothing():
    case = make_case(filed_at=MONDAY)
    in_the_future = datetime(2038, 1, 19, tzinfo=PANAMA)
    step = Transition(Status.RESOLVED, "Listo.", at=in_the_future)
    change = change_status(case, step, by=None, at=TUESDAY).change
    case.refresh_from_db()
    assert case.updated_at == case.resolved_at == change.changed_at == TUESDAY
    assert change.reported_at == in_the_future


# ── All or nothing ───────────────────────────────────────────────────────────────


def test_a_bad_photo_changes_nothing():
    case = make_case()
    step = Transition(Status.RESOLVED, photos=[make_photo(), BytesIO(b"<svg/>")])
    with pytest.raises(NotAnImage):
        change_status(case, step, by=None)
    assert_untouched(case)


def test_a_step_that_is_not_allowed_leaves_no_photo():
    case = make_case()
    with pytest.raises(NotAllowed):
        change_status(case, Transition(Status.CLOSED, photos=[make_photo()]), by=None)
    assert_untouched(case)


def test_whichever_statement_fails_nothing_is_left():
    case = make_case()
    step = Transition(Status.RESOLVED, "Listo.", id=uuid4(), photos=[make_photo()])
    statements = 0
    while True:
        statements += 1
        with failing_at(statements, DataError("injected")) as failed:
            try:
                change_status(case, step, by=None)
            except DataError:
                pass
            else:
                break
        assert failed
        assert_untouched(case)
    assert not failed
    assert statements > 6
    case.refresh_from_db()
    assert case.status == Status.RESOLVED
    assert (case.history.count(), Photo.objects.count(), len(files())) == (2, 1, 1)
    done = case.history.get(status=Status.RESOLVED)
    assert waiting_jobs(TELL) == [(TELL, {"change_id": done.pk})]


def test_a_change_takes_few_statements(django_assert_num_queries):
    case = make_case()
    # Done before? Lock; done meanwhile? The line, the case, that people are to be told;
    # and the savepoint's two.
    with django_assert_num_queries(6 + 2):
        change_status(case, Transition(Status.ASSIGNED, id=uuid4()), by=None)


# ── What the tests are made of ────────────────────────────────────────────────────


def assert_untouched(case: Case) -> None:
    stored = Case.objects.get(pk=case.pk)
    assert (stored.status, stored.updated_at) == (Status.RECEIVED, case.updated_at)
    assert StatusChange.objects.filter(case=case).count() == 1
    assert Photo.objects.count() == 0
    assert files() == []
    assert waiting_jobs() == []  # nobody waits for word of its filing


def history_of(elsewhere: Elsewhere, description: str) -> list[str]:
    lines = elsewhere.rows(
        "SELECT c.description, h.status FROM cases_statuschange h"
        " JOIN cases_case c ON c.id = h.case_id ORDER BY h.id"
    )
    return [status for told, status in lines if told == description]
