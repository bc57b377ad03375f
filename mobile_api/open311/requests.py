"""The public cases as service requests, many or one; new ones come in by `posting.py`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.contrib.gis.measure import D
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from backend.cases.access import public_case
from backend.cases.models import Case, CaseQuerySet, Category
from backend.cases.numbers import parse_case_number
from backend.cases.similar import box_around, rectangle
from mobile_api.open311.door import Door
from mobile_api.open311.errors import UnknownService
from mobile_api.open311.parameters import Parameters, period
from mobile_api.open311.posting import file_request
from mobile_api.open311.rows import request_row, with_all_that_is_told
from mobile_api.open311.statuses import WORDS, statuses_of

LONGEST_PERIOD = timedelta(days=90)
MOST_ROWS = 1000
MOST_PAGES = 1000
USUAL_RADIUS, LARGEST_RADIUS = 750, 50_000  # metres


class RequestsView(Door):
    root = "service_requests"

    def read(self, request: HttpRequest, **path: str) -> list[dict[str, Any]]:
        """What the filters leave, the newest first."""
        parameters = Parameters(request.GET)
        ids = parameters.codes("service_request_id")
        if ids:
            # It overrides all other arguments, right or wrong.
            parameters.check()
            extended = Parameters(request.GET).flag("extensions")
            cases = by_number(ids)
        else:
            extended = parameters.flag("extensions")
            cases = filtered(parameters, timezone.now())
        return [
            request_row(case, request, extended=extended)
            for case in with_all_that_is_told(cases)
        ]

    def post(self, request: HttpRequest, **path: str) -> HttpResponse:
        return self.done([file_request(request)])


class RequestView(Door):
    root = "service_requests"

    def read(
        self, request: HttpRequest, number: str = "", **path: str
    ) -> list[dict[str, Any]]:
        """One request, as a list of one. Raises NoSuchCase, NotANumber, WrongDigit."""
        parameters = Parameters(request.GET)
        extended = parameters.flag("extensions")
        parameters.check()
        found = public_case(number)
        cases = with_all_that_is_told(Case.objects.filter(pk=found.pk))
        return [request_row(case, request, extended=extended) for case in cases]


def by_number(ids: list[str]) -> CaseQuerySet:
    """Those of these numbers that are public, also where no point is: as their pages."""
    numbers = set()
    for text in ids:
        try:
            numbers.add(parse_case_number(text))
        except ValueError:
            continue  # The number of no case, as is one that nobody has yet.
    return Case.objects.public().filter(number__in=numbers).order_by("-filed_at", "-id")


def filtered(parameters: Parameters, now: datetime) -> CaseQuerySet:
    """What is on the map, within 90 days. Raises Invalid, UnknownService."""
    services = parameters.codes("service_code")
    words = [word.lower() for word in parameters.codes("status")]
    if set(words) - set(WORDS):
        parameters.refuse("status", _("debe ser «open», «closed» o ambas."))
    start, end = parameters.moment("start_date"), parameters.moments("end_date")
    page = parameters.integer("page", 1, range(1, MOST_PAGES + 1))
    size = parameters.integer("page_size", MOST_ROWS, range(1, MOST_ROWS + 1))
    cases = where(parameters, Case.objects.public().exclude(public_location=None))
    parameters.check()
    first, last = period(start, end, LONGEST_PERIOD, now)
    cases = cases.filter(filed_at__gte=first, filed_at__lte=last)
    if services:
        check_known(services)
        cases = cases.filter(category__in=services)
    if words:
        cases = cases.filter(status__in=sorted(statuses_of(words)))
    return cases.order_by("-filed_at", "-id")[(page - 1) * size : page * size]


def check_known(codes: list[str]) -> None:
    """Raises UnknownService: an unknown service is nothing, and never everything."""
    public = Category.objects.filter(private=False, pk__in=codes)
    unknown = set(codes) - set(public.values_list("pk", flat=True))
    if unknown:
        raise UnknownService(sorted(unknown)[0])


def where(parameters: Parameters, cases: CaseQuerySet) -> CaseQuerySet:
    box, here = parameters.box(), parameters.point()
    radius = parameters.number("radius", 1, LARGEST_RADIUS)
    if radius is not None and not parameters.text("lat"):
        parameters.refuse("radius", _("necesita «lat» y «long»."))
    if box:
        cases = cases.filter(public_location__bboverlaps=rectangle(*box))
    if here:
        metres = radius or USUAL_RADIUS
        cases = cases.filter(
            # The first for the index, the second for the circle.
            public_location__bboverlaps=box_around(here, metres),
            public_location__distance_lte=(here, D(m=metres)),
        )
    return cases
