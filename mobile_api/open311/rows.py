"""A case in GeoReport's words: what anyone may know of it, and nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Prefetch
from django.http import HttpRequest
from django.utils.translation import gettext as _

from backend.cases.models import Case, CaseQuerySet, Photo, StatusChange
from backend.cases.photo_links import url_of
from backend.cases.workflow import OPEN
from mobile_api.cases import in_panama, named_entity
from mobile_api.open311.statuses import status_of


def with_all_that_is_told(cases: CaseQuerySet) -> CaseQuerySet:
    """Three statements, however many cases: themselves, their lines, their photos."""
    lines = StatusChange.objects.only("case", "status", "public_note", "changed_at")
    released = Photo.objects.filter(released_at__isnull=False).select_related("change")
    return cases.with_names().prefetch_related(
        Prefetch("history", lines), Prefetch("photos", released)
    )


def request_row(
    case: Case, request: HttpRequest, *, extended: bool = False
) -> dict[str, Any]:
    """GeoReport's fields alone; with `extended`, what others have added to them."""
    lines, photos = list(case.history.all()), list(case.photos.all())
    point = case.public_location
    entity = named_entity(case.entity)
    row: dict[str, Any] = {
        "service_request_id": case.number,
        "status": status_of(case.status),
        "status_notes": status_notes(case, lines),
        "service_name": str(case.category),
        "service_code": case.category_id,
        "description": case.public_description or None,
        "agency_responsible": entity and entity["name"],
        "service_notice": _("Caso de demostración.") if case.demo else None,
        "requested_datetime": in_panama(case.filed_at),
        "updated_datetime": in_panama(last_change(case, lines)),
        "expected_datetime": in_panama(case.due_at),
        "address": address(case),
        "address_id": place_code(case),
        "zipcode": None,
        "lat": point and point.y,
        "long": point and point.x,
        "media_url": link(photos[0], request) if photos else None,
    }
    return row | (extensions(case, lines, photos, request) if extended else {})


def extensions(
    case: Case, lines: list[StatusChange], photos: list[Photo], request: HttpRequest
) -> dict[str, Any]:
    point = case.public_location
    return {
        "status_detail": case.status,
        "attributes": [],
        "extended_attributes": {
            "x": point and point.x,
            "y": point and point.y,
            "precision": case.category.precision,
            "demo": case.demo,
            "url": request.build_absolute_uri(f"/casos/{case.number}"),
            "photos": [photo_view(photo, request) for photo in photos],
        },
        "notes": [
            {
                "datetime": in_panama(line.changed_at),
                "description": said(line),
                "type": line.status,
            }
            for line in lines
        ],
    }


def photo_view(photo: Photo, request: HttpRequest) -> dict[str, Any]:
    return {
        "media_url": link(photo, request),
        "thumbnail_url": link(photo, request, thumbnail=True),
        "width": photo.width,
        "height": photo.height,
        "of": photo.change.status if photo.change else None,
    }


def link(photo: Photo, request: HttpRequest, *, thumbnail: bool = False) -> str:
    return request.build_absolute_uri(url_of(photo, thumbnail=thumbnail))


def status_notes(case: Case, lines: list[StatusChange]) -> str:
    """The finer status, and why, in words for people."""
    return said(lines[-1]) if lines else str(case.get_status_display())


def said(line: StatusChange) -> str:
    name = str(line.get_status_display())
    return f"{name}: {line.public_note}" if line.public_note else name


def last_change(case: Case, lines: list[StatusChange]) -> datetime:
    """When the case was last changed; of one that is closed, when it was closed."""
    if case.status in OPEN:
        return case.updated_at
    closed = case.updated_at
    for line in reversed(lines):
        if line.status in OPEN:
            break
        closed = line.changed_at
    return closed


def address(case: Case) -> str:
    """Without a public point, nothing smaller than the district either."""
    places = [case.district.name, case.province.name]
    if case.public_location and case.corregimiento:
        places.insert(0, case.corregimiento.name)
    return ", ".join(places)


def place_code(case: Case) -> str:
    if case.public_location and case.corregimiento:
        return case.corregimiento.code
    return case.district.code
