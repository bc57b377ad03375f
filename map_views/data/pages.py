"""/data/: what may be taken away, in which forms, and what it means."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.vary import vary_on_headers

from map_views.data import builds, dictionary
from map_views.data.answers import door
from map_views.data.catalog import catalog
from map_views.data.formats import FORMATS, LICENCE, LICENCE_LINK
from map_views.pages import groups_on_the_map
from map_views.parameters import Parameters
from provinces.models import Province, reads_english

FOR_FIVE_MINUTES = "public, max-age=300"
DAYS = ("since", "until")
CHOSEN = ("state", "group", "place", *DAYS)


def links() -> str:
    """Where a program finds the catalogue and the dictionary, whatever it opened."""
    catalogue = f'<{reverse("data-catalog")}>; rel="describedby"'
    return f'{LICENCE_LINK}, {catalogue}; type="application/ld+json"'


@door
@vary_on_headers("Accept-Language", "Cookie")
def index(request: HttpRequest) -> HttpResponse:
    return index_page(request, {}, {})


def index_page(
    request: HttpRequest,
    asked: dict[str, str],
    problems: dict[str, str],
    status: int = 200,
) -> HttpResponse:
    files = [
        {"file": file, "form": FORMATS[file.format], "url": builds.url_of(file)}
        for file in builds.latest_nightly()
    ]
    context = {
        "files": files,
        "formats": [form for form in FORMATS.values() if form.is_here],
        "licence": LICENCE,
        "groups": groups_on_the_map(),
        "provinces": Province.objects.all(),
        "asked": asked,
        "problems": problems,
    }
    return page(request, "map_views/data.html", context, status)


def page(
    request: HttpRequest, template: str, context: dict[str, Any], status: int = 200
) -> HttpResponse:
    response = render(request, template, context, status=status)
    response["Cache-Control"] = FOR_FIVE_MINUTES
    response["Link"] = links()
    return response


@door
@vary_on_headers("Accept-Language", "Cookie")
def choose(request: HttpRequest) -> HttpResponse:
    """Where the page's form leads: the format is part of a file's address.

    Days that cannot be are told in the form: a file would only fail to come.
    """
    form = FORMATS.get(request.GET.get("format", ""))
    if form is None:
        return HttpResponseRedirect(reverse("data-index"))
    said = {name: request.GET.get(name, "") for name in CHOSEN}
    parameters = Parameters(request.GET)
    parameters.filters()
    if any(name in parameters.problems for name in DAYS):
        asked = said | {"format": form.extension}
        return index_page(request, asked, parameters.problems, status=400)
    query = urlencode({name: value for name, value in said.items() if value})
    address = reverse("data-cases", args=[form.extension])
    return HttpResponseRedirect(f"{address}?{query}" if query else address)


@door
@vary_on_headers("Accept-Language", "Cookie")
def dictionary_page(request: HttpRequest) -> HttpResponse:
    english = reads_english()
    rows = [
        {
            "entry": entry,
            # Every second piece is a column's name.
            "meaning": (entry.en if english else entry.es).split("`"),
            "values": [(row[0], row[2] if english else row[1]) for row in entry.domain],
        }
        for entry in dictionary.entries()
    ]
    return page(request, "map_views/data_dictionary.html", {"rows": rows})


@door
@gzip_page
def dictionary_csv(request: HttpRequest) -> HttpResponse:
    return HttpResponse(
        dictionary.as_csv(),
        content_type="text/csv; charset=utf-8; header=present",
        headers={"Cache-Control": FOR_FIVE_MINUTES, "Link": links()},
    )


@door
@gzip_page
def dictionary_json(request: HttpRequest) -> HttpResponse:
    return JsonResponse(
        {"columns": dictionary.as_json(), "licence": LICENCE},
        headers={"Cache-Control": FOR_FIVE_MINUTES, "Link": links()},
    )


@door
@gzip_page
def catalog_jsonld(request: HttpRequest) -> HttpResponse:
    found = catalog(builds.latest_nightly(), request.build_absolute_uri)
    return JsonResponse(
        found,
        content_type="application/ld+json",
        headers={"Cache-Control": FOR_FIVE_MINUTES, "Link": LICENCE_LINK},
    )
