"""What the e-mails say: to whoever reported, to followers, to who wants to follow.

None has the exact place, the PIN or a contact: mail is read by more than its addressee.
Of a private case it has little more than the number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from smtplib import SMTPException, SMTPRecipientsRefused
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from backend.accounts.encryption import fingerprint_of, readable
from backend.cases.follow_links import confirm_url, leave_url
from backend.cases.models import Case, Follow, StatusChange
from backend.cases.workflow import PAUSED, Status
from backend.jobs import TryLater
from provinces.models import in_reader_language

# In what a server says, not in an address of the Internet.
ENHANCED = re.compile(rb"(?<![\d.])5\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")


class AddressRefused(Exception):
    """There is no such address, or mail cannot be sent to it."""


@dataclass(frozen=True)
class Letter:
    """An e-mail before it has an address; `mark` makes its Message-ID."""

    mark: str
    subject: str
    lines: list[str]
    link: str
    link_name: str
    note: str = ""
    footer: str = ""
    leave: str = ""
    facts: list[tuple[str, str]] = field(default_factory=list)


def to_reporter(change: StatusChange, mark: str) -> Letter:
    """In the language in force; with the note as it was written."""
    case = change.case
    first = change.status == Status.RECEIVED
    return Letter(
        mark=mark,
        subject=subject_of(change, first=first),
        lines=[first_line(change, first=first), *what_to_do(change)],
        facts=facts_of(case, with_promise=first),
        note="" if change.by_reporter else change.note,
        link=own_page(case),
        link_name=_("Ver su caso"),
        footer=_("Recibe este correo porque dejó su dirección al reportar."),
    )


def to_follower(change: StatusChange, follow: Follow, mark: str) -> Letter:
    """In the language in force; with what everybody may read of the note."""
    case = change.case
    return Letter(
        mark=mark,
        subject=subject_of(change),
        lines=[first_line(change)],
        facts=facts_of(case),
        note="" if case.category.private else change.public_note,
        link=own_page(case) if case.category.private else public_page(case),
        link_name=_("Ver el caso"),
        footer=_("Recibe este correo porque sigue este caso."),
        leave=leave_url(follow),
    )


def invitation(follow: Follow) -> Letter:
    """In the language in force: asks the owner of an address whether they want it."""
    return Letter(
        mark=f"invitation:{follow.pk}",
        subject=_("Confirme que quiere seguir el caso %(number)s")
        % {"number": follow.case.number},
        lines=[
            _(
                "Alguien pidió que los cambios del caso %(number)s de 311 móvil se "
                "avisen a esta dirección."
            )
            % {"number": follow.case.number},
            _("Si fue usted, confírmelo. Si no, no haga nada: no le escribiremos más."),
        ],
        facts=facts_of(follow.case),
        link=confirm_url(follow),
        link_name=_("Confirmar"),
    )


def subject_of(change: StatusChange, *, first: bool = False) -> str:
    number = change.case.number
    if change.case.category.private:
        return _("Novedades de su caso %(number)s") % {"number": number}
    if first:
        return _("Recibimos su reporte: caso %(number)s") % {"number": number}
    return _("Caso %(number)s: %(status)s") % {
        "number": number,
        "status": Status(change.status).label,
    }


def first_line(change: StatusChange, *, first: bool = False) -> str:
    number = change.case.number
    if first:
        return _("Recibimos su reporte. El número de su caso es %(number)s.") % {
            "number": number
        }
    return _("El caso %(number)s está ahora en este estado: %(status)s.") % {
        "number": number,
        "status": Status(change.status).label,
    }


def what_to_do(change: StatusChange) -> list[str]:
    if change.status in PAUSED:
        return [
            _(
                "Quien lo atiende necesita su respuesta; el plazo está en pausa mientras "
                "tanto. Responda desde la aplicación."
            )
        ]
    if change.status == Status.RESOLVED:
        return [
            _(
                "Si quedó bien, confírmelo en la aplicación; si no, puede reabrir el caso."
            )
        ]
    return []


def facts_of(case: Case, *, with_promise: bool = False) -> list[tuple[str, str]]:
    if case.category.private:
        return []
    facts = [(_("Asunto"), str(case.category))]
    if case.entity:
        entity = in_reader_language(case.entity.name, case.entity.name_en)
        facts.append((_("Responde"), entity))
    if with_promise:
        day = date_format(localtime(case.due_at), "DATE_FORMAT")
        facts.append((_("Fecha prometida"), day))
    return facts


# Written out: to ask Django for an address imports every view there is into the worker.
def public_page(case: Case) -> str:
    return f"{settings.PUBLIC_URL}/casos/{case.number}"


def own_page(case: Case) -> str:
    """The form that asks for the PIN, with the number filled in."""
    return f"{settings.PUBLIC_URL}/casos/?propio={case.number}"


def post(letter: Letter, address: str) -> None:
    """Send a letter. Raises AddressRefused, TryLater; neither names the address.

    And DataKeyLost: to nobody, Django would send it without a word.
    """
    address = readable(address)
    try:
        message_of(letter, address).send()
    except SMTPRecipientsRefused as refused:
        ((code, answer),) = refused.recipients.values()
        problem: Exception = TryLater(f"mail server: {code}")
        if is_about_the_address(code, answer):
            problem = AddressRefused()
    except ValueError:
        problem = AddressRefused()  # Django's and smtplib's word for a malformed one.
    except (SMTPException, OSError) as failure:
        told = getattr(failure, "smtp_code", "")
        problem = TryLater(f"mail server: {type(failure).__name__} {told}".rstrip())
    else:
        return
    raise problem  # Outside, or the first one's text would follow it into the log.


def is_about_the_address(code: int, answer: bytes) -> bool:
    """Whether a server refuses whom a letter is for, for good, and not who sends it.

    By RFC 3463's codes: of addresses (but not the sender's), of mailboxes. Who gives
    none and says "relay" will not send for us.
    """
    if found := ENHANCED.search(answer):
        subject, detail = map(int, found.groups())
        return subject == 2 or (subject == 1 and detail not in {7, 8})
    return code in {550, 551, 553} and b"relay" not in answer.lower()


def message_of(letter: Letter, address: str) -> EmailMultiAlternatives:
    context = {"letter": letter, "language": get_language()}
    message = EmailMultiAlternatives(
        subject=letter.subject,
        body=render_to_string("cases/letter.txt", context),
        to=[address],
        headers=headers_of(letter),
    )
    message.attach_alternative(
        render_to_string("cases/letter.html", context), "text/html"
    )
    return message


def headers_of(letter: Letter) -> dict[str, str]:
    host = urlsplit(settings.PUBLIC_URL).hostname
    headers = {
        # The same if it is sent twice: most readers then show it once.
        "Message-ID": f"<{fingerprint_of(letter.mark, 'message')[:32]}@{host}>",
        "Auto-Submitted": "auto-generated",
    }
    if letter.leave:
        headers["List-Unsubscribe"] = f"<{letter.leave}>"
        if letter.leave.startswith("https:"):  # RFC 8058 has no other.
            headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers
