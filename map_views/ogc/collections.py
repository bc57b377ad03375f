"""What there is to read: four collections, and the reference systems they come in."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _

from geo import features
from geo.features import Extent, Frame, Layer
from provinces.models import Level

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
GREGORIAN = "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian"
# The only systems there are: a name from outside is looked up here and goes no further.
FRAMES: dict[str, Frame] = {
    CRS84: features.CRS84,
    "http://www.opengis.net/def/crs/EPSG/0/4326": features.WGS84,
    "http://www.opengis.net/def/crs/EPSG/0/3857": features.MERCATOR,
    "http://www.opengis.net/def/crs/EPSG/0/32617": features.UTM_17_NORTH,
}
URI_OF = {frame: uri for uri, frame in FRAMES.items()}


class Collection(NamedTuple):
    """A collection by its name in addresses. `thing` is what one feature of it is."""

    id: str
    title: Any
    thing: Any
    description: Any
    layer: Layer
    extent: Callable[[], Extent | None]
    seconds_fresh: int


NOT_OFFICIAL = _(
    "Contornos en vigor en este sistema, derivados de geoBoundaries (CC BY 4.0) "
    "y no oficiales; approximate señala los que son aproximados."
)

COLLECTIONS: dict[str, Collection] = {
    collection.id: collection
    for collection in (
        Collection(
            "cases",
            _("Casos"),
            _("Caso"),
            _(
                "Los reportes ciudadanos que el público puede ver en el mapa, en el punto "
                "o la cuadrícula que su categoría permite. datetime se compara con "
                "filed_at, cuando se presentaron."
            ),
            features.CASES,
            features.extent_of_cases,
            10,
        ),
        Collection(
            "provinces",
            _("Provincias y comarcas"),
            _("Provincia o comarca"),
            NOT_OFFICIAL,
            features.PROVINCES,
            partial(features.extent_of_places, Level.PROVINCE),
            3600,
        ),
        Collection(
            "districts",
            _("Distritos"),
            _("Distrito"),
            NOT_OFFICIAL,
            features.DISTRICTS,
            partial(features.extent_of_places, Level.DISTRICT),
            3600,
        ),
        Collection(
            "corregimientos",
            _("Corregimientos"),
            _("Corregimiento"),
            NOT_OFFICIAL,
            features.CORREGIMIENTOS,
            partial(features.extent_of_places, Level.CORREGIMIENTO),
            3600,
        ),
    )
}
