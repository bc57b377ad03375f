"""The phone app's page, what installs it, and what keeps it working without a signal."""

from __future__ import annotations

import hashlib
import re

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils.translation import gettext, override
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import etag, require_safe
from django.views.decorators.vary import vary_on_headers

from mobile_api.app import files
from provinces.models import Generation, reads_english

FOR_A_MINUTE = "public, max-age=60"
ASK_FIRST = "no-cache"
SCOPE = "/reportar"
BRAND = "#0a2a66"
PAPER = "#ffffff"


def shell_tag(request: HttpRequest) -> str:
    return f'"{digest(shell_page(language()))}"'


@require_safe
@gzip_page
@vary_on_headers("Accept-Language", "Cookie")
@etag(shell_tag)
def shell(request: HttpRequest) -> HttpResponse:
    """The app's one page: the same bytes for everybody who reads the language."""
    return HttpResponse(shell_page(language()), headers={"Cache-Control": FOR_A_MINUTE})


@require_safe
@vary_on_headers("Accept-Language", "Cookie")
def manifest(request: HttpRequest) -> JsonResponse:
    """What the phone's system asks for to install the app."""
    return JsonResponse(
        {
            "id": SCOPE,
            "start_url": SCOPE,
            "scope": SCOPE,
            "name": gettext("311 móvil: reportar"),
            "short_name": "311 móvil",
            "description": gettext("Reporte un problema de su comunidad, con foto."),
            "lang": language(),
            "dir": "ltr",
            "display": "standalone",
            "orientation": "portrait",
            "theme_color": BRAND,
            "background_color": PAPER,
            "categories": ["government", "utilities"],
            "icons": icons(),
            "shortcuts": [
                {"name": gettext("Nuevo reporte"), "url": f"{SCOPE}#/nuevo/foto"},
                {"name": gettext("Mis casos"), "url": f"{SCOPE}#/casos"},
            ],
        },
        content_type="application/manifest+json",
        headers={"Cache-Control": FOR_A_MINUTE},
    )


@require_safe
@gzip_page
def service_worker(request: HttpRequest) -> HttpResponse:
    """What answers when nobody else does; another version whenever any file is another."""
    pages = shell_pages()
    kept = kept_files(pages)
    worker = render_to_string(
        "app/sw.js",
        {
            "version": version(pages, kept),
            "files": kept,
            "languages": [code for code, _ in settings.LANGUAGES],
            "module": "classic" not in request.GET,
            "outbox": static(files.WORKER_SENDS_WITH),
            "page": reverse("app"),
            "static": settings.STATIC_URL,
            "icon": static("app/icons/icon-192.png"),
            "badge": static("app/icons/badge-96.png"),
        },
    )
    return HttpResponse(
        worker,
        content_type="text/javascript; charset=utf-8",
        # Its own folder is /reportar/; the page at /reportar is one level up.
        headers={"Cache-Control": ASK_FIRST, "Service-Worker-Allowed": "/"},
    )


@require_safe
def outlines(request: HttpRequest) -> JsonResponse:
    """Where the outlines of today's boundaries are; `*` stands for a province's code.

    Empty while none are loaded.
    """
    active = Generation.objects.in_force()
    found = {}
    if active is not None:
        around = reverse("basemap-districts", args=[active, "0"])
        found = {
            "provinces": reverse("basemap-provinces", args=[active]),
            "districts": around.replace("/0.geojson", "/*.geojson"),
        }
    return JsonResponse(found, headers={"Cache-Control": ASK_FIRST})


def shell_page(language: str) -> str:
    """For a request of nobody: nothing of a person's own may get into it."""
    nobody = HttpRequest()
    nobody.path = nobody.path_info = SCOPE
    context = {
        "preload": files.addresses(files.first_modules()),
        "generation": Generation.objects.in_force(),
        "language": language,
    }
    with override(language):
        return render_to_string("app/shell.html", context, nobody)


def shell_pages() -> list[str]:
    return [shell_page(code) for code, _ in settings.LANGUAGES]


def kept_files(pages: list[str]) -> list[str]:
    """The addresses of all that works without a signal, what the pages name included."""
    named = re.compile(rf'"({re.escape(settings.STATIC_URL)}[^"\\]+)"')
    found = [*files.addresses(files.names()), *named.findall("".join(pages))]
    return [url for url in dict.fromkeys(found) if f"/{files.ICONS}" not in url]


def version(pages: list[str], kept: list[str]) -> str:
    """Names every file by what is in it, and the page in every language."""
    return digest("\n".join([*kept, *pages]))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def language() -> str:
    return "en" if reads_english() else "es"


def icons() -> list[dict[str, str]]:
    plain = [icon(f"icon-{side}", side, "any") for side in (192, 512)]
    return [*plain, icon("maskable-512", 512, "maskable")]


def icon(name: str, side: int, purpose: str) -> dict[str, str]:
    return {
        "src": static(f"app/icons/{name}.png"),
        "sizes": f"{side}x{side}",
        "type": "image/png",
        "purpose": purpose,
    }
