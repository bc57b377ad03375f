"""What can be reported, and what else is asked about it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from backend.cases.deadlines import PANAMA
from backend.cases.models import Category
from mobile_api.categories import words_of
from mobile_api.open311.door import FOR_FIVE_MINUTES, Door
from mobile_api.open311.errors import UnknownService
from mobile_api.open311.parameters import Parameters
from provinces.places import OutsidePanama, place_at
from provinces.routing import jurisdictions_at


class ServicesView(Door):
    root = "services"
    cache_control = FOR_FIVE_MINUTES

    def read(self, request: HttpRequest, **path: str) -> list[dict[str, Any]]:
        """All services; with `lat` and `long`, those that somebody answers for there."""
        parameters = Parameters(request.GET)
        point = parameters.point()
        parameters.check()
        services = list(offered().select_related("group"))
        if point is None:
            return [service_view(service) for service in services]
        try:
            place = place_at(point)
        except OutsidePanama:
            return []
        answered = jurisdictions_at(place, timezone.now().astimezone(PANAMA).date())
        return [
            service_view(service) for service in services if service.duty_id in answered
        ]


class DefinitionView(Door):
    root = "service_definition"
    cache_control = FOR_FIVE_MINUTES

    def read(self, request: HttpRequest, code: str = "", **path: str) -> dict[str, Any]:
        """No service asks for more than GeoReport's own fields: the list is empty."""
        return {"service_code": service_of(code).code, "attributes": []}


def offered() -> QuerySet[Category]:
    """What other systems may report.

    Not what is private: it would be carried by a third party, and never be seen again,
    for Open311 has no PIN.
    """
    return Category.objects.filter(active=True, private=False)


def service_of(code: str) -> Category:
    """Raises UnknownService, also for a service that is not for this door."""
    service = None
    if "\0" not in code:
        service = offered().select_related("duty", "group").filter(code=code).first()
    if service is None:
        raise UnknownService(code)
    return service


def service_view(category: Category) -> dict[str, Any]:
    return {
        "service_code": category.code,
        "service_name": str(category),
        "description": described(category),
        "metadata": False,
        "type": "realtime",
        "keywords": ",".join(words_of(category.keywords)),
        "group": str(category.group),
    }


def described(category: Category) -> str:
    """What whoever chooses should know first."""
    said = [category.emergency] if category.emergency else []
    if category.act == Category.Act.DENUNCIATION:
        said.append(_("Denuncia: necesita el nombre y un contacto de quien la hace."))
    return " ".join([*said, promise(category)])


def promise(category: Category) -> str:
    amount = category.sla_amount
    match category.sla_unit:
        case Category.SlaUnit.HOURS:
            said = ngettext("Plazo: %d hora.", "Plazo: %d horas.", amount)
        case Category.SlaUnit.WORKING_DAYS:
            said = ngettext("Plazo: %d día hábil.", "Plazo: %d días hábiles.", amount)
        case _unit:
            said = ngettext("Plazo: %d día.", "Plazo: %d días.", amount)
    return said % amount
