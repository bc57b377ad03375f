"""Who is told of what happens to a case, in which words, and that it is once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core import mail
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.utils import timezone

from backend.accounts.devices import issue_device, revoke
from backend.accounts.encryption import DataKeyLost, fingerprint_of
from backend.accounts.models import Device
from backend.cases import notices, push_sending
from backend.cases.citizens import invite
from backend.cases.filing import Contact
from backend.cases.handling import Transition, change_status
from backend.cases.models import Case, Follow, Notice, StatusChange
from backend.cases.notices import deliver, tell
from backend.cases.workflow import Status
from backend.jobs import TryLater
from tests.factories import WEST, make_case, make_category
from tests.jobs import run_jobs, waiting_jobs
from tests.sinks import PushSink, push_sink
from tests.web_push import Browser

pytestmark = pytest.mark.usefixtures("squares")

ANA = Contact("Ana Marca", "6000-0000", "ana@example.org", "2026-01")
EVERYTHING_SENT = {"sent_at__isnull": False, "given_up": ""}


@pytest.fixture
def sink(tmp_path: Path, monkeypatch, settings) -> Iterator[PushSink]:
    with push_sink(tmp_path) as service:
        for name, value in service.environment().items():
            monkeypatch.setenv(name, value)
        settings.PUSH_HOSTS = [service.host]
        yield service


@pytest.fixture
def browser() -> Browser:
    return Browser()


def test_everybody_concerned_is_told_of_every_change_once(sink, browser):
    case = make_case(contact=ANA)
    follow_by_mail(case, "vecina@example.org")
    follow_by_push(case, browser, f"{sink.url}/own", own=True)
    follow_by_push(case, browser, f"{sink.url}/other")
    move(case, Status.ASSIGNED)
    done = run_jobs()

    assert done.count(notices.TELL) == 2
    assert [address for message in mail.outbox for address in message.to] == [
        *("ana@example.org", "vecina@example.org"),  # of the filing, since they follow
        *("ana@example.org", "vecina@example.org"),
    ]
    assert sorted(received.path for received in sink.received) == [
        *("/other", "/other", "/own", "/own")
    ]
    assert Notice.objects.filter(**EVERYTHING_SENT).count() == 8


def test_done_again_nobody_is_told_again():
    case = make_case(contact=ANA)
    run_jobs()
    tell(case.history.get().pk)
    deliver(Notice.objects.get().pk)
    assert run_jobs() == []
    assert len(mail.outbox) == 1


def test_who_cannot_be_reached_is_not_noted(sink, browser):
    case = make_case()
    follow_by_mail(case, "sin-confirmar@example.org", confirmed=False)
    silent = follow_by_push(case, browser, f"{sink.url}/silent")
    Device.objects.filter(follows=silent).update(push="")
    gone = follow_by_push(case, browser, f"{sink.url}/gone")
    Device.objects.filter(follows=gone).update(revoked_at=timezone.now())
    move(case, Status.ASSIGNED)
    assert run_jobs() == [notices.TELL]
    assert not Notice.objects.exists()
    assert (mail.outbox, sink.received) == ([], [])


def test_who_reported_and_follows_with_one_address_gets_one_letter():
    case = make_case(contact=ANA)
    follow_by_mail(case, "Ana@Example.org")
    run_jobs()
    assert len(mail.outbox) == 1


def test_nobody_is_told_of_what_was_made_up():
    case = make_case(contact=ANA, demo=True)
    move(case, Status.ASSIGNED)
    assert waiting_jobs() == []


def test_a_line_that_is_gone_is_told_to_nobody():
    case = make_case(contact=ANA)
    case.delete()
    assert run_jobs() == [notices.TELL]
    assert mail.outbox == []


# ── What they read ───────────────────────────────────────────────────────────────


def test_the_letter_has_the_number_and_what_is_promised():
    case = make_case(contact=ANA)
    run_jobs()
    (letter,) = mail.outbox
    assert letter.subject == f"Recibimos su reporte: caso {case.number}"
    for words in (case.number, "Categoría PRU-01", "Entidad OBRAS", "Fecha prometida"):
        assert words in letter.body
    assert f"/casos/?propio={case.number}" in letter.body
    assert "List-Unsubscribe" not in letter.extra_headers


def test_the_reporter_reads_the_note_and_a_follower_what_is_public_of_it():
    case = make_case(contact=ANA)
    follow_by_mail(case, "vecina@example.org")
    move(case, Status.RESOLVED, "Avise al 6123-4567.")
    run_jobs()
    to_ana, to_follower = mail.outbox[-2:]
    assert "Avise al 6123-4567." in to_ana.body
    assert "6123-4567" not in everything_in(to_follower)
    assert "Avise al" in to_follower.body
    assert to_follower.subject == f"Caso {case.number}: Resuelto"


def test_a_follower_can_leave_with_one_click(settings):
    settings.PUBLIC_URL = "https://311.example.org"
    case = make_case()
    follow_by_mail(case, "vecina@example.org")
    move(case, Status.ASSIGNED)
    run_jobs()
    (letter,) = mail.outbox
    link = letter.extra_headers["List-Unsubscribe"]
    assert link.startswith("<https://311.example.org/dejar/")
    assert letter.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link.strip("<>") in letter.body
    assert link.strip("<>") in html_of(letter)


@pytest.mark.parametrize("language", ["es", "en"])
def test_everyone_reads_their_own_language(language):
    case = make_case(contact=ANA, language=language)
    follow = follow_by_mail(case, "vecina@example.org")
    Follow.objects.filter(pk=follow.pk).update(language=language)
    run_jobs()
    assert all(f'<html lang="{language}">' in html_of(letter) for letter in mail.outbox)
    name = {"es": "Categoría PRU-01", "en": "Category PRU-01"}[language]
    assert all(name in letter.body for letter in mail.outbox)


def test_a_push_says_the_number_and_the_state(sink, browser):
    case = make_case()
    follow_by_push(case, browser, f"{sink.url}/phone")
    move(case, Status.RESOLVED, "Avise al 6123-4567.")
    run_jobs()
    said = browser.read(sink.received[-1].body)
    assert said["body"] == f"Caso {case.number}: Resuelto"
    assert said["number"] == case.number
    assert "6123" not in str(said)


def test_of_a_private_case_little_is_said(sink, browser):
    category = make_category(
        "PRU-08", private=True, precision="none", name_es="Violencia", name_en="Abuse"
    )
    case = make_case(category=category, contact=ANA)
    follow_by_mail(case, "vecina@example.org")
    follow_by_push(case, browser, f"{sink.url}/phone", own=True)
    move(case, Status.RESOLVED, "Nota reservada.")
    run_jobs()
    said = browser.read(sink.received[-1].body)
    assert said["body"] == "Hay novedades en su caso"
    assert case.number not in str(said)
    assert "Resuelto" not in str(said)
    for letter in mail.outbox:
        assert letter.subject == f"Novedades de su caso {case.number}"
        assert "Violencia" not in everything_in(letter)
    (to_follower,) = [m for m in mail.outbox[-2:] if "vecina" in m.to[0]]
    assert "Nota reservada." not in everything_in(to_follower)


def test_no_message_has_the_place_the_pin_or_a_contact(sink, browser):
    case = make_case(
        contact=ANA, description="Marca de la descripción", place_hint="Marca del lugar"
    )
    follow_by_mail(case, "vecina@example.org")
    follow_by_push(case, browser, f"{sink.url}/phone", own=True)
    for status in (Status.WAITING_FOR_CITIZEN, Status.RESOLVED, Status.CLOSED):
        move(case, status, "Listo.")
    run_jobs()
    said = [everything_in(letter) for letter in mail.outbox]
    said += [str(browser.read(received.body)) for received in sink.received]
    assert len(said) == 12
    secrets = [case.pin, str(WEST[0]), str(WEST[1]), "Marca", "6000-0000"]
    for message in said:
        assert [secret for secret in secrets if secret in message] == []
        assert message.count("ana@example.org") <= 1  # To whom it goes.


# ── When it cannot be delivered ──────────────────────────────────────────────────


def test_a_phone_whose_subscription_ended_is_asked_no_more(sink, browser):
    case = make_case()
    follow = follow_by_push(case, browser, f"{sink.url}/phone")
    sink.answers["/phone"] = (410, {})
    move(case, Status.ASSIGNED)
    run_jobs()
    assert Notice.objects.get().given_up == "subscription-gone"
    assert Device.objects.get(follows=follow).push == ""
    move(case, Status.IN_PROGRESS)
    run_jobs()
    assert len(sink.received) == 1


def test_a_new_subscription_outlives_the_end_of_the_old_one(sink, browser, monkeypatch):
    case = make_case()
    follow = follow_by_push(case, browser, f"{sink.url}/old")
    new = json.dumps(browser.subscription(f"{sink.url}/new"))
    sink.answers["/old"] = (410, {})
    send_push = push_sending.send_push

    def renewed_meanwhile(*arguments: Any) -> None:
        Device.objects.filter(follows=follow).update(push=new)
        send_push(*arguments)

    monkeypatch.setattr(push_sending, "send_push", renewed_meanwhile)
    move(case, Status.ASSIGNED)
    run_jobs()
    assert Device.objects.get(follows=follow).push == new


def test_a_busy_push_service_leaves_the_notice_to_be_sent(sink, browser):
    case = make_case()
    follow_by_push(case, browser, f"{sink.url}/phone")
    tell(case.history.get().pk)
    notice = Notice.objects.get()
    sink.answers["/phone"] = (429, {"Retry-After": "90"})
    with pytest.raises(TryLater):
        deliver(notice.pk)
    notice.refresh_from_db()
    assert (notice.sent_at, notice.given_up) == (None, "")
    del sink.answers["/phone"]
    deliver(notice.pk)
    notice.refresh_from_db()
    assert notice.sent_at


@pytest.mark.parametrize(
    ("gone", "why"),
    [
        (lambda case: case.reporter.delete(), "forgotten"),
        (lambda case: case.follows.exclude(email="").delete(), "unfollowed"),
        (lambda case: revoke(case.follows.get(email="").device), "push-off"),
    ],
)
def test_who_leaves_meanwhile_is_told_nothing_more(sink, browser, gone, why):
    case = make_case(contact=ANA)
    follow_by_mail(case, "vecina@example.org")
    follow_by_push(case, browser, f"{sink.url}/phone")
    tell(case.history.get().pk)
    gone(case)
    run_jobs()
    assert Notice.objects.filter(**EVERYTHING_SENT).count() == 2
    assert Notice.objects.get(sent_at=None).given_up == why


# ── A key that is lost ───────────────────────────────────────────────────────────


@pytest.mark.parametrize("whose", ["reporter", "follower", "phone"])
def test_who_cannot_be_read_now_is_told_when_the_key_is_back(
    sink, browser, settings, whose
):
    case = make_case(contact=ANA if whose == "reporter" else None)
    if whose == "follower":
        follow_by_mail(case, "vecina@example.org")
    elif whose == "phone":
        follow_by_push(case, browser, f"{sink.url}/own", own=True)
    run_jobs()
    mail.outbox.clear()
    sink.received.clear()
    tell(move(case, Status.ASSIGNED).pk)
    kept, settings.DATA_KEYS = settings.DATA_KEYS, [Fernet.generate_key().decode()]
    waiting = Notice.objects.get(sent_at=None)
    with pytest.raises(DataKeyLost):
        deliver(waiting.pk)
    waiting.refresh_from_db()
    assert (waiting.sent_at, waiting.given_up) == (None, "")
    settings.DATA_KEYS = kept
    deliver(waiting.pk)
    assert len(mail.outbox) + len(sink.received) == 1
    assert Notice.objects.filter(pk=waiting.pk, **EVERYTHING_SENT).exists()


def test_an_address_that_cannot_be_read_now_is_asked_when_the_key_is_back(settings):
    invite(make_case(), "vecino@example.org", "es")
    asked = Follow.objects.get()
    kept, settings.DATA_KEYS = settings.DATA_KEYS, [Fernet.generate_key().decode()]
    with pytest.raises(DataKeyLost):
        notices.invite(asked.pk)
    settings.DATA_KEYS = kept
    notices.invite(asked.pk)
    assert [letter.to for letter in mail.outbox] == [["vecino@example.org"]]


# ── An invitation ────────────────────────────────────────────────────────────────


def test_an_address_is_asked_before_it_follows():
    case = make_case()
    follow = follow_by_mail(case, "vecina@example.org", confirmed=False)
    notices.invite(follow.pk)
    (letter,) = mail.outbox
    assert letter.to == ["vecina@example.org"]
    assert case.number in letter.subject
    assert "/seguir/" in letter.body
    assert "/seguir/" in html_of(letter)


def test_who_has_answered_is_not_asked_again():
    follow = follow_by_mail(make_case(), "vecina@example.org")
    notices.invite(follow.pk)
    notices.invite(follow.pk + 1)
    assert mail.outbox == []


# ── What the tests are made of ───────────────────────────────────────────────────


def follow_by_mail(case: Case, address: str, *, confirmed: bool = True) -> Follow:
    now = timezone.now()
    return Follow.objects.create(
        case=case,
        email=address,
        email_fingerprint=fingerprint_of(address, "test"),
        followed_at=now,
        confirmed_at=now if confirmed else None,
    )


def follow_by_push(
    case: Case, browser: Browser, endpoint: str, *, own: bool = False
) -> Follow:
    device = issue_device().device
    device.push = json.dumps(browser.subscription(endpoint))
    device.save()
    return Follow.objects.create(
        case=case, device=device, own=own, followed_at=timezone.now()
    )


def move(case: Case, to: Status, note: str = "Nota.") -> StatusChange:
    return change_status(case, Transition(to, note), by=None).change


def html_of(letter: EmailMessage) -> str:
    assert isinstance(letter, EmailMultiAlternatives)
    ((content, _kind),) = letter.alternatives
    return str(content)


def everything_in(letter: EmailMessage) -> str:
    return f"{letter.subject} {letter.body} {html_of(letter)} {letter.extra_headers}"
