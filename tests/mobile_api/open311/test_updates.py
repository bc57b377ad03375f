"""What happened to cases, read by other systems and told by them."""

from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO
from uuid import UUID

import pytest
import time_machine
from django.http import HttpRequest

from backend.accounts.api_keys import issue_key
from backend.accounts.models import ApiKey
from backend.cases import photos
from backend.cases.handling import Transition, change_status
from backend.cases.models import Case, Flag, PartnerAct
from backend.cases.storage import keep
from backend.cases.workflow import Status
from mobile_api.open311 import updates
from mobile_api.open311.forms import Form, signed_form
from mobile_api.open311.statuses import ASKED, EXTENDED, SYSTEMS_MAY
from tests.factories import make_case, make_category, make_entity, make_photo
from tests.jobs import run_jobs
from tests.mobile_api.open311.schemas import ERRORS, UPDATE_RECEIPT, UPDATES
from tests.mobile_api.open311.speaking import (
    ask,
    not_taken,
    refused,
    send,
    the_same,
    valid,
)

pytestmark = pytest.mark.usefixtures("squares")
NOW = datetime(2026, 11, 24, 20, tzinfo=UTC)
HERE = "servicerequestupdates"


@pytest.fixture(autouse=True)
def today():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def own(db) -> ApiKey:
    """The key of the system of the entity that answers for PRU-01."""
    return issue_key("Sistema de OBRAS", entity=make_entity())


def ids(**query) -> list[str]:
    return [line["update_id"] for line in ask(HERE, UPDATES, **query)]


def update_form(key: ApiKey, case: Case, **fields) -> dict[str, Any]:
    return {"api_key": key.secret, "service_request_id": case.number, **fields}


def updated(form: dict[str, Any]) -> str:
    answer = send(form, HERE)
    assert answer.status_code == 200, answer.content
    return str(valid(answer, UPDATE_RECEIPT)[0]["update_id"])


def not_done(form: dict[str, Any], status: int) -> list[Any]:
    return not_taken(form, status, HERE)


# ── Read ─────────────────────────────────────────────────────────────────────────


def test_a_line_of_the_history_is_an_update():
    case = make_case(filed_at=NOW - timedelta(hours=2))
    step = Transition(Status.RESOLVED, "Listo. 6999-1234", photos=[make_photo()])
    line = change_status(case, step, None, NOW).change
    run_jobs()
    photo = line.photos.get()
    assert ask(HERE, UPDATES) == [
        {
            "update_id": str(line.pk),
            "service_request_id": case.number,
            "status": "FIXED",
            "external_status_code": "resolved",
            "updated_datetime": "2026-11-24T15:00:00-05:00",
            "description": "Listo. […]",
            "media_url": f"http://localhost/fotos/{photo.image}",
        }
    ]


def test_updates_are_the_oldest_first_and_of_a_period():
    case = make_case(filed_at=NOW - timedelta(days=200))
    lines = [
        change_status(case, Transition(to), None, NOW - timedelta(days=days)).change
        for days, to in (
            (100, Status.ASSIGNED),
            (20, Status.IN_PROGRESS),
            (10, Status.RESOLVED),
        )
    ]
    first, second, third = (str(line.pk) for line in lines)
    assert ids() == [second, third]
    assert ids(start_date="2026-08-01") == [first]
    assert ids(end_date="2026-11-10") == [first, second]
    assert ids(page=2, page_size=1) == [third]
    assert refused(HERE, 400, start_date="2026-01-01", end_date="2026-11-24")


