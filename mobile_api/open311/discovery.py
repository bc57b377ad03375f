"""Where the endpoint is, what it speaks, and how one gets a key."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from mobile_api.open311.door import FOR_FIVE_MINUTES, Door

SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"
# When what this endpoint answers was last changed.
CHANGESET = "2026-11-28T00:00:00-05:00"


class DiscoveryView(Door):
    root = "discovery"
    cache_control = FOR_FIVE_MINUTES

    def read(self, request: HttpRequest, **path: str) -> dict[str, Any]:
        contact = settings.OPEN311_CONTACT
        return {
            "changeset": CHANGESET,
            "contact": contact,
            "key_service": _(
                "Leer no necesita clave. Para enviar reportes, pida una a: %s"
            )
            % contact,
            "endpoints": [
                {
                    "specification": SPECIFICATION,
                    "url": request.build_absolute_uri("/open311/v2"),
                    "changeset": CHANGESET,
                    "type": settings.OPEN311_TYPE,
                    "formats": ["text/xml", "application/json"],
                }
            ],
        }
