"""The data set as catalogues of open data describe one: DCAT-AP 3, in JSON-LD."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from backend.cases.models import DataFile
from map_views.data import builds
from map_views.data.formats import FORMATS, LICENCE, Format

# Panama's outline fits in it, its territorial sea too: west, south, east, north.
BOX = (-83.1, 7.0, -77.1, 9.8)
CONTEXT = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "geo": "http://www.opengis.net/ont/geosparql#",
}
EU = "http://publications.europa.eu/resource/authority"
MEDIA_TYPES = "https://www.iana.org/assignments/media-types"
SPDX_SHA256 = "http://spdx.org/rdf/terms#checksumAlgorithm_sha256"
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"

Address = Callable[[str], str]
Node = dict[str, Any]


def catalog(files: list[DataFile], absolute: Address) -> Node:
    """`files`: the newest of every format; `absolute` makes addresses whole."""
    here = absolute(reverse("data-index"))
    dataset = data_set(files, absolute)
    return {
        "@context": CONTEXT,
        "@id": f"{here}#catalog",
        "@type": "dcat:Catalog",
        "dct:title": in_both("Datos abiertos de 311 móvil", "Open data of 311 móvil"),
        "dct:description": in_both(
            "Los reportes ciudadanos públicos de Panamá.",
            "The public citizen reports of Panama.",
        ),
        "dct:publisher": publisher(here),
        "dct:language": [{"@id": f"{EU}/language/SPA"}, {"@id": f"{EU}/language/ENG"}],
        "dct:license": {"@id": LICENCE},
        "foaf:homepage": {"@id": here},
        "dcat:dataset": dataset,
    }


def data_set(files: list[DataFile], absolute: Address) -> Node:
    here = absolute(reverse("data-index"))
    newest = max((file.ready_at for file in files if file.ready_at), default=None)
    live = [
        live_distribution(form, absolute) for form in FORMATS.values() if form.stream
    ]
    return {
        "@id": f"{here}#cases",
        "@type": "dcat:Dataset",
        "dct:identifier": "311-movil-casos",
        "dct:title": in_both("Reportes ciudadanos", "Citizen reports"),
        "dct:description": in_both(
            "Los casos públicos: qué se reportó, dónde, quién responde, para cuándo y "
            "en qué va. Sin datos de quien reporta.",
            "The public cases: what was reported, where, who answers, by when, and how "
            "far it is. Nothing about who reported.",
        ),
        "dct:publisher": publisher(here),
        "dcat:contactPoint": {
            "@type": "vcard:Organization",
            "vcard:fn": settings.DATA_PUBLISHER,
            "vcard:hasEmail"
            if settings.DATA_CONTACT.startswith("mailto:")
            else "vcard:hasURL": {"@id": settings.DATA_CONTACT},
        },
        "dcat:keyword": [
            *in_both("reportes ciudadanos", "citizen reports"),
            {"@value": "311", "@language": "es"},
        ],
        "dcat:theme": {"@id": f"{EU}/data-theme/GOVE"},
        "dct:accrualPeriodicity": {"@id": f"{EU}/frequency/DAILY"},
        "dct:accessRights": {"@id": f"{EU}/access-right/PUBLIC"},
        "dct:language": [{"@id": f"{EU}/language/SPA"}, {"@id": f"{EU}/language/ENG"}],
        "dct:license": {"@id": LICENCE},
        "dct:spatial": {
            "@type": "dct:Location",
            "dcat:bbox": {"@value": outline(), "@type": "geo:wktLiteral"},
        },
        **times(newest),
        "dct:conformsTo": {
            "@id": CRS84,
            "@type": "dct:Standard",
        },
        "foaf:page": {
            "@id": absolute(reverse("data-dictionary")),
            "@type": "foaf:Document",
        },
        "dcat:landingPage": {"@id": here, "@type": "foaf:Document"},
        "dcat:distribution": [
            *live,
            *(distribution(file, absolute) for file in files),
        ],
    }


def times(newest: Any) -> Node:
    if newest is None:
        return {}
    day = timezone.localdate(newest).isoformat()
    return {
        "dct:modified": moment(newest),
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "dcat:endDate": {"@value": day, "@type": "xsd:date"},
        },
    }


def live_distribution(form: Format, absolute: Address) -> Node:
    address = absolute(reverse("data-cases", args=[form.extension]))
    return {
        **described(form, address),
        "dct:title": in_both(f"{form.name}, al momento", f"{form.name}, as of now"),
        "dcat:downloadURL": {"@id": address},
    }


def distribution(file: DataFile, absolute: Address) -> Node:
    form = FORMATS[file.format]
    address = absolute(builds.url_of(file))
    packed: Node = {}
    if form.stream:
        packed = {"dcat:compressFormat": {"@id": f"{MEDIA_TYPES}/application/gzip"}}
    return {
        **described(form, address),
        **packed,
        "dct:title": in_both(f"{form.name}, de anoche", f"{form.name}, last night's"),
        "dcat:downloadURL": {"@id": address},
        "dcat:byteSize": {
            "@value": str(file.size),
            "@type": "xsd:nonNegativeInteger",
        },
        "dct:issued": moment(file.ready_at),
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": {"@id": SPDX_SHA256},
            "spdx:checksumValue": {"@value": file.sha256, "@type": "xsd:hexBinary"},
        },
    }


def described(form: Format, address: str) -> Node:
    return {
        "@id": f"{address}#distribution",
        "@type": "dcat:Distribution",
        "dcat:accessURL": {"@id": address},
        **names_of(form),
        "dct:conformsTo": {"@id": form.standard, "@type": "dct:Standard"},
        "dct:license": {"@id": LICENCE},
    }


def names_of(form: Format) -> Node:
    """By the lists that harvesters know. A name of our own would be no name there."""
    names: Node = {}
    if form.file_type:
        names["dct:format"] = {"@id": f"{EU}/file-type/{form.file_type}"}
    if form.is_registered:
        media_type, *_ = form.media_type.split(";")
        names["dcat:mediaType"] = {"@id": f"{MEDIA_TYPES}/{media_type}"}
    return names


def publisher(here: str) -> Node:
    return {
        "@id": f"{here}#publisher",
        "@type": "foaf:Agent",
        "foaf:name": settings.DATA_PUBLISHER,
    }


def in_both(spanish: str, english: str) -> list[Node]:
    return [
        {"@value": spanish, "@language": "es"},
        {"@value": english, "@language": "en"},
    ]


def moment(at: Any) -> Node:
    local = timezone.localtime(at).isoformat(timespec="seconds")
    return {"@value": local, "@type": "xsd:dateTime"}


def outline() -> str:
    west, south, east, north = BOX
    corners = [
        (west, south),
        (east, south),
        (east, north),
        (west, north),
        (west, south),
    ]
    return f"POLYGON(({','.join(f'{x} {y}' for x, y in corners)}))"
