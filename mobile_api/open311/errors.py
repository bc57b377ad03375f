"""What is refused, in GeoReport's words: an array of codes and descriptions.

404 for what does not exist, 403 for the key, 400 for the rest of what the standard knows;
of HTTP's own 405, 413, 415, 429 and 503. The code in the body may be more exact.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http.multipartparser import MultiPartParserError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from backend.accounts.api_keys import NotAKey
from backend.accounts.limits import TooMany
from backend.cases.access import NoSuchCase
from backend.cases.citizens import FlagIdReused
from backend.cases.consent import UnknownConsent
from backend.cases.filing import ContactRequired, ReportIdReused
from backend.cases.handling import NoteRequired, TransitionIdReused
from backend.cases.numbers import NotANumber, WrongDigit
from backend.cases.storage import StorageAway
from backend.cases.workflow import NotAllowed
from mobile_api.errors import ANSWERS
from provinces.places import NoBoundaries


class Wrong(NamedTuple):
    """One thing that is wrong, and the parameter that it is about."""

    name: str
    description: str | Promise


class Invalid(Exception):
    """The parameters are not what they should be."""

    def __init__(self, *wrong: Wrong) -> None:
        super().__init__(", ".join(one.name for one in wrong))
        self.wrong = wrong


class UnknownService(Exception):
    """There is no such service here."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NothingHere(Exception):
    """No resource has this address, or not in this format."""


class NotAForm(Exception):
    """What was sent is no form."""


class NotYours(Exception):
    """This key may not do this with this case."""


class Refusal(NamedTuple):
    status: int
    errors: list[dict[str, Any]]
    headers: dict[str, str] = {}


class Answer(NamedTuple):
    """How a kind of error is answered: HTTP's status, the body's code, the words."""

    status: int
    code: int
    description: str | Promise = ""  # empty: the words of the phone's own door


OWN: dict[type[Exception], Answer] = {
    NothingHere: Answer(
        404, 404, _("No existe esa dirección. Los formatos son .xml y .json.")
    ),
    NoSuchCase: Answer(404, 404, _("No existe un caso público con ese número.")),
    NotANumber: Answer(404, 404),
    WrongDigit: Answer(404, 404),
    NotAKey: Answer(
        403, 403, _("«api_key» falta, no es de una clave o la clave fue revocada.")
    ),
    NotYours: Answer(403, 403, _("Esta clave no puede cambiar el estado de ese caso.")),
    ContactRequired: Answer(
        400,
        400,
        _(
            "Una denuncia necesita «first_name» o «last_name», «email» o «phone», y el "
            "consentimiento de la persona (Ley 38 de 2000, artículo 65)."
        ),
    ),
    UnknownConsent: Answer(
        400, 400, _("consent: no hay un texto de consentimiento con esa versión.")
    ),
    ReportIdReused: Answer(
        400, 409, _("report_id: ya se usó para otro reporte, en el que nada cambió.")
    ),
    TransitionIdReused: Answer(
        400, 409, _("update_id: ya se usó para otro cambio, en el que nada cambió.")
    ),
    FlagIdReused: Answer(
        400, 409, _("update_id: ya se usó para otro cambio, en el que nada cambió.")
    ),
    NotAllowed: Answer(400, 409),
    NoteRequired: Answer(400, 400, _("description: este estado necesita una razón.")),
    TooMany: Answer(429, 429, _("La clave llegó a su límite de envíos por hora.")),
    RequestDataTooBig: Answer(413, 413),
    NotAForm: Answer(
        415,
        415,
        _(
            "Se espera application/x-www-form-urlencoded; con fotos, "
            "multipart/form-data."
        ),
    ),
    StorageAway: Answer(503, 503),
    NoBoundaries: Answer(503, 503),
}
UNREADABLE = (SuspiciousOperation, BadRequest, MultiPartParserError)
DATABASE_AWAY = (OperationalError, InterfaceError)
RETRY_SECONDS = {StorageAway: "30"}


def refusal_of(error: Exception) -> Refusal | None:
    """How an error is answered; None leaves an error of ours an error."""
    match error:
        case Invalid():
            return Refusal(400, [told(400, *wrong) for wrong in error.wrong])
        case UnknownService():
            return Refusal(404, [told(404, "service_code", unknown(error))])
        case RequestDataTooBig():
            return by_table(error)
        case _ if isinstance(error, DATABASE_AWAY):
            away = _(
                "El servicio no está disponible por un momento: vuelva a intentar."
            )
            return Refusal(503, [told(503, "", away)], {"Retry-After": "2"})
        case _ if isinstance(error, UNREADABLE):
            return Refusal(400, [told(400, "", _("El envío no se puede leer."))])
    return by_table(error)


def by_table(error: Exception) -> Refusal | None:
    kinds = type(error).__mro__
    own = next((OWN[kind] for kind in kinds if kind in OWN), None)
    phones = next((ANSWERS[kind] for kind in kinds if kind in ANSWERS), None)
    if own is None and phones is None:
        return None
    if own is None:
        assert phones is not None  # noqa: S101 - one of the two
        # What the rules refuse is for GeoReport a bad request like any other.
        own = Answer(413 if phones.status == 413 else 400, phones.status)
    words = own.description or (f"{phones.title} {phones.detail}" if phones else "")
    headers = {}
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(error.retry_after)
    elif own.status == 503:
        headers["Retry-After"] = "30"
    return Refusal(own.status, [told(own.code, "", str(words).strip())], headers)


def unknown(error: UnknownService) -> str:
    return str(_("no hay un servicio «%s».")) % error.code[:40]


def told(code: int, name: str, description: str | Promise) -> dict[str, Any]:
    return {
        "code": code,
        "description": f"{name}: {description}" if name else str(description),
    }