def test_of_cases_that_are_named_it_is_all_of_their_history():
    old = make_case(filed_at=NOW - timedelta(days=400))
    make_case(filed_at=NOW - timedelta(days=400), status=Status.ASSIGNED)
    first, second = (
        change_status(old, Transition(to), None, NOW - timedelta(days=days)).change
        for days, to in ((300, Status.ASSIGNED), (100, Status.RESOLVED))
    )
    named = {"service_request_id": old.number}
    assert ids() == []
    assert ids(**named) == [str(first.pk), str(second.pk)]
    # A period that is asked for is that of the answer, also a longer one.
    assert ids(**named, start_date="2026-01-01") == [str(first.pk), str(second.pk)]
    assert ids(**named, start_date="2026-03-01") == [str(second.pk)]
    assert ids(**named, end_date="2026-03-01") == [str(first.pk)]
    years = {"start_date": "2020-01-01", "end_date": "2026-11-24"}
    assert ids(**named, **years) == [str(first.pk), str(second.pk)]
    backwards = {"start_date": "2026-11-24", "end_date": "2026-01-01"}
    assert refused(HERE, 400, **named, **backwards)


def test_a_time_as_it_is_told_finds_the_update_that_it_was_told_of():
    case = make_case(filed_at=NOW - timedelta(days=2))
    at = NOW - timedelta(hours=1, microseconds=1)
    change_status(case, Transition(Status.ASSIGNED), None, at)
    (line,) = ask(HERE, UPDATES)
    told = line["updated_datetime"]
    assert ids(start_date=told, end_date=told) == [line["update_id"]]
    assert ids(end_date="2026-11-24") == [line["update_id"]]
    assert ids(end_date="2026-11-23") == []


def test_what_is_private_has_no_updates_and_what_shows_no_point_by_its_number_only():
    private = make_category("PRU-08", private=True, precision="none")
    quiet = make_category("PRU-07", precision="none")
    secret, hidden = (
        make_case(category=category, status=Status.ASSIGNED, filed_at=NOW)
        for category in (private, quiet)
    )
    assert ids() == []
    numbers = f"{secret.number},{hidden.number}"
    (line,) = ask(HERE, UPDATES, service_request_id=numbers)
    assert line["service_request_id"] == hidden.number


def test_every_status_has_a_word():
    assert EXTENDED.keys() == set(Status)
    assert set(ASKED.values()) <= SYSTEMS_MAY


# ── Write: the entity's own system ───────────────────────────────────────────────


def test_an_entity_s_system_moves_its_cases(own):
    case = make_case(filed_at=NOW)
    form = update_form(
        own,
        case,
        status="FIXED",
        description="Se tapó",
        updated_datetime="2026-11-24T12:00:00-05:00",
        update_id="31",
        media=named_photo(),
    )
    told = updated(form)
    line = case.history.get(status=Status.RESOLVED)
    assert told == str(line.pk)
    assert line.note == "Se tapó"
    assert line.reported_at == datetime(2026, 11, 24, 17, tzinfo=UTC)
    assert line.changed_by is None
    assert line.photos.count() == 1
    assert PartnerAct.objects.get().change == line
    case.refresh_from_db()
    assert case.status == Status.RESOLVED
    assert ids() == [told]


def named_photo():
    photo = make_photo((40, 30))
    photo.name = "a.jpg"
    return photo


def test_the_same_update_is_done_once_in_both_formats(own):
    case = make_case(filed_at=NOW)
    form = update_form(own, case, status="in_progress")
    the_same(send(form, HERE, "xml"), send(form, HERE, "json"), UPDATE_RECEIPT)
    assert case.history.count() == 2
    # The sender's own id says that it is another.
    updated({**form, "status": "scheduled", "update_id": "1"})
    updated({**form, "update_id": "2"})
    assert case.history.count() == 4
    (error,) = not_done({**form, "status": "assigned", "update_id": "2"}, 400)
    assert error["code"] == 409


def test_a_rejection_needs_its_reason(own):
    case = make_case(filed_at=NOW)
    form = update_form(own, case, status="NO_FURTHER_ACTION")
    (error,) = not_done(form, 400)
    assert error["description"].startswith("description: ")
    updated({**form, "description": "No es vía pública"})
    case.refresh_from_db()
    assert case.status == Status.REJECTED


def test_a_step_that_the_workflow_does_not_know_is_refused(own):
    case = make_case(filed_at=NOW)
    Case.objects.update(status=Status.CANCELLED)
    assert not_done(update_form(own, case, status="FIXED"), 400)[0]["code"] == 409


