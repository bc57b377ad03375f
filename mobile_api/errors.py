"""The domain's errors and what they are called for phones, in one table (RFC 9457)."""

from __future__ import annotations

from typing import NamedTuple

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.http import Http404
from django.utils.functional import Promise, lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework import exceptions

from backend.accounts.devices import DeviceRevoked
from backend.accounts.limits import ProofRequired, TooMany
from backend.cases.access import NoSuchCase, WrongPin
from backend.cases.categories import UnknownCategory
from backend.cases.citizens import FlagIdReused, NotItsPhoto
from backend.cases.consent import NoConsentText, UnknownConsent
from backend.cases.filing import ContactRequired, ReportIdReused
from backend.cases.handling import (
    ChangedMeanwhile,
    NoLonger,
    NoteRequired,
    TransitionIdReused,
)
from backend.cases.numbers import NotANumber, WrongDigit
from backend.cases.personal_data import NeededWhileOpen
from backend.cases.photo_headers import (
    MOST_BYTES,
    HeicNotRead,
    ImageTooLarge,
    NotAnImage,
)
from backend.cases.storage import StorageAway
from backend.cases.uploads import (
    MOST_PIECE_BYTES,
    DigestMismatch,
    NoSuchReport,
    PhotoIdReused,
    TooManyPhotos,
    WrongOffset,
)
from backend.cases.workflow import NotAllowed
from mobile_api.callers import DeviceRequired
from provinces.places import NoBoundaries, NotThisSide, OutsidePanama


class PinRequired(Exception):
    """Only whoever reported the case may do this, and its PIN says who that is."""


class BadRange(Exception):
    """The headers of a piece do not say which part of which photo it is."""


class PieceTooLarge(Exception):
    """More bytes than a piece may have."""


class CutShort(Exception):
    """Fewer bytes came than the headers promise."""


class Problem(NamedTuple):
    status: int
    type: str
    title: str | Promise
    detail: str | Promise = ""


def largest_photo() -> str:
    # Not `_("…") % …`: that would be Spanish for ever, from the moment of the import.
    return gettext("El máximo es de %(megabytes)s MB y 50 megapíxeles.") % {
        "megabytes": MOST_BYTES // 1024**2
    }


def largest_piece() -> str:
    return gettext("El máximo es de %(kilobytes)s kB.") % {
        "kilobytes": MOST_PIECE_BYTES // 1024
    }


