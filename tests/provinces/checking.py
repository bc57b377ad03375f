"""Boundary files checked beside places that are there already."""

from __future__ import annotations

from provinces.boundary_checks import Findings, checked
from provinces.boundary_files import Feature
from provinces.models import Level

KNOWN: dict[tuple[str, str], str] = {
    (Level.PROVINCE, "90"): "Cuadrados",
    (Level.DISTRICT, "9001"): "Oeste",
    (Level.DISTRICT, "9002"): "Este",
}


def check(*features: Feature) -> tuple[list[Feature], Findings]:
    return checked(list(features), KNOWN, lambda items, _what: items)