@pytest.mark.parametrize("word", ["DUPLICATE", "REOPEN", "CANCELLED", "transferred"])
def test_what_is_the_citizen_s_or_the_desk_s_is_not_a_system_s(own, word):
    case = make_case(filed_at=NOW)
    (error,) = not_done(update_form(own, case, status=word, description="x"), 400)
    assert error["description"].startswith("status: ")
    assert case.history.count() == 1
    assert not Flag.objects.exists()


def test_words_without_another_status_wait_for_a_person(own):
    case = make_case(filed_at=NOW, status=Status.IN_PROGRESS)
    updated(update_form(own, case, status="IN_PROGRESS", description="Falta asfalto"))
    updated(update_form(own, case, description="Llega mañana"))
    notes = Flag.objects.values_list("note", flat=True)
    assert sorted(notes) == ["Llega mañana", "[IN_PROGRESS] Falta asfalto"]
    assert case.history.count() == 2


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([Status.IN_PROGRESS], ["IN_PROGRESS", "in_progress", "In progress"]),
        ([Status.RESOLVED], ["FIXED", "CLOSED", "resolved"]),
        ([Status.RESOLVED, Status.CLOSED], ["CLOSED", "closed"]),
        ([Status.DUPLICATE], ["DUPLICATE"]),
        ([Status.ASSIGNED, Status.SCHEDULED, Status.ASSIGNED], ["INVESTIGATING"]),
    ],
)
def test_who_repeats_where_the_case_is_gets_the_line_that_led_there(own, steps, words):
    case = make_case(filed_at=NOW)
    lines = [change_status(case, Transition(to), None, NOW).change for to in steps]
    for number, word in enumerate(words):
        form = update_form(own, case, status=word, update_id=str(number))
        assert updated(form) == str(lines[-1].pk)
    assert case.history.count() == len(steps) + 1
    assert not Flag.objects.exists()
    assert not PartnerAct.objects.exists()


def test_who_repeats_where_the_case_is_uses_nothing_of_the_limit(db):
    key = issue_key("Pequeño", entity=make_entity(), hourly=1)
    case = make_case(filed_at=NOW)
    first = updated(update_form(key, case, status="FIXED", update_id="1"))
    assert updated(update_form(key, case, status="CLOSED", update_id="2")) == first


def test_a_word_that_is_also_another_step_s_is_that_step(own):
    case = make_case(filed_at=NOW)
    step = Transition(Status.WAITING_FOR_CITIZEN, "¿Dónde?")
    change_status(case, step, None, NOW)
    updated(update_form(own, case, status="INVESTIGATING"))
    case.refresh_from_db()
    assert case.status == Status.ASSIGNED


def test_a_photo_with_a_repeated_status_is_refused_and_not_lost(own):
    case = make_case(filed_at=NOW, status=Status.IN_PROGRESS)
    form = update_form(own, case, status="IN_PROGRESS", media=named_photo())
    answer = send(form, HERE)
    assert answer.status_code == 400
    assert valid(answer, ERRORS)[0]["description"].startswith("media: ")


@pytest.mark.parametrize(
    "time", ["ayer", "2026-13-01", "2999-01-01T00:00:00Z", "2026-11-24T20:06:00Z"]
)
@pytest.mark.parametrize(
    "said", [{"status": "FIXED"}, {"status": "IN_PROGRESS"}, {"description": "x"}]
)
def test_a_time_that_is_none_or_has_not_come_is_refused_whatever_is_said(
    own, time, said
):
    case = make_case(filed_at=NOW, status=Status.IN_PROGRESS)
    for key in (own, issue_key("FixMyStreet")):
        form = update_form(key, case, **said, updated_datetime=time)
        (error,) = not_done(form, 400)
        assert error["description"].startswith("updated_datetime: ")
    assert case.history.count() == 2
    assert not Flag.objects.exists()


def test_clocks_may_differ_by_a_few_minutes(own):
    case = make_case(filed_at=NOW)
    time = "2026-11-24T20:04:00Z"
    updated(update_form(own, case, status="FIXED", updated_datetime=time))
    assert case.history.get(status=Status.RESOLVED).reported_at == NOW + timedelta(
        minutes=4
    )


def test_a_step_is_of_when_it_is_kept_not_of_when_its_sender_began(own, monkeypatch):
    """Or whoever asked meanwhile for what is new would miss it."""
    case = make_case(filed_at=NOW)
    with time_machine.travel(NOW, tick=False) as clock:

        def slowly(name: str, content: BinaryIO) -> None:
            clock.shift(timedelta(minutes=2))
            keep(name, content)

        def late(request: HttpRequest) -> Form:
            clock.shift(timedelta(minutes=3))
            return signed_form(request)

        monkeypatch.setattr(photos, "keep", slowly)
        monkeypatch.setattr(updates, "signed_form", late)
        updated(update_form(own, case, status="FIXED", media=named_photo()))
    line = case.history.get(status=Status.RESOLVED)
    assert line.changed_at == NOW + timedelta(minutes=5)
    assert line.photos.get().added_at == line.changed_at
    case.refresh_from_db()
    assert (case.updated_at, case.resolved_at) == (line.changed_at, line.changed_at)


# ── Write: everybody else ────────────────────────────────────────────────────────


@pytest.mark.parametrize("whose", ["no entity", "another entity", "nobody's case"])
def test_what_others_say_of_a_case_waits_for_a_person_and_moves_nothing(db, whose):
    entity = make_entity("IDAAN") if whose == "another entity" else None
    key = issue_key("FixMyStreet", entity=entity)
    case = make_case(filed_at=NOW)
    if whose == "nobody's case":  # nor is the key anybody's
        Case.objects.update(entity=None)
    form = update_form(key, case, status="FIXED", description="Ya lo arreglaron")
    told = updated(form)
    assert updated(form) == told
    raised = Flag.objects.get()
    assert raised.pk == UUID(told)
    assert raised.note == "[FIXED] Ya lo arreglaron"
    assert PartnerAct.objects.get().flag == raised
    case.refresh_from_db()
    assert (case.status, case.under_review) == (Status.RECEIVED, True)
    assert ids() == []
    assert not_done(update_form(key, case, status="FIXED"), 403)[0]["code"] == 403
    assert not_done(update_form(key, case), 400)


def test_an_address_that_cannot_be_kept_is_refused_for_no_notice_would_tell(own):
    case = make_case(filed_at=NOW)
    form = update_form(own, case, status="FIXED", description="x")
    for link in ("javascript:alert(1)", "https://example.org/" + "a" * 2000):
        (error,) = not_done({**form, "media_url": link}, 400)
        assert error["description"].startswith("media_url: ")
    link = "https://example.org/" + "a" * 1900
    updated({**form, "media_url": link})
    assert case.history.get(status=Status.RESOLVED).note == f"x\n{link}"


def test_of_a_private_an_unknown_and_a_mistyped_case_nothing_can_be_said(own):
    private = make_category("PRU-08", private=True, precision="none")
    secret = make_case(category=private, filed_at=NOW)
    form = update_form(own, secret, status="FIXED", description="x")
    not_done(form, 404)
    for number in ("26-0000123-4", "26-0000123-2", "x"):
        not_done({**form, "service_request_id": number}, 404)


def test_who_says_nothing_of_what_is_told_all_of_it(own):
    not_done({"service_request_id": "x"}, 403)
    errors = not_done({"api_key": own.secret, "status": "WHATEVER"}, 400)
    told = {error["description"].split(":")[0] for error in errors}
    assert told == {"service_request_id", "status"}


def test_updates_use_the_key_s_limit_which_repeats_do_not(db):
    key = issue_key("Pequeño", entity=make_entity(), hourly=2)
    case = make_case(filed_at=NOW)
    for form in (
        update_form(key, case, status="IN_PROGRESS", update_id="1"),
        update_form(key, case, description="Aviso", update_id="2"),
    ):
        updated(form)
        updated(form)
    not_done(update_form(key, case, description="Otro"), 429)