ANSWERS: dict[type[Exception], Problem] = {
    OutsidePanama: Problem(
        422,
        "outside-panama",
        _("El punto está fuera de Panamá."),
        _("Mueva el marcador al lugar del problema, dentro del país."),
    ),
    UnknownCategory: Problem(
        422,
        "unknown-category",
        _("Esa categoría no existe."),
        _("Elija una de la lista de categorías."),
    ),
    ContactRequired: Problem(
        422,
        "contact-required",
        _("Una denuncia necesita el nombre y un contacto de quien la hace."),
        _("Lo pide la Ley 38 de 2000, artículo 65. El público no verá sus datos."),
    ),
    NotAnImage: Problem(
        422,
        "not-an-image",
        _("El archivo no es una foto JPEG, PNG o WebP completa."),
        _("Tome la foto otra vez o elija otra."),
    ),
    HeicNotRead: Problem(
        422,
        "not-an-image",
        _("Este servicio no lee fotos HEIC."),
        _("Guárdela como JPEG («Más compatible», en un iPhone) y envíela otra vez."),
    ),
    ImageTooLarge: Problem(
        413,
        "image-too-large",
        _("La foto es demasiado grande."),
        lazy(largest_photo, str)(),
    ),
    ReportIdReused: Problem(
        409,
        "report-id-reused",
        _("Ese identificador ya se usó para otro reporte."),
        _("Nada cambió en el primero. Envíe este con un identificador nuevo."),
    ),
    NoSuchReport: Problem(
        404,
        "no-such-report",
        _("No existe ese reporte."),
        _("Envíe primero el reporte; después, sus fotos."),
    ),
    PhotoIdReused: Problem(
        409,
        "photo-id-reused",
        _("Ese identificador ya se usó para otra foto."),
        _("Nada cambió en la primera. Envíe esta con un identificador nuevo."),
    ),
    TooManyPhotos: Problem(
        422, "too-many-photos", _("El reporte ya tiene todas las fotos que caben.")
    ),
    WrongOffset: Problem(
        409,
        "wrong-offset",
        _("Esa parte no sigue a lo que ya llegó de la foto."),
        _("Continúe desde el byte que dice «received»."),
    ),
    DigestMismatch: Problem(
        422,
        "digest-mismatch",
        _("La foto que llegó no es la que se envió."),
        _("No se guardó nada de ella: envíela otra vez desde el principio."),
    ),
    BadRange: Problem(
        400,
        "bad-range",
        _("Los encabezados no dicen qué parte de la foto es esta."),
        _("Content-Range: bytes 0-524287/1234567, y Repr-Digest: sha-256=:…:"),
    ),
    PieceTooLarge: Problem(
        413,
        "piece-too-large",
        _("La parte es demasiado grande."),
        lazy(largest_piece, str)(),
    ),
    CutShort: Problem(
        400,
        "cut-short",
        _("La parte no llegó completa."),
        _("No se guardó nada de ella: envíela otra vez."),
    ),
    StorageAway: Problem(
        503,
        "unavailable",
        _("Por un momento no hay dónde guardar archivos."),
        _("Nada se perdió: vuelva a intentarlo en unos minutos."),
    ),
    TransitionIdReused: Problem(
        409,
        "transition-id-reused",
        _("Ese identificador ya se usó para otro cambio."),
    ),
    NotAllowed: Problem(
        409,
        "transition-not-allowed",
        _("El caso no puede pasar de su estado actual a ese."),
    ),
    NoteRequired: Problem(
        422,
        "note-required",
        _("Este cambio necesita una nota."),
        _("Sin ella no se sabe qué se pregunta, qué se responde o por qué."),
    ),
    ChangedMeanwhile: Problem(
        412,
        "changed-meanwhile",
        _("El caso cambió mientras tanto."),
        _("Mire cómo está ahora, y repita el cambio si todavía hace falta."),
    ),
    NoLonger: Problem(
        409,
        "no-longer",
        _("El caso se cerró hace demasiado tiempo para reabrirlo."),
        _("Si el problema sigue, haga un reporte nuevo."),
    ),
    FlagIdReused: Problem(
        409,
        "flag-id-reused",
        _("Ese identificador ya se usó para otro aviso."),
    ),
    NotItsPhoto: Problem(
        422, "not-its-photo", _("El caso no tiene a la vista esa foto.")
    ),
    NeededWhileOpen: Problem(
        409,
        "needed-while-open",
        _("Una denuncia abierta necesita saber de quién es."),
        _(
            "Lo pide la Ley 38 de 2000, artículo 65. Retire la denuncia o espere a que "
            "se cierre, y entonces borre sus datos."
        ),
    ),
    NoSuchCase: Problem(404, "no-such-case", _("No existe ese caso.")),
    NotANumber: Problem(
        404,
        "not-a-case-number",
        _("Eso no es un número de caso."),
        _("Se escribe con diez dígitos: 26-0000123-2."),
    ),
    WrongDigit: Problem(
        404,
        "wrong-digit",
        _("Ese número tiene un dígito equivocado."),
        _("Revise el número: no corresponde a ningún caso posible."),
    ),
    PinRequired: Problem(403, "pin-required", _("Para esto hace falta el PIN.")),
    WrongPin: Problem(403, "wrong-pin", _("El PIN no es el de este caso.")),
    TooMany: Problem(
        429,
        "too-many-requests",
        _("Demasiados intentos."),
        _("Espere un momento y vuelva a intentarlo."),
    ),
    ProofRequired: Problem(
        403,
        "proof-required",
        _("Antes hace falta una pequeña prueba de trabajo."),
        _("Resuelva «challenge» y repita el envío con la respuesta en X-Proof."),
    ),
    DeviceRevoked: Problem(
        401,
        "device-revoked",
        _("El token de este teléfono ya no vale."),
        _("Pida otro y repita el envío."),
    ),
    DeviceRequired: Problem(
        401, "device-required", _("Para esto hace falta el token de un teléfono.")
    ),
    NoBoundaries: Problem(
        503, "unavailable", _("El servicio se está preparando: faltan los límites.")
    ),
    NoConsentText: Problem(
        503,
        "unavailable",
        _("El servicio se está preparando: falta el texto de consentimiento."),
    ),
    RequestDataTooBig: Problem(413, "body-too-large", _("El envío es muy grande.")),
    exceptions.ValidationError: Problem(
        400, "invalid-body", _("El envío tiene datos que no valen.")
    ),
    exceptions.ParseError: Problem(
        400,
        "malformed-body",
        _("El envío no se puede leer."),
        _("Se espera JSON en UTF-8, o multipart/form-data."),
    ),
    SuspiciousOperation: Problem(
        400, "malformed-body", _("El envío no se puede leer.")
    ),
    exceptions.UnsupportedMediaType: Problem(
        415, "unsupported-media-type", _("Se espera JSON o multipart/form-data.")
    ),
    exceptions.MethodNotAllowed: Problem(
        405, "method-not-allowed", _("Ese método no existe en esta dirección.")
    ),
    exceptions.NotAcceptable: Problem(
        406, "not-acceptable", _("Aquí se responde en JSON.")
    ),
    exceptions.NotAuthenticated: Problem(
        401, "not-authenticated", _("Hace falta un token.")
    ),
    exceptions.AuthenticationFailed: Problem(
        401, "authentication-failed", _("El usuario, la contraseña o el token no vale.")
    ),
    exceptions.PermissionDenied: Problem(
        403, "not-permitted", _("No tiene permiso para esto.")
    ),
    PermissionDenied: Problem(403, "not-permitted", _("No tiene permiso para esto.")),
    exceptions.NotFound: Problem(404, "not-found", _("No existe esa dirección.")),
    Http404: Problem(404, "not-found", _("No existe esa dirección.")),
}


# What is wrong with one field of a body or an address, which only the rules can tell.
WRONG_FIELDS: dict[type[Exception], tuple[str, str, str | Promise]] = {
    NotThisSide: (
        "district",
        "not-this-side",
        _("El distrito no es el del punto ni el vecino que está más cerca."),
    ),
    UnknownConsent: (
        "consent",
        "unknown-consent",
        _("No hay un texto de consentimiento con esa versión."),
    ),
}
