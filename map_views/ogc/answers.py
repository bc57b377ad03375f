"""How this door answers: JSON or HTML, and refusals in one shape."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.vary import vary_on_headers

from map_views.open_door import attempt, conditional

JSON = "application/json"
GEOJSON = "application/geo+json"
HTML = "text/html"
# GDAL knows a definition by exactly these letters.
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
HOUR = 3600

Link = dict[str, str]
View = Callable[..., HttpResponseBase]


def door(view: View) -> View:
    """For reading only, from anywhere: without a cookie and with every refusal as JSON."""

    # Nothing is changed here, and a POST is to hear that and not that it lacks a token.
    @csrf_exempt
    @vary_on_headers("Accept", "Accept-Language", "Cookie")
    @gzip_page
    @wraps(view)
    def answered(request: HttpRequest, **parts: str) -> HttpResponseBase:
        return attempt(view, request, parts)

    return answered


def prefers_html(request: HttpRequest, form: str, media: str) -> bool:
    """What `f` says goes before what the reader's program says it accepts."""
    if form:
        return form == "html"
    # Whoever accepts anything, or nothing that there is, gets what programs read.
    return request.get_preferred_type([media, JSON, HTML]) == HTML


def answer(
    request: HttpRequest,
    body: bytes,
    *,
    media: str = JSON,
    seconds_fresh: int = HOUR,
    tag: str = "",
    headers: dict[str, str] | None = None,
) -> HttpResponse:
    """The body, or that it is still the one the reader has.

    `tag` is what it is known by where the body also says when it was made.
    """
    response = HttpResponse(body, content_type=media, headers=headers)
    response["Cache-Control"] = (
        f"public, max-age={seconds_fresh}, stale-while-revalidate={6 * seconds_fresh}"
    )
    digest = sha256(tag.encode() or body).hexdigest()[:32]
    # A strong one would promise each byte, also those that say when it was made.
    etag = f'W/"{digest}"' if tag else f'"{digest}"'
    response["ETag"] = etag
    return conditional(request, etag, response) or response


def described(
    request: HttpRequest,
    form: str,
    document: dict[str, Any],
    template: str,
    *,
    media: str = JSON,
    **how: Any,
) -> HttpResponse:
    """A document, or the page that says the same."""
    if prefers_html(request, form, media):
        return page(request, template, {"document": document}, **how)
    return answer(request, orjson.dumps(document), media=media, **how)


def page(
    request: HttpRequest, template: str, context: dict[str, Any], **how: Any
) -> HttpResponse:
    written = render(request, f"map_views/ogc/{template}.html", context)
    return answer(request, written.content, media="text/html; charset=utf-8", **how)


# ── Links ────────────────────────────────────────────────────────────────────────


def address(request: HttpRequest, name: str, *parts: str) -> str:
    return request.build_absolute_uri(reverse(name, args=parts))


def link(href: str, rel: str, media: str, title: str) -> Link:
    return {"href": href, "rel": rel, "type": media, "title": title}


def in_form(href: str, form: str) -> str:
    return f"{href}?f={form}"


def both_forms(href: str, rel: str, media: str, title: str) -> list[Link]:
    return [
        link(in_form(href, "json"), rel, media, f"{title} (JSON)"),
        link(in_form(href, "html"), rel, HTML, f"{title} (HTML)"),
    ]


def itself(request: HttpRequest, html: bool, media: str = JSON) -> list[Link]:
    """This document, and the other form of it."""
    forms = [
        ("json", media, _("Este documento (JSON)")),
        ("html", HTML, _("Este documento (HTML)")),
    ]
    return [
        link(
            with_query(request, f=form),
            "self" if (form == "html") == html else "alternate",
            kind,
            title,
        )
        for form, kind, title in forms
    ]


def with_query(request: HttpRequest, **changed: str) -> str:
    """This address with some of its parameters changed."""
    query = request.GET.copy()
    for name, value in changed.items():
        query[name] = value
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
