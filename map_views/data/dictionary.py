"""What every column of the open data means, in both languages."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from django.utils.translation import override

from backend.cases.models import Category, Withdrawal
from backend.cases.workflow import Status


@dataclass(frozen=True)
class Entry:
    """A column: its type, what it says, and what it may hold (empty: any text)."""

    name: str
    type: str
    es: str
    en: str
    domain: Sequence[tuple[str, str, str]] = ()  # value, in Spanish, in English
    may_be_empty: bool = False


def choices_of(choices: Any) -> list[tuple[str, str, str]]:
    names = []
    for choice in choices:
        with override("es"):
            spanish = str(choice.label)
        with override("en"):
            names.append((choice.value, spanish, str(choice.label)))
    return names


YES_NO = [("true", "sí", "yes"), ("false", "no", "no")]
MOMENT = "date-time"
TEXT = "string"


def entries() -> list[Entry]:
    """In the order of the tables' columns."""
    return [
        Entry(
            "number",
            TEXT,
            "Número del caso: no cambia nunca y no se repite. Es la clave con la que se "
            "juntan los datos de un día con los de otro.",
            "The case's number: it never changes and is never used again. The key to "
            "join one day's data with another's.",
        ),
        Entry(
            "longitude",
            "number",
            "Longitud en grados (WGS 84), a seis decimales y con la precisión que dice "
            "`precision`. En los formatos con geometría es la x del punto.",
            "Longitude in degrees (WGS 84), to six decimals and as precise as "
            "`precision` says. In formats with geometry, the point's x.",
        ),
        Entry(
            "latitude",
            "number",
            "Latitud en grados (WGS 84); en los formatos con geometría, la y del punto.",
            "Latitude in degrees (WGS 84); in formats with geometry, the point's y.",
        ),
        Entry(
            "status",
            TEXT,
            "En qué va el caso.",
            "How far the case is.",
            choices_of(Status),
        ),
        Entry(
            "open",
            "boolean",
            "Si el caso sigue abierto: es lo que el mapa muestra como abierto.",
            "Whether the case is still open, as the map shows it.",
            YES_NO,
        ),
        Entry(
            "filed_at",
            MOMENT,
            "Cuándo se recibió el reporte (ISO 8601, hora de Panamá, -05:00; en "
            "GeoPackage, FlatGeobuf y GeoParquet todas las fechas están en UTC).",
            "When the report was received (ISO 8601, Panama's time, -05:00; in "
            "GeoPackage, FlatGeobuf and GeoParquet all dates are in UTC).",
        ),
        Entry(
            "due_at",
            MOMENT,
            "Para cuándo se prometió una solución; se corre mientras se espera una "
            "respuesta del ciudadano.",
            "By when a solution was promised; it moves while the citizen's answer is "
            "awaited.",
        ),
        Entry(
            "updated_at",
            MOMENT,
            "Cuándo cambió por última vez lo que es público del caso. Con "
            "`changed_since` se piden los que cambiaron desde un momento.",
            "When what is public of the case last changed. `changed_since` asks for "
            "those that have changed since a moment.",
        ),
        Entry(
            "resolved_at",
            MOMENT,
            "Cuándo se dio por resuelto; vacío si no lo está.",
            "When it was said to be resolved; empty if it is not.",
            may_be_empty=True,
        ),
        Entry(
            "demo",
            "boolean",
            "Si el caso es inventado, para mostrar cómo funciona el servicio.",
            "Whether the case is made up, to show how the service works.",
            YES_NO,
        ),
        Entry(
            "url",
            TEXT,
            "Dirección de la página del caso en este mismo sitio.",
            "Address of the case's page on this same site.",
        ),
        Entry(
            "category",
            TEXT,
            "Código de la categoría; la lista está en /api/v1/categories/.",
            "The category's code; the list is at /api/v1/categories/.",
        ),
        Entry(
            "category_name",
            TEXT,
            "Nombre de la categoría en el idioma en que se piden los datos.",
            "The category's name in the language in which the data are asked for.",
        ),
        Entry(
            "group",
            TEXT,
            "Código del grupo de categorías (por ejemplo VIA: vías y aceras).",
            "Code of the group of categories (VIA, for one: roads and pavements).",
        ),
        Entry(
            "precision",
            TEXT,
            "Con qué precisión es público el lugar. Lo que no tiene punto público no "
            "está en estos datos.",
            "How precisely the place is public. What has no public point is not in "
            "these data.",
            [
                row
                for row in choices_of(Category.Precision)
                if row[0] != Category.Precision.NONE
            ],
        ),
        Entry(
            "entity",
            TEXT,
            "Código de la entidad que responde; vacío si las reglas no nombran a "
            "ninguna.",
            "Code of the entity that answers; empty if the rules name none.",
            may_be_empty=True,
        ),
        Entry(
            "entity_name",
            TEXT,
            "Nombre de la entidad que responde.",
            "Name of the entity that answers.",
            may_be_empty=True,
        ),
        Entry(
            "province",
            TEXT,
            "Provincia o comarca donde está.",
            "Province or comarca where it is.",
        ),
        Entry(
            "province_code",
            TEXT,
            "Su código: dos caracteres.",
            "Its code: two characters.",
        ),
        Entry("district", TEXT, "Distrito donde está.", "District where it is."),
        Entry(
            "district_code",
            TEXT,
            "Su código: cuatro caracteres, los primeros dos de la provincia.",
            "Its code: four characters, the first two the province's.",
        ),
        Entry(
            "corregimiento",
            TEXT,
            "Corregimiento donde está, si se conoce su contorno.",
            "Corregimiento where it is, if its outline is known.",
            may_be_empty=True,
        ),
        Entry(
            "corregimiento_code",
            TEXT,
            "Su código: seis caracteres, los primeros cuatro del distrito.",
            "Its code: six characters, the first four the district's.",
            may_be_empty=True,
        ),
        Entry(
            "withdrawn_at",
            MOMENT,
            "Solo con `changed_since`: cuándo dejó de ser público el caso. La fila no "
            "trae nada más que su número: bórrelo de su copia.",
            "With `changed_since` only: when the case ceased to be public. The row has "
            "nothing but its number: delete it from your copy.",
            may_be_empty=True,
        ),
        Entry(
            "withdrawal",
            TEXT,
            "Solo con `changed_since`: por qué no está más.",
            "With `changed_since` only: why it is there no more.",
            choices_of(Withdrawal.Reason),
            may_be_empty=True,
        ),
    ]


CSV_HEADER = [
    *("column", "type", "may_be_empty", "meaning_es", "meaning_en"),
    *("values", "values_es", "values_en"),
]


def as_csv() -> str:
    file = StringIO()
    table = csv.writer(file)
    table.writerow(CSV_HEADER)
    for entry in entries():
        values, spanish, english = (
            "|".join(row[n] for row in entry.domain) for n in range(3)
        )
        empty = "true" if entry.may_be_empty else "false"
        table.writerow(
            [
                entry.name,
                entry.type,
                empty,
                entry.es,
                entry.en,
                values,
                spanish,
                english,
            ]
        )
    return file.getvalue()


def as_json() -> list[dict[str, Any]]:
    return [
        {
            "name": entry.name,
            "type": entry.type,
            "may_be_empty": entry.may_be_empty,
            "meaning": {"es": entry.es, "en": entry.en},
            "values": [
                {"value": value, "es": spanish, "en": english}
                for value, spanish, english in entry.domain
            ],
        }
        for entry in entries()
    ]
