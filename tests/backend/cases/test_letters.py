"""An e-mail is posted, or it is known why not; and nothing that is said names anybody."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import Message
from smtplib import SMTPNotSupportedError

import pytest
from django.core.mail.backends.smtp import EmailBackend
from django.urls import reverse

from backend.cases.letters import AddressRefused, Letter, own_page, post, public_page
from backend.cases.models import Case
from backend.jobs import TryLater
from tests.sinks import MailSink, mail_sink

LETTER = Letter(
    mark="notice:1",
    subject="Caso 26-0000001-4: Resuelto",
    lines=["El caso 26-0000001-4 está resuelto."],
    link="https://311.example.org/casos/26-0000001-4",
    link_name="Ver el caso",
    note="Uno < dos.\nTres & cuatro.",
    leave="https://311.example.org/dejar/1.x",
)
ANA = "ana.marca@example.org"


@pytest.fixture
def sink(settings) -> Iterator[MailSink]:
    with mail_sink() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.url.removeprefix(
            "smtp://"
        ).split(":")
        yield server


def test_a_letter_arrives_as_text_and_as_html(sink):
    post(LETTER, ANA)
    ((address, message),) = sink.letters
    assert address == ANA
    assert message["Subject"] == LETTER.subject
    assert message["Auto-Submitted"] == "auto-generated"
    text, html = (part_of(message, f"text/{kind}") for kind in ("plain", "html"))
    assert LETTER.note in text
    assert LETTER.link in text
    assert "\n-- \n" in text
    assert "Uno &lt; dos.<br>Tres &amp; cuatro." in html
    assert f'href="{LETTER.link}"' in html


def test_sent_twice_it_is_the_same_letter(sink, settings):
    post(LETTER, ANA)
    post(LETTER, ANA)
    (_, first), (_, second) = sink.letters
    assert first["Message-ID"] == second["Message-ID"]
    assert "notice" not in first["Message-ID"]


@pytest.mark.parametrize(
    "answer",
    [
        f"550 5.1.1 <{ANA}>: no such user",
        f"553 5.1.3 <{ANA}>: bad address",
        f"550 5.2.1 <{ANA}>: mailbox disabled",
        f"550 <{ANA}>: unknown user",
    ],
)
def test_an_address_that_does_not_exist_is_refused_for_good(sink, answer):
    sink.refusals[ANA] = answer
    with pytest.raises(AddressRefused) as refused:
        post(LETTER, ANA)
    assert_names_nobody(refused.value)


@pytest.mark.parametrize(
    "answer",
    [
        f"550 5.7.1 <{ANA}>: relaying denied",
        f"554 5.7.1 <{ANA}>: Relay access denied",
        f"550 relay not permitted for <{ANA}>",
        f"553 sorry, <{ANA}> is not in my list of allowed rcpthosts (#5.7.1)",
        "550 5.1.8 Sender address rejected: domain not found",
        "530 5.7.0 Authentication required",
        "554 Service unavailable; 192.5.1.1 is blocked",
    ],
)
def test_a_server_that_will_not_send_for_us_says_nothing_of_the_address(sink, answer):
    sink.refusals[ANA] = answer
    with pytest.raises(TryLater, match=answer[:3]) as later:
        post(LETTER, ANA)
    assert_names_nobody(later.value)


@pytest.mark.parametrize("what", ["STARTTLS", "SMTP AUTH"])
def test_a_server_without_what_we_ask_of_it_is_tried_later(sink, monkeypatch, what):
    def refused(*_: object) -> None:
        raise SMTPNotSupportedError(f"{what} extension not supported by server.")

    monkeypatch.setattr(EmailBackend, "open", refused)
    with pytest.raises(TryLater, match="SMTPNotSupportedError") as later:
        post(LETTER, ANA)
    assert_names_nobody(later.value)


def test_a_mailbox_that_is_full_is_tried_later(sink):
    sink.refusals[ANA] = f"452 4.2.2 <{ANA}>: over quota"
    with pytest.raises(TryLater, match="452") as later:
        post(LETTER, ANA)
    assert_names_nobody(later.value)


@pytest.mark.parametrize(
    "address", ["ana\n@example.org", "ana@", "@example.org", "ana@exa mple.org"]
)
def test_what_is_no_address_is_refused(sink, address):
    with pytest.raises((AddressRefused, TryLater)):
        post(LETTER, address)
    assert sink.letters == []


def test_a_server_that_is_away_is_tried_later(settings):
    with mail_sink() as server:
        port = server.url.rsplit(":", 1)[1]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    with pytest.raises(TryLater, match="ConnectionRefusedError") as later:
        post(LETTER, ANA)
    assert_names_nobody(later.value)


def test_the_links_lead_to_the_pages_there_are(settings):
    case = Case(number="26-0000001-4")
    settings.PUBLIC_URL = "https://311.example.org"
    assert public_page(case) == settings.PUBLIC_URL + reverse(
        "case-page", args=[case.number]
    )
    assert own_page(case) == (
        f"{settings.PUBLIC_URL}{reverse('case-look-up')}?propio={case.number}"
    )


def part_of(message: Message, kind: str) -> str:
    (part,) = [part for part in message.walk() if part.get_content_type() == kind]
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content.decode().replace("\r\n", "\n")


def assert_names_nobody(error: BaseException) -> None:
    assert error.__cause__ is None
    assert error.__context__ is None
    assert "marca" not in str(error)
