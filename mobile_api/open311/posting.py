"""A service request becomes a case, as any report does."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from backend.accounts.api_keys import give_use_back, use_key
from backend.cases.filing import Contact, ContactRequired, Report, file_case
from backend.cases.models import Case, Category
from mobile_api.cases import named_entity
from mobile_api.fields import PHONE_NUMBER
from mobile_api.open311.forms import Form, signed_form
from mobile_api.open311.services import service_of

LONGEST_DESCRIPTION = 4000
LONGEST_NAME = 80
LONGEST_HINT = 300
LANGUAGES = ("es", "en")


def file_request(request: HttpRequest) -> dict[str, Any]:
    """File what a form says, once; the answer to its sender.

    Raises NotAKey, Invalid, UnknownService, TooMany, and what `file_case` does.
    """
    form = signed_form(request)
    report = report_of(form)
    used = []

    def admit() -> None:
        use_key(form.key)
        used.append(form.key)

    filed = file_case(report, admit=admit)
    if used and not filed.is_new:
        give_use_back(form.key)  # sent twice at once
    return {
        "service_request_id": filed.case.number,
        "service_notice": notice(filed.case, form, report),
        "account_id": None,
    }


def report_of(form: Form) -> Report:
    """Raises Invalid, UnknownService, ContactRequired."""
    code = form.required("service_code", 40)
    point = form.point()
    if point is None and not form.wrong:
        form.refuse("lat", missing_place(form))
    description, _lost = form.description(LONGEST_DESCRIPTION)
    address = form.text("address_string")
    language = form.text("language") or LANGUAGES[0]
    if language not in LANGUAGES:
        form.refuse("language", _("debe ser «es» o «en»."))
    photos, contact = form.photos(), contact_of(form)
    id = form.id("report_id", timezone.now())
    form.check()
    assert point is not None  # noqa: S101 - or it would have been refused
    category = service_of(code)
    if category.act == Category.Act.DENUNCIATION and not (contact and contact.name):
        raise ContactRequired
    return Report(
        id=id,
        category=category,
        location=point,
        description=description,
        place_hint=shortened(address, LONGEST_HINT),
        contact=contact,
        language=language,
        photos=photos,
        key=form.key,
    )


def missing_place(form: Form) -> str:
    if form.text("address_string") or form.text("address_id"):
        return _(
            "aquí no se buscan direcciones: hacen falta «lat» y «long»; la dirección "
            "puede acompañarlas."
        )
    return _("falta el lugar: «lat» y «long».")


def contact_of(form: Form) -> Contact | None:
    """How to reach the person, if they have agreed to that: see `consent_of`."""
    first, last = form.text("first_name", LONGEST_NAME), form.text("last_name", 80)
    email, phone = form.text("email", 254), form.text("phone", 30)
    consent = consent_of(form)
    if email and not is_email(email):
        form.refuse("email", _("no es un correo."))
    if phone and not re.fullmatch(PHONE_NUMBER, phone, re.ASCII):
        form.refuse("phone", _("no es un teléfono."))
    if not consent or not (email or phone):
        return None
    return Contact(f"{first} {last}".strip(), phone, email, consent)


def consent_of(form: Form) -> str:
    """Which text the person has accepted: the form says so, or the key's owner does.

    The owner of a key that names a text has undertaken to show it to each person and to
    keep the proof (Ley 81 de 2019: consent can be traced). Without either, nothing of
    the person is kept.
    """
    return form.text("consent", 40) or form.key.consent


def is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def notice(case: Case, form: Form, report: Report) -> str:
    """What happens now, and what of all that was sent was not kept."""
    entity = named_entity(case.entity)
    day = date_format(timezone.localtime(case.due_at), "DATE_FORMAT")
    said = [case.category.emergency] if case.category.emergency else []
    if entity:
        said.append(
            _("Lo atiende %(entity)s, a más tardar el %(day)s.")
            % {"entity": entity["name"], "day": day}
        )
    else:
        said.append(_("Una persona decidirá quién lo atiende."))
    if report.contact is None and any(
        form.text(name) for name in ("email", "phone", "first_name", "last_name")
    ):
        said.append(
            _("El contacto no se guardó: faltan el correo o el teléfono, o «consent».")
        )
    lost = form.description(LONGEST_DESCRIPTION)[1]
    if len(lost) < len(form.links()):
        said.append(_("De «media_url» se guardó la dirección, no la foto."))
    if lost:
        said.append(
            _(
                "Lo que en «media_url» no es una dirección http o https, o no cabe, no "
                "se guardó."
            )
        )
    if names := form.attributes():
        said.append(_("No se guardó: %s.") % ", ".join(names[:20]))
    return " ".join(said)
