"""What citizens do with a case from their phones."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils.http import parse_etags

from backend.accounts.devices import revoke
from backend.accounts.models import Device
from backend.cases import citizens
from backend.cases.handling import Transition, change_status
from backend.cases.models import Case, Flag, Follow, Photo
from backend.cases.workflow import CITIZEN_MAY, Status
from tests.factories import make_case, make_category, make_crew, make_photo
from tests.jobs import run_jobs
from tests.mobile_api.calls import (
    citizens_phone,
    phone_of,
    problem_of,
    send,
    step_body,
    transition_body,
    transitions_of,
    wrong_fields,
)

pytestmark = pytest.mark.usefixtures("squares")

BY_PHONE: dict[str, dict[str, Any]] = {
    "support": {},
    "follow": {"on": True},
    "flag": {"reason": "other"},
}
STARTS = {
    "confirm": Status.RESOLVED,
    "reopen": Status.RESOLVED,
    "answer": Status.WAITING_FOR_CITIZEN,
    "cancel": Status.RECEIVED,
}


def post(client: Client, case: Case, what: str, **fields: Any) -> Any:
    headers = fields.pop("headers", {})
    body = {"id": str(uuid4()), **BY_PHONE.get(what, {}), **fields}
    return send(client, body, f"/api/v1/cases/{case.number}/{what}/", headers=headers)


def private_case(**fields: Any) -> Case:
    category = make_category("P-1", private=True, precision="none")
    return make_case(category=category, **fields)


def address(case: Case) -> str:
    return f"/api/v1/cases/{case.number}/"


# ── Anybody with a phone ─────────────────────────────────────────────────────────


def test_a_phone_supports_a_case_and_follows_it(phone):
    case = make_case()
    mine = citizens_phone()
    first, again = post(mine, case, "support"), post(mine, case, "support")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() == {"supports": 1, "following": True}
    assert first["Cache-Control"] == "no-store"
    assert post(citizens_phone(), case, "support").json()["supports"] == 2
    assert phone.get(address(case)).json()["supports"] == 2


def test_a_phone_follows_a_case_and_stops(phone):
    case, mine = make_case(), citizens_phone()
    told = [post(mine, case, "follow", on=on) for on in (True, True, False, False)]
    assert [answer.status_code for answer in told] == [201, 200, 200, 200]
    assert [answer.json()["following"] for answer in told] == [True, True, False, False]
    assert not any(answer.json()["email_pending"] for answer in told)


@pytest.fixture
def asked(monkeypatch) -> list[int]:
    letters: list[int] = []
    monkeypatch.setattr(
        citizens, "enqueue", lambda task, follow_id: letters.append(follow_id)
    )
    return letters


def test_an_address_follows_once_it_has_been_asked_and_nobody_learns_more(asked):
    case = make_case()
    first = post(citizens_phone(), case, "follow", email="ana@example.com")
    follower = Follow.objects.get()
    citizens.confirm(follower)
    stranger = post(citizens_phone(), case, "follow", email="ana@example.com")
    assert (first.status_code, first.content) == (
        stranger.status_code,
        stranger.content,
    )
    assert first.json() == {"following": False, "email_pending": True}
    assert asked == [follower.pk]
    assert "ana@" not in first.content.decode()


def test_nobody_takes_anothers_address_off_the_list(asked):
    case = make_case()
    post(citizens_phone(), case, "follow", email="ana@example.com")
    refused = post(citizens_phone(), case, "follow", email="ana@example.com", on=False)
    assert wrong_fields(refused) == {"/email": "only-to-follow"}
    assert Follow.objects.count() == 1


def test_a_phone_flags_a_photo(phone):
    case, mine = make_case(photos=[make_photo()]), citizens_phone()
    run_jobs()
    photo = phone.get(address(case)).json()["photos"][0]["id"]
    said = {"id": str(uuid4()), "reason": "personal_data", "photo": photo}
    answers = [post(mine, case, "flag", **said) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == {"flagged": True}
    assert Flag.objects.get().photo_id == case.photos.get().pk
    assert phone.get(address(case)).status_code == 200
    other = post(mine, case, "flag", **{**said, "reason": "offensive"})
    assert problem_of(other, 409) == "flag-id-reused"
    not_its = post(mine, case, "flag", photo=str(uuid4()))
    assert problem_of(not_its, 422) == "not-its-photo"


def test_a_flag_says_why_in_one_of_the_words_there_are():
    case, mine = make_case(), citizens_phone()
    assert wrong_fields(post(mine, case, "flag", reason="fea")) == {
        "/reason": "invalid_choice"
    }
    assert wrong_fields(post(mine, case, "flag", id=5, note="x" * 1001, photo="?")) == {
        "/id": "invalid",
        "/note": "max_length",
        "/photo": "invalid",
    }


@pytest.mark.parametrize("what", BY_PHONE)
def test_without_a_phones_token_nothing_of_this_happens(phone, what):
    case = make_case()
    crew = phone_of(make_crew())
    for client in (phone, crew):
        refused = post(client, case, what)
        assert problem_of(refused, 401) == "device-required"
        assert refused["WWW-Authenticate"] == "Device"
    gone = citizens_phone()
    revoke(Device.objects.get())
    assert problem_of(post(gone, case, what), 401) == "device-revoked"


@pytest.mark.parametrize("what", BY_PHONE)
def test_a_private_case_is_there_only_for_whoever_has_its_pin(what):
    case = private_case()
    stranger, reporter = citizens_phone(), citizens_phone(case.pin)
    assert problem_of(post(stranger, case, what), 404) == "no-such-case"
    guess = citizens_phone(f"{(int(case.pin) + 1) % 1_000_000:06}")
    assert problem_of(post(guess, case, what), 404) == "no-such-case"
    assert post(reporter, case, what).status_code == 201
    own = list(Follow.objects.values_list("own", flat=True))
    assert own == ([] if what == "flag" else [True])


def test_supporting_is_limited_by_phone_and_repeating_is_not(settings):
    settings.LIMITS_FACTOR = 0.05  # three an hour
    mine = citizens_phone()
    cases = [make_case() for _ in range(4)]
    for case in cases[:2]:
        told = [post(mine, case, "support").status_code for _ in range(5)]
        assert told == [201, 200, 200, 200, 200]
    assert post(mine, cases[2], "support").status_code == 201
    refused = post(mine, cases[3], "support")
    assert problem_of(refused, 429) == "too-many-requests"
    assert int(refused["Retry-After"]) > 0


# ── Whoever reported it ──────────────────────────────────────────────────────────


@pytest.mark.parametrize("action", CITIZEN_MAY)
@pytest.mark.parametrize("private", [False, True])
def test_the_reporter_moves_the_own_case_on_once(phone, action, private):
    make = private_case if private else make_case
    case = make(status=STARTS[action])
    body = step_body("Sigue igual.")
    headers = {"X-Case-Pin": case.pin}
    seen = phone.get(address(case), headers=headers)
    assert seen.json()["can"][action] is True
    tagged = {**headers, "If-Match": seen["ETag"]}
    path = f"{address(case)}{action}/"
    first = send(phone, body, path, headers=tagged)
    assert first.status_code == 201
    again = send(phone, body, path, headers=tagged)
    assert (again.status_code, again.json()) == (200, first.json())
    case.refresh_from_db()
    told = first.json()
    assert told.keys() == {"number", "status", "status_name", "version", "changed_at"}
    assert told["status"] == case.status == CITIZEN_MAY[action][1]
    assert told["version"] == case.version == seen.json()["version"] + 1
    assert first["ETag"] == again["ETag"] == f'"{case.version}"'
    after = phone.get(address(case), headers=headers).json()
    assert after["can"][action] is False
    assert after["history"][-1]["note"] == "Sigue igual."
    other = send(phone, {**body, "note": "Otra."}, path, headers=headers)
    assert problem_of(other, 409) == "transition-id-reused"


@pytest.mark.parametrize("action", CITIZEN_MAY)
def test_nobody_else_does(phone, action):
    public, private = (
        make(status=STARTS[action]) for make in (make_case, private_case)
    )
    crew = phone_of(make_crew(public.entity))
    for client in (phone, crew, citizens_phone()):
        refused = post(client, public, action, note="x")
        assert problem_of(refused, 403) == "pin-required"
        assert problem_of(post(client, private, action), 404) == "no-such-case"
    pins = {"X-Case-Pin": f"{(int(public.pin) + 1) % 1_000_000:06}"}
    refused = post(phone, public, action, note="x", headers=pins)
    assert problem_of(refused, 403) == "wrong-pin"
    assert public.history.count() == private.history.count() < 3


def test_what_cannot_be_done_now_says_why(phone, settings):
    case = make_case()
    headers = {"X-Case-Pin": case.pin}
    not_yet = post(phone, case, "confirm", headers=headers)
    assert problem_of(not_yet, 409) == "transition-not-allowed"
    change_status(case, Transition(Status.RESOLVED, "Listo."), None)
    wordless = post(phone, case, "reopen", headers=headers)
    assert problem_of(wordless, 422) == "note-required"
    post(phone, case, "confirm", headers=headers)
    settings.REOPEN_DAYS = 0
    late = post(phone, case, "reopen", note="Sigue", headers=headers)
    assert problem_of(late, 409) == "no-longer"


def test_the_words_of_a_citizen_are_not_public(phone):
    case = make_case(status=Status.RESOLVED)
    headers = {"X-Case-Pin": case.pin}
    post(phone, case, "reopen", note="Vivo en la casa 12", headers=headers)
    for door in (address(case), f"/casos/{case.number}"):
        assert "casa 12" not in phone.get(door).content.decode()
    assert phone.get(address(case)).json()["history"][-1]["status"] == "reopened"


def test_a_question_is_shown_to_whom_it_is_asked(phone):
    case = make_case()
    change_status(case, Transition(Status.WAITING_FOR_CITIZEN, "¿Qué poste?"), None)
    own = phone.get(address(case), headers={"X-Case-Pin": case.pin}).json()
    assert own["question"] == "¿Qué poste?"
    assert own["can"] == {
        "confirm": False,
        "reopen": False,
        "answer": True,
        "cancel": True,
    }
    assert "question" not in phone.get(address(case)).json()


def test_photos_on_their_way_are_shown_to_the_reporter_alone(phone):
    case = make_case(photos=[make_photo()])
    run_jobs()
    Photo.objects.create(
        case=case, state=Photo.State.RECEIVED, sha256="0" * 64, added_at=case.filed_at
    )
    Photo.objects.filter(state="ready").update(released_at=None)
    assert phone.get(address(case)).json()["photos"] == []
    own = phone.get(address(case), headers={"X-Case-Pin": case.pin}).json()["photos"]
    assert sorted(photo["state"] for photo in own) == ["ready", "received"]
    for photo in own:
        assert (photo["url"] is not None) is (photo["state"] == "ready")
        assert (photo["thumbnail"] is None) is (photo["url"] is None)


# ── What was meant for another version ───────────────────────────────────────────


def test_a_phone_that_has_the_case_is_told_so_in_few_bytes(phone):
    case = make_case()
    first = phone.get(address(case))
    tag = first["ETag"]
    assert parse_etags(tag) == [tag]
    assert tag.startswith('"1-')
    for seen in (tag, f'W/{tag}, "x"', "*"):
        again = phone.get(address(case), headers={"If-None-Match": seen})
        assert (again.status_code, again.content) == (304, b"")
        assert again["ETag"] == tag
        assert again["Vary"] == first["Vary"]
        assert again["Cache-Control"] == first["Cache-Control"]
    assert phone.get(address(case), headers={"If-None-Match": '"1"'}).status_code == 200


def test_whatever_is_said_otherwise_has_another_tag(phone):
    """The strong tag: language, reader, support, photo, name, status."""
    case = make_case(photos=[make_photo()])
    run_jobs()
    readers = [
        {},
        {"Accept-Language": "en"},
        {"X-Case-Pin": case.pin},
        {"X-Case-Pin": case.pin, "Accept-Language": "en"},
    ]
    tags = [phone.get(address(case), headers=reader)["ETag"] for reader in readers]
    post(citizens_phone(), case, "support")
    tags.append(phone.get(address(case))["ETag"])
    Photo.objects.update(released_at=None)
    tags.append(phone.get(address(case))["ETag"])
    Case.objects.update(public_description="[…]")
    tags.append(phone.get(address(case))["ETag"])
    change_status(case, Transition(Status.ASSIGNED), None)
    tags.append(phone.get(address(case))["ETag"])
    assert len(set(tags)) == len(tags) == 8


def test_a_case_that_changed_meanwhile_is_not_changed_by_who_did_not_see_it(phone):
    case = make_case()
    headers = {"X-Case-Pin": case.pin}
    tags = [
        phone.get(address(case))["ETag"],
        phone.get(address(case), headers=headers)["ETag"],
    ]
    change_status(case, Transition(Status.ASSIGNED), None)
    for tag in [*tags, '"1"', '"nada"', "nada", '"1-z"', "٢", '"-1"']:
        meant = {**headers, "If-Match": tag}
        refused = post(phone, case, "cancel", headers=meant)
        assert problem_of(refused, 412) == "changed-meanwhile"
        assert refused.json()["version"] == 2
    # A support changes the tag, but is no reason to refuse.
    tag = phone.get(address(case), headers=headers)["ETag"]
    post(citizens_phone(), case, "support")
    meant = {**headers, "If-Match": f'"1", W/{tag}'}
    assert post(phone, case, "cancel", headers=meant).status_code == 201


def test_a_crew_too_changes_only_what_it_has_seen(phone):
    case = make_case()
    crew = phone_of(make_crew(case.entity))
    path = transitions_of(case.number)

    def move(to: str, tag: str) -> Any:
        return send(crew, transition_body(to), path, headers={"If-Match": tag})

    first = move("assigned", '"1"')
    assert (first.status_code, first.json()["version"]) == (201, 2)
    refused = move("in_progress", '"1"')
    assert problem_of(refused, 412) == "changed-meanwhile"
    assert move("in_progress", first["ETag"]).status_code == 201
    assert move("scheduled", "*").status_code == 201


def test_no_two_words_for_the_same_thing(phone):
    """The version in the body, in the tag and in the database are one."""
    case = make_case(status=Status.RESOLVED)
    answer = phone.get(address(case))
    case.refresh_from_db()
    version = json.loads(answer.content)["version"]
    assert answer["ETag"].startswith(f'"{version}-')
    assert version == case.version == case.history.count()
