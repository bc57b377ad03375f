"""Made-up things for tests: plain functions with plain defaults.

The test territory is two square districts side by side, so that every expected answer
can be seen without a map (degrees, WGS 84):

            8.6 ┌─────────────┬─────────────┐
                │  9001 Oeste │  9002 Este  │
            8.5 └─────────────┴─────────────┘
              -80.0         -79.9         -79.8
"""

from __future__ import annotations

from datetime import date, datetime
from io import BytesIO
from typing import Any
from uuid import uuid4

import shapely
from django.contrib.gis.geos import MultiPolygon, Point, Polygon
from PIL import Image

from backend.accounts.models import Membership, User
from backend.cases.filing import Report, file_case
from backend.cases.handling import Transition, change_status
from backend.cases.models import Case, Category, ConsentText, Group
from backend.cases.workflow import Status
from provinces.models import (
    Boundary,
    Corregimiento,
    District,
    Duty,
    Entity,
    Generation,
    Jurisdiction,
    Level,
    Province,
)

WEST = (-79.95, 8.55)
EAST = (-79.85, 8.55)
OUTLINES = {
    "9001": shapely.box(-80.0, 8.5, -79.9, 8.6),
    "9002": shapely.box(-79.9, 8.5, -79.8, 8.6),
}


def make_territory() -> Generation:
    """Two square districts, each one corregimiento, as the active generation."""
    Generation.objects.active().update(is_active=False)
    generation = Generation.objects.create(source="squares", is_active=True)
    province, _ = Province.objects.get_or_create(
        code="90", defaults={"name": "Cuadrados", "kind": Province.Kind.PROVINCE}
    )
    for code, name in (("9001", "Oeste"), ("9002", "Este")):
        district, _ = District.objects.get_or_create(
            code=code, defaults={"name": name, "province": province}
        )
        Corregimiento.objects.get_or_create(
            code=f"{code}01", defaults={"name": f"{name} Uno", "district": district}
        )
        make_boundary(generation, Level.DISTRICT, code, OUTLINES[code])
        make_boundary(generation, Level.CORREGIMIENTO, f"{code}01", OUTLINES[code])
        make_entity(f"MUN-{code}", kind=Entity.Kind.MUNICIPALITY, district=district)
    return generation


def make_boundary(
    generation: Generation, level: str, code: str, outline: shapely.Geometry
) -> Boundary:
    polygons = [
        Polygon(list(part.exterior.coords)) for part in shapely.get_parts(outline)
    ]
    return Boundary.objects.create(
        generation=generation,
        level=level,
        code=code,
        outline=MultiPolygon(polygons, srid=4326),
    )


def make_entity(code: str = "OBRAS", **fields: Any) -> Entity:
    defaults = {"name": f"Entidad {code}", "kind": Entity.Kind.AGENCY, **fields}
    return Entity.objects.get_or_create(code=code, defaults=defaults)[0]


def make_duty(code: str = "test-duty") -> Duty:
    return Duty.objects.get_or_create(
        code=code, defaults={"name_es": code, "name_en": code}
    )[0]


def make_jurisdiction(
    duty: Duty,
    entity: Entity,
    level: str = Jurisdiction.Scope.NATION,
    place: str = "",
    valid_from: date | None = None,
    valid_to: date | None = None,
) -> Jurisdiction:
    return Jurisdiction.objects.create(
        duty=duty,
        entity=entity,
        level=level,
        place=place,
        valid_from=valid_from,
        valid_to=valid_to,
    )


def make_group(code: str = "PRU") -> Group:
    names = {"name_es": "Pruebas", "name_en": "Tests"}
    return Group.objects.get_or_create(code=code, defaults=names)[0]


def make_category(code: str = "PRU-01", **fields: Any) -> Category:
    """A public category at exact precision, answered by OBRAS in three working days."""
    duty = fields.pop("duty", None) or make_duty()
    if not duty.jurisdictions.exists():
        make_jurisdiction(duty, make_entity())
    defaults = {
        "group": make_group(),
        "name_es": f"Categoría {code}",
        "name_en": f"Category {code}",
        "duty": duty,
        "act": Category.Act.COMPLAINT,
        "precision": Category.Precision.EXACT,
        "sla_amount": 3,
        "sla_unit": Category.SlaUnit.WORKING_DAYS,
        **fields,
    }
    return Category.objects.get_or_create(code=code, defaults=defaults)[0]


def make_consent(version: str = "2026-11", **fields: Any) -> ConsentText:
    """A text that could always have been accepted."""
    defaults = {
        "text_es": f"Acepto ({version}).",
        "text_en": f"I accept ({version}).",
        "valid_from": date(2000, 1, 1),
        **fields,
    }
    return ConsentText.objects.get_or_create(version=version, defaults=defaults)[0]


def make_report(at: tuple[float, float] = WEST, **fields: Any) -> Report:
    """As a phone sends it; a contact that comes with it has accepted a text there is."""
    category = fields.pop("category", None) or make_category()
    if contact := fields.get("contact"):
        make_consent(contact.consent)
    return Report(
        id=fields.pop("id", None) or uuid4(),
        category=category,
        location=Point(*at, srid=4326),
        **fields,
    )


def make_case(
    at: tuple[float, float] = WEST,
    status: Status = Status.RECEIVED,
    filed_at: datetime | None = None,
    **fields: Any,
) -> Case:
    """A case filed as all are, and moved to a status as all are.

    Needs a territory: the shipped one, or `make_territory()`.
    """
    case = file_case(make_report(at, **fields), at=filed_at).case
    if status != Status.RECEIVED:
        change_status(case, Transition(status, note="Nota de prueba"), None, filed_at)
        case.refresh_from_db()
    return case


def make_crew(entity: Entity | None = None, username: str = "cuadrilla") -> User:
    user = User.objects.create_user(username, password="clave-de-prueba-311")
    Membership.objects.create(user=user, entity=entity or make_entity())
    return user


def make_photo(
    size: tuple[int, int] = (640, 480), colour: str = "teal", format: str = "JPEG"
) -> BytesIO:
    file = BytesIO()
    Image.new("RGB", size, colour).save(file, format)
    file.seek(0)
    return file
