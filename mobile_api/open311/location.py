"""Whether a report is taken at a point, before one is made."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _

from mobile_api.open311.door import Door
from mobile_api.open311.parameters import Parameters
from provinces.places import OutsidePanama, place_at


class LocationView(Door):
    root = "location"
    # Where somebody stands is nobody else's business.
    cache_control = "no-store"

    def read(self, request: HttpRequest, **path: str) -> dict[str, Any]:
        parameters = Parameters(request.GET)
        point = parameters.point()
        if point is None and not parameters.wrong:
            parameters.refuse("lat", _("falta el lugar: «lat» y «long»."))
        parameters.check()
        assert point is not None  # noqa: S101 - or it would have been refused
        try:
            place = place_at(point)
        except OutsidePanama:
            return {"accepted": False, "address": None, "address_id": None}
        places = [place.corregimiento, place.district, place.province]
        named = [one for one in places if one is not None]
        return {
            "accepted": True,
            "address": ", ".join(one.name for one in named),
            "address_id": named[0].code,
        }
