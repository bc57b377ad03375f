"""The resources of OGC API Features, from the landing page to a feature."""

from __future__ import annotations

from typing import Any

import orjson
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from geo import features
from map_views.ogc import openapi
from map_views.ogc.answers import (
    GEOJSON,
    HTML,
    JSON,
    OPENAPI,
    Link,
    address,
    answer,
    both_forms,
    described,
    door,
    in_form,
    itself,
    link,
    page,
    prefers_html,
    with_query,
)
from map_views.ogc.collections import (
    COLLECTIONS,
    CRS84,
    FRAMES,
    GREGORIAN,
    URI_OF,
    Collection,
)
from map_views.ogc.parameters import OF_A_FEATURE, OF_FEATURES, Query
from map_views.ogc.qgis import MEDIA as QGIS_PROJECT
from map_views.ogc.qgis import NAME as PROJECT_FILE
from map_views.ogc.qgis import project_file
from provinces.models import reads_english

# A class is here when all of it is kept: tests/map_views/ogc/test_conformance.py.
CONFORMANCE = [
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/html",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
    "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs",
]
LICENCE = {
    "es": "https://creativecommons.org/licenses/by/4.0/deed.es",
    "en": "https://creativecommons.org/licenses/by/4.0/",
}
SECONDS_FRESH = 60


def form_of(request: HttpRequest) -> str:
    query = Query(request.GET, ["f"])
    form = query.form()
    query.check()
    return form


@door
def landing(request: HttpRequest) -> HttpResponse:
    form = form_of(request)
    api = address(request, "ogc-api")
    document = {
        "title": "311 móvil",
        "description": _(
            "Los reportes ciudadanos de Panamá y los límites de sus provincias, "
            "distritos y corregimientos, para sistemas de información geográfica "
            "(OGC API Features)."
        ),
        "links": [
            *itself(request, prefers_html(request, form, JSON)),
            link(in_form(api, "json"), "service-desc", OPENAPI, "OpenAPI 3.0"),
            link(in_form(api, "html"), "service-doc", HTML, _("Qué se puede pedir")),
            *both_forms(
                address(request, "ogc-conformance"),
                "conformance",
                JSON,
                _("Con qué clases cumple"),
            ),
            *both_forms(
                address(request, "ogc-collections"), "data", JSON, _("Colecciones")
            ),
            link(
                address(request, "ogc-qgis"),
                "related",
                QGIS_PROJECT,
                _("Proyecto de QGIS con estas capas"),
            ),
            licence(),
        ],
    }
    if prefers_html(request, form, JSON):
        context = {"document": document, "root": address(request, "ogc-landing")}
        return page(request, "landing", context)
    return answer(request, orjson.dumps(document))


@door
def conformance(request: HttpRequest) -> HttpResponse:
    form = form_of(request)
    document = {
        "conformsTo": CONFORMANCE,
        "links": itself(request, prefers_html(request, form, JSON)),
    }
    return described(request, form, document, "conformance")


@door
def api(request: HttpRequest) -> HttpResponse:
    form = form_of(request)
    document = openapi.definition(address(request, "ogc-landing").rstrip("/"))
    if prefers_html(request, form, OPENAPI):
        context = {
            "document": document,
            "operations": openapi.operations(document),
            "links": itself(request, True, OPENAPI),
        }
        return page(request, "api", context)
    return answer(request, orjson.dumps(document), media=OPENAPI)


@door
def collections(request: HttpRequest) -> HttpResponse:
    form = form_of(request)
    document = {
        "links": [
            *itself(request, prefers_html(request, form, JSON)),
            licence(),
        ],
        "crs": list(FRAMES),
        "collections": [
            about(request, collection, []) for collection in COLLECTIONS.values()
        ],
    }
    return described(
        request, form, document, "collections", seconds_fresh=SECONDS_FRESH
    )


@door
def collection(request: HttpRequest, collection: str) -> HttpResponse:
    chosen = collection_called(collection)
    form = form_of(request)
    own = itself(request, prefers_html(request, form, JSON))
    document = about(request, chosen, own)
    return described(request, form, document, "collection", seconds_fresh=SECONDS_FRESH)


@door
def items(request: HttpRequest, collection: str) -> HttpResponse:
    """A page of features, as PostGIS wrote them."""
    chosen = collection_called(collection)
    query = Query(request.GET, [*OF_FEATURES, *chosen.layer.filters])
    form = query.form()
    question = query.question(chosen.layer)
    query.check()
    found = features.page(chosen.layer, question)
    html = prefers_html(request, form, GEOJSON)
    head: dict[str, Any] = {
        "type": "FeatureCollection",
        "timeStamp": timezone.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "numberReturned": len(found.features),
        # How many there are on other pages is not known, and counting is no page's price.
        **matched(question, found),
        "links": page_links(request, chosen, found, html),
    }
    how: dict[str, Any] = {
        "seconds_fresh": chosen.seconds_fresh,
        "headers": {"Content-Crs": f"<{URI_OF[question.frame]}>"},
    }
    if html:
        context = {
            "collection": chosen,
            "document": head,
            "features": [readable(text) for text in found.features],
        }
        return page(request, "items", context, **how)
    body = collected(head, found.features)
    # Without what says when it was made: the same features are the same answer.
    tag = orjson.dumps([head["links"], found.features]).decode()
    return answer(request, body, media=GEOJSON, tag=tag, **how)


