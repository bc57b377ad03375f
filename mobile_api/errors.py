"""The domain's errors as HTTP answers, in one table (RFC 9457)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.functional import Promise, lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions

from backend.accounts.limits import TooMany
from backend.cases.access import NoSuchCase, WrongPin
from backend.cases.filing import ContactRequired, ReportIdReused
from backend.cases.handling import NoteRequired, TransitionIdReused
from backend.cases.numbers import NotANumber, WrongDigit
from backend.cases.photos import MOST_BYTES, ImageTooLarge, NotAnImage
from backend.cases.workflow import NotAllowed
from provinces.places import NoBoundaries, OutsidePanama


class UnknownCategory(Exception):
    """No active category has this code."""


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
        _("Este cambio necesita una nota para el ciudadano."),
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
    WrongPin: Problem(403, "wrong-pin", _("El PIN no es el de este caso.")),
    TooMany: Problem(
        429,
        "too-many-requests",
        _("Demasiados intentos."),
        _("Espere un momento y vuelva a intentarlo."),
    ),
    NoBoundaries: Problem(
        503, "unavailable", _("El servicio se está preparando: faltan los límites.")
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


def problem_response(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's exception handler: None lets an error of ours stay an error."""
    answer = next(
        (ANSWERS[kind] for kind in type(error).__mro__ if kind in ANSWERS), None
    )
    if answer is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        return invalid(answer, error)
    response = problem(answer)
    if isinstance(error, TooMany):
        response["Retry-After"] = str(error.retry_after)
    if answer.status == 401:
        response["WWW-Authenticate"] = "Token"
    if isinstance(error, exceptions.MethodNotAllowed):
        response["Allow"] = ", ".join(context["view"].allowed_methods)
    return response


def invalid(answer: Problem, error: exceptions.ValidationError) -> HttpResponse:
    return problem(
        answer,
        errors=[
            {"pointer": pointer, "code": detail.code, "detail": str(detail)}
            for pointer, detail in pointers(error.detail)
        ],
    )


def pointers(
    detail: Any, path: str = ""
) -> Iterator[tuple[str, exceptions.ErrorDetail]]:
    """Each error with the JSON pointer (RFC 6901) of what it is about."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            step = "" if name == "non_field_errors" else f"/{name}"
            yield from pointers(inner, path + step)
    elif isinstance(detail, list):
        for inner in detail:
            yield from pointers(inner, path)
    else:
        yield path, detail


def problem(answer: Problem, **more: Any) -> JsonResponse:
    body: dict[str, Any] = {
        "type": f"/problems/{answer.type}",
        "title": str(answer.title),
        "status": answer.status,
    }
    if answer.detail:
        body["detail"] = str(answer.detail)
    return JsonResponse(
        body | more,
        status=answer.status,
        content_type="application/problem+json",
        # What is not there now, or not for this caller, may be for the next.
        headers={"Cache-Control": "no-store"},
    )


@csrf_exempt
def nothing_here(request: HttpRequest, **path: str) -> JsonResponse:
    """What `/api/…` says where there is nothing."""
    return problem(ANSWERS[Http404])
