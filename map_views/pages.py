"""The public heat map's page."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from backend.cases.models import Category, Group
from backend.cases.workflow import Status
from map_views import folium_map
from map_views.basemap import FOR_GOOD, basemap_addresses
from provinces.models import Province

FOR_A_MINUTE = "public, max-age=60"


@require_safe
@vary_on_headers("Accept-Language", "Cookie")
def public_map(request: HttpRequest) -> HttpResponse:
    """The page of `/`; the cases come later, those of the view only."""
    drawn = folium_map.public_map()
    context = {
        "map": drawn,
        "folium_script": f"{reverse('folium-script')}?v={drawn.digest}",
        "config_json": json.dumps(page_config(drawn)),
        "groups": groups_on_the_map(),
        "provinces": Province.objects.all(),
        "statuses": Status.choices,
    }
    response = render(request, "map_views/map.html", context)
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


def page_config(drawn: folium_map.FoliumMap) -> dict[str, Any]:
    """What the page's modules need to know, beside the texts in the template."""
    return {
        "language": "en" if (get_language() or "").startswith("en") else "es-PA",
        "map": drawn.element,
        "layers": drawn.layers,
        "ramps": folium_map.RAMPS,
        "bounds": folium_map.PANAMA,
        "heat": reverse("heat"),
        "cases": reverse("cases-geojson"),
        "basemap": basemap_addresses(),
    }


def groups_on_the_map() -> QuerySet[Group]:
    """The groups with a category whose cases have a public point."""
    shown = Category.objects.filter(active=True, private=False).exclude(
        precision=Category.Precision.NONE
    )
    return Group.objects.filter(categories__in=shown).distinct()
