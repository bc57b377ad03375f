"""The public heat map's page."""

from __future__ import annotations

import json
from typing import Any

from csp.decorators import csp_replace
from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, override
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from backend.cases.models import Category, Group
from backend.cases.workflow import Status
from map_views import folium_map
from map_views.basemap import FOR_GOOD, basemap_addresses
from provinces.models import Province, reads_english

# The modules of the first view, in a row of imports each waiting for the one before:
# named in the page, the browser asks for all of them at once.
FIRST_MODULES = [
    f"map_views/{name}.js"
    for name in (
        *("map", "address", "asking", "basemap", "density", "heat", "legend", "list"),
        *("markers", "pane", "panel", "periods", "scheme", "texts"),
    )
]
FOR_A_MINUTE = "public, max-age=60"


@require_safe
@gzip_page
@vary_on_headers("Accept-Language", "Cookie")
def public_map(request: HttpRequest) -> HttpResponse:
    """The page of `/`; the cases come later, those of the view only."""
    return map_page(request, "map_views/map.html")


@require_safe
@xframe_options_exempt
@csp_replace({"frame-ancestors": ["*"]})
@gzip_page
@vary_on_headers("Accept-Language", "Cookie")
def embedded_map(request: HttpRequest) -> HttpResponse:
    """The map for other sites' pages, in `?idioma=` where it is said.

    It is the only page that may be framed: nothing can be sent from it.
    """
    asked = request.GET.get("idioma")
    language = asked if asked in dict(settings.LANGUAGES) else get_language()
    with override(language):
        return map_page(request, "map_views/embed.html")


def map_page(request: HttpRequest, template: str) -> HttpResponse:
    drawn = folium_map.public_map()
    outlines = basemap_addresses()
    context = {
        "map": drawn,
        "folium_script": f"{reverse('folium-script')}?v={drawn.digest}",
        "config_json": json.dumps(page_config(drawn, outlines)),
        "groups": groups_on_the_map(),
        "provinces": Province.objects.all(),
        "outlines": outlines,
        "statuses": Status.choices,
        "modules": FIRST_MODULES,
    }
    response = render(request, template, context)
    response["Cache-Control"] = FOR_A_MINUTE
    return response


@require_safe
@gzip_page
def folium_script(request: HttpRequest) -> HttpResponse:
    """The script that folium generates: inline, the browser would refuse it."""
    drawn = folium_map.public_map()
    is_this = request.GET.get("v") == drawn.digest
    return HttpResponse(
        drawn.script,
        content_type="text/javascript; charset=utf-8",
        headers={"Cache-Control": FOR_GOOD if is_this else "no-cache"},
    )


def page_config(
    drawn: folium_map.FoliumMap, outlines: dict[str, str] | None
) -> dict[str, Any]:
    """What the page's modules need to know, beside the texts in the template."""
    return {
        "language": "en" if reads_english() else "es-PA",
        "map": drawn.element,
        "layers": drawn.layers,
        "ramps": folium_map.RAMPS,
        "bounds": folium_map.PANAMA,
        "heat": reverse("heat"),
        "months": reverse("heat-months"),
        "places": reverse("heat-places"),
        "search": reverse("place-search"),
        "case": reverse("case-look-up"),
        "page": reverse("public-map"),
        "embed": reverse("embedded-map"),
        "cases": reverse("cases-geojson"),
        "basemap": outlines,
    }


def groups_on_the_map() -> QuerySet[Group]:
    """The groups with a category whose cases have a public point."""
    return Group.objects.filter(categories__in=categories_on_the_map()).distinct()


def categories_on_the_map() -> QuerySet[Category]:
    """Those whose cases have a public point."""
    return Category.objects.filter(active=True, private=False).exclude(
        precision=Category.Precision.NONE
    )