@door
def item(request: HttpRequest, collection: str, feature: str) -> HttpResponse:
    chosen = collection_called(collection)
    query = Query(request.GET, OF_A_FEATURE)
    form = query.form()
    frame = query.frame("crs")
    query.check()
    if "\0" in feature:
        raise Http404
    text = features.one(chosen.layer, feature, frame, english=reads_english())
    if text is None:
        raise Http404
    html = prefers_html(request, form, GEOJSON)
    links = [
        *itself(request, html, GEOJSON),
        *both_forms(
            address(request, "ogc-collection", chosen.id),
            "collection",
            JSON,
            str(chosen.title),
        ),
        *story(request, chosen, feature),
        licence(),
    ]
    how: dict[str, Any] = {
        "seconds_fresh": chosen.seconds_fresh,
        "headers": {"Content-Crs": f"<{URI_OF[frame]}>"},
    }
    if html:
        context = {
            "collection": chosen,
            "feature": readable(text),
            "document": {"links": links},
        }
        return page(request, "item", context, **how)
    body = f'{text.removesuffix("}")},"links":'.encode() + orjson.dumps(links) + b"}"
    return answer(request, body, media=GEOJSON, **how)


@door
def qgis_project(request: HttpRequest) -> HttpResponse:
    """A project that opens the collections where they are."""
    Query(request.GET, []).check()
    return answer(
        request,
        project_file(address(request, "ogc-landing")),
        media=QGIS_PROJECT,
        headers={"Content-Disposition": f'attachment; filename="{PROJECT_FILE}"'},
    )


@door
def nothing(request: HttpRequest, rest: str) -> HttpResponse:
    raise Http404


# ── What the documents say ───────────────────────────────────────────────────────


def collection_called(name: str) -> Collection:
    """Raises Http404."""
    if name not in COLLECTIONS:
        raise Http404
    return COLLECTIONS[name]


def about(
    request: HttpRequest, collection: Collection, own: list[Link]
) -> dict[str, Any]:
    """A collection; `own` are the links to this document, where it has one."""
    home = address(request, "ogc-collection", collection.id)
    its_items = address(request, "ogc-items", collection.id)
    document: dict[str, Any] = {
        "id": collection.id,
        "title": str(collection.title),
        "description": str(collection.description),
        "attribution": _("311 móvil; límites: geoBoundaries (CC BY 4.0), modificados"),
        "itemType": "feature",
        "crs": list(FRAMES),
        "storageCrs": CRS84,
        "links": [
            *(own or own_links(home, str(collection.title))),
            *both_forms(its_items, "items", GEOJSON, str(collection.title)),
            licence(),
        ],
    }
    extent = collection.extent()
    if extent is not None:
        document["extent"] = {"spatial": {"bbox": [sides(extent)], "crs": CRS84}}
        if extent.since:
            # It has no end: more are filed.
            since = extent.since.strftime("%Y-%m-%dT%H:%M:%SZ")
            document["extent"]["temporal"] = {
                "interval": [[since, None]],
                "trs": GREGORIAN,
            }
    return document


def own_links(home: str, title: str) -> list[Link]:
    return [
        link(in_form(home, "json"), "self", JSON, f"{title} (JSON)"),
        link(in_form(home, "html"), "alternate", HTML, f"{title} (HTML)"),
    ]


def sides(extent: features.Extent) -> list[float]:
    box = extent.box
    return [box.west, box.south, box.east, box.north]


def licence() -> Link:
    language = "en" if reads_english() else "es"
    return link(LICENCE[language], "license", HTML, "CC BY 4.0")


def matched(question: features.Question, found: features.Page) -> dict[str, int]:
    whole = not question.after and not found.next
    return {"numberMatched": len(found.features)} if whole else {}


def page_links(
    request: HttpRequest, collection: Collection, found: features.Page, html: bool
) -> list[Link]:
    links = itself(request, html, GEOJSON)
    if found.next:
        form, media = ("html", HTML) if html else ("json", GEOJSON)
        following = with_query(request, f=form, after=found.next)
        links.append(link(following, "next", media, _("Página siguiente")))
    home = address(request, "ogc-collection", collection.id)
    links += both_forms(home, "collection", JSON, str(collection.title))
    return [*links, licence()]


def story(request: HttpRequest, collection: Collection, number: str) -> list[Link]:
    """The page where people read about a case."""
    if collection.id != "cases":
        return []
    href = request.build_absolute_uri(reverse("case-page", args=[number]))
    return [link(href, "related", HTML, _("El caso en el sitio"))]


def readable(text: str) -> Any:
    """A feature for a page, where true is written as it is in JSON."""
    feature = orjson.loads(text)
    for name, value in feature["properties"].items():
        if isinstance(value, bool):
            feature["properties"][name] = str(value).lower()
    return feature


def collected(head: dict[str, Any], found: list[str]) -> bytes:
    opened = orjson.dumps(head).removesuffix(b"}")
    return opened + b',"features":[\n' + ",\n".join(found).encode() + b"\n]}\n"
