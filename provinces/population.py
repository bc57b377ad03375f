"""How many people live where: a census's figures, from CSV files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import models, transaction
from django.utils.translation import gettext as _

from provinces.catalogue import Changes, InvalidCatalogue, Row, built, upsert
from provinces.models import District, Province

# The length of a code says of which level its place is.
LEVELS: dict[int, type[Province] | type[District]] = {2: Province, 4: District}
YEARS = range(1900, 2200)


@transaction.atomic
def load_population(rows: Sequence[Row]) -> Changes:
    """The figures of some places; of the others, what was known stays.

    A row without a population takes the figure of its place away. Raises
    InvalidCatalogue with every row that is wrong, before any is stored.
    """
    changes = Changes()
    places = built(rows, Places(rows).counted)
    for model in LEVELS.values():
        upsert([place for place in places if type(place) is model], changes)
    return changes


class Places:
    """The places that the rows name, as they are stored."""

    def __init__(self, rows: Iterable[Row]) -> None:
        codes = {row["code"] for row in rows}
        self.stored: dict[str, Province | District] = {
            place.code: place
            for model in LEVELS.values()
            for place in model._default_manager.filter(code__in=codes)
        }

    def counted(self, row: Row) -> models.Model:
        """The place of a row, with its figure. Raises InvalidCatalogue."""
        stored = self.stored.get(row["code"])
        if stored is None:
            raise InvalidCatalogue(
                [f"{row.where}: " + _("no existe el lugar %s") % row["code"]]
            )
        for name, value in figure_of(row).items():
            setattr(stored, name, value)
        return stored


def figure_of(row: Row) -> dict[str, Any]:
    """The three columns that go together: all of them, or none."""
    filled = [bool(row[column]) for column in ("population", "year", "source")]
    if not any(filled):
        return {
            "population": None,
            "population_year": None,
            "population_source": "",
        }
    if not all(filled) or row.number("population") == 0:
        raise row.wrong("population", _("va con año y fuente, y es mayor que cero"))
    if row.number("year") not in YEARS:
        raise row.wrong("year", _("es un año"))
    return {
        "population": row.number("population"),
        "population_year": row.number("year"),
        "population_source": row["source"],
    }
