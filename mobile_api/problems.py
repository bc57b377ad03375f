"""An error of the table as an HTTP answer: what DRF calls when a view raises one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework import exceptions

from backend.accounts.devices import DeviceRevoked
from backend.accounts.limits import ProofRequired, TooMany
from backend.accounts.proofs import new_challenge
from backend.cases.handling import ChangedMeanwhile
from backend.cases.storage import StorageAway
from backend.cases.uploads import DigestMismatch, WrongOffset
from mobile_api.callers import SCHEME, DeviceRequired
from mobile_api.errors import ANSWERS, WRONG_FIELDS, Problem

STORAGE_RETRY_SECONDS = "30"


def problem_response(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """DRF's exception handler: None lets an error of ours stay an error."""
    error = named_field(error)
    answer = next(
        (ANSWERS[kind] for kind in type(error).__mro__ if kind in ANSWERS), None
    )
    if answer is None:
        return None
    response = problem(answer, **also_told(error))
    for name, value in headers_of(error, answer, context).items():
        response[name] = value
    return response


def named_field(error: Exception) -> Exception:
    """What is wrong with one field, found beyond its serializer, as a bad body."""
    if type(error) not in WRONG_FIELDS:
        return error
    name, code, detail = WRONG_FIELDS[type(error)]
    return exceptions.ValidationError({name: [str(detail)]}, code)


def also_told(error: Exception) -> dict[str, Any]:
    """What a program needs to go on from here."""
    match error:
        case exceptions.ValidationError():
            return {"errors": wrong_fields(error)}
        case ProofRequired():
            return {"challenge": new_challenge()}
        case ChangedMeanwhile():
            return {"version": error.version}
        case WrongOffset():
            return {"received": error.received}
        case DigestMismatch():
            return {"received": 0}
    return {}


def headers_of(
    error: Exception, answer: Problem, context: dict[str, Any]
) -> dict[str, str]:
    headers: dict[str, str] = {}
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(error.retry_after)
    elif isinstance(error, StorageAway):
        headers["Retry-After"] = STORAGE_RETRY_SECONDS
    if answer.status == 401:
        of_a_phone = isinstance(error, DeviceRevoked | DeviceRequired)
        headers["WWW-Authenticate"] = SCHEME if of_a_phone else "Token"
    if isinstance(error, exceptions.MethodNotAllowed):
        headers["Allow"] = ", ".join(context["view"].allowed_methods)
    return headers


def wrong_fields(error: exceptions.ValidationError) -> list[dict[str, str]]:
    return [
        {"pointer": pointer, "code": str(detail.code), "detail": str(detail)}
        for pointer, detail in pointers(error.detail)
    ]


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
