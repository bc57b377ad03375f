"""What the analyst's map tells: counted once, bounded, whatever there is stored.

Everything comes from the aggregates and from the newest cases, so that the file stays
small enough to mail; what is left out is counted, for the map to say so.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from backend.cases.models import Case
from backend.cases.workflow import RESOLVED, Status
from geo.export import geojson
from geo.filters import Filters
from geo.heatmap import Heat, Month, PlaceCount, by_place, heat, months
from geo.periods import number_of, start_of
from map_views.basemap import (
    Outline,
    all_districts,
    areas_of,
    country,
    feature,
    outlines,
    simplified,
)
from map_views.folium_map import PANAMA
from provinces.models import (
    LEVEL_BY_DIGITS,
    Boundary,
    District,
    Generation,
    Level,
    Province,
)

MOST_CASES = 2_000
MOST_MONTHS = 24
# The zoom whose cells the heat has, by how many digits the place's code has: finer for
# a smaller place. Of a month there are fewer cases, so its cells are larger.
HEAT_ZOOM = {0: 11, 2: 12, 4: 13, 6: 14}
MONTHS_COARSER = 2
COARSEST_ZOOM = 4
PEOPLE = 10_000
# In degrees; a file for a single province can afford finer lines.
COUNTRY_TOLERANCE = 0.001
PROVINCE_TOLERANCE = 0.0005
DECIMALS = 4
# From few to many: without a hue of its own, so that every heat can be read above it.
SHADES = ("#e9e4d8", "#d0c8b6", "#b1a792", "#8d826c", "#655b49")
NO_CASES = "#fbfaf6"

Figures = list[tuple[str, str]]


class Shade(NamedTuple):
    """A colour, and the least and the most of the rates that have it."""

    colour: str
    least: float
    most: float


class Row(NamedTuple):
    name: str
    cases: int
    rate: float


class Division(NamedTuple):
    """The cases by place: as shapes to colour, as rows to read."""

    level: str
    title: str
    features: list[dict[str, Any]]
    shades: list[Shade]
    rows: list[Row]
    note: str


class Slide(NamedTuple):
    """A month of the map that moves."""

    label: str
    total: int
    cells: list[tuple[float, float, int]]


@dataclass
class Findings:
    """What a published map shows."""

    filters: Filters
    english: bool
    at: datetime
    bounds: list[list[float]] = field(default_factory=lambda: PANAMA)
    land: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)
    total: int = 0
    heats: dict[str, Heat] = field(default_factory=dict)
    divisions: list[Division] = field(default_factory=list)
    slides: list[Slide] = field(default_factory=list)
    slide_cell: float = 0
    months_left_out: int = 0
    cases: list[list[Any]] = field(default_factory=list)
    demo: bool = False


# ── What each step finds ─────────────────────────────────────────────────────────


def find_outlines(found: Findings) -> None:
    """The country, and where the place that was asked for lies."""
    generation = Generation.objects.in_force()
    if generation is None:
        return
    abroad = [o for o in country(generation) if o.kind == "abroad"]
    provinces = province_outlines(generation)
    found.land = shapes([*abroad, *provinces])
    found.lines = shapes(provinces)
    place = found.filters.place
    if place:
        around = Boundary.objects.filter(
            generation=generation, level=LEVEL_BY_DIGITS[len(place)], code=place
        ).first()
        if around:
            west, south, east, north = around.outline.extent
            found.bounds = [[south, west], [north, east]]


def find_heat(found: Findings) -> None:
    zoom = HEAT_ZOOM[len(found.filters.place)]
    found.total = heat(found.filters, COARSEST_ZOOM).total
    states = [found.filters.state]
    if found.filters.state == "all":
        states = ["open", "resolved"]
    for state in states:
        found.heats[state] = whole(replace(found.filters, state=state), zoom)


def whole(filters: Filters, zoom: int) -> Heat:
    """The finest cells up to a zoom that hold every case."""
    cells = heat(filters, zoom)
    while sum(cell[2] for cell in cells.cells) < cells.total and zoom > COARSEST_ZOOM:
        zoom -= 1
        cells = heat(filters, zoom)
    return cells


def find_months(found: Findings) -> None:
    """The heat of each month that has cases, of the last ones."""
    filled = [m for m in months(found.filters) if counted(m, found.filters.state)]
    found.months_left_out = max(0, len(filled) - MOST_MONTHS)
    zoom = HEAT_ZOOM[len(found.filters.place)] - MONTHS_COARSER
    for month in filled[-MOST_MONTHS:]:
        first, following = month_of(month)
        since = max(first, found.filters.since or first)
        until = min(following, found.filters.until or following)
        cells = heat(replace(found.filters, since=since, until=until), zoom)
        label = date_format(first, "YEAR_MONTH_FORMAT")
        found.slides.append(Slide(label, cells.total, cells.cells))
        found.slide_cell = cells.cell


def month_of(month: Month) -> tuple[datetime, datetime]:
    """Its first moment and that of the next, in Panama."""
    number = number_of(month.month)
    return start_of(number), start_of(number + 1)


def find_divisions(found: Findings) -> None:
    """By district, and for the whole country by province too; not within a district."""
    generation = Generation.objects.in_force()
    place = found.filters.place
    if generation is None or len(place) == 6:
        return
    districts = [o for o in district_outlines(generation, bool(place)) if of(o, place)]
    found.divisions.append(division(found, generation, Level.DISTRICT, districts))
    if not place:
        provinces = province_outlines(generation)
        found.divisions.append(division(found, generation, Level.PROVINCE, provinces))


def find_cases(found: Findings) -> None:
    pieces = geojson(found.filters, MOST_CASES, english=found.english)
    rows = json.loads(b"".join(pieces))["features"]
    found.cases = [case_row(row) for row in rows]
    found.demo = Case.objects.filter(demo=True).exists()


STEPS = (find_outlines, find_heat, find_months, find_divisions, find_cases)


# ── Places ───────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=4)
def district_outlines(generation: int, is_fine: bool) -> list[Outline]:
    tolerance = PROVINCE_TOLERANCE if is_fine else COUNTRY_TOLERANCE
    return simplified(all_districts(generation), tolerance)


@lru_cache(maxsize=2)
def province_outlines(generation: int) -> list[Outline]:
    names = {place.code: (place.name, place.kind) for place in Province.objects.all()}
    return simplified(outlines(generation, Level.PROVINCE, names), COUNTRY_TOLERANCE)


def of(outline: Outline, place: str) -> bool:
    return outline.code.startswith(place)


class Tally(NamedTuple):
    """A place, its cases, its people where a census counted them, its km²."""

    outline: Outline
    place: Province | District
    cases: int
    area: float

    @property
    def by_area(self) -> float:
        return self.cases / self.area

    @property
    def by_people(self) -> float:
        """Cases per 10,000 people; 0 where nobody counted them."""
        people = self.place.population
        return self.cases / people * PEOPLE if people else 0

    def figures(self) -> Figures:
        """What there is to say of it, as pairs of a name and a value."""
        told = [(_("Casos"), f"{self.cases:,}")]
        if self.place.population:
            year = self.place.population_year
            told += [
                (_("Habitantes (%s)") % year, f"{self.place.population:,}"),
                (_("Por 10 000 habitantes"), rate_text(self.by_people)),
            ]
        return [
            *told,
            (_("Superficie"), f"{self.area:,.0f} km²"),
            (_("Por km²"), rate_text(self.by_area)),
        ]


def division(
    found: Findings, generation: int, level: Level, drawn: list[Outline]
) -> Division:
    """By 10,000 people if all the places have a population, by km² otherwise."""
    tallies = tallied(found, generation, level, drawn)
    by_people = all(tally.place.population for tally in tallies)
    rates = [tally.by_people if by_people else tally.by_area for tally in tallies]
    shades = shaded(rates)
    rows = [
        Row(tally.place.name, tally.cases, rate)
        for tally, rate in zip(tallies, rates, strict=True)
    ]
    return Division(
        level=level.value,
        title=title_of(level, by_people=by_people),
        features=[
            shaped(
                tally.outline,
                {"figures": tally.figures(), "colour": colour_of(rate, shades)},
            )
            for tally, rate in zip(tallies, rates, strict=True)
        ],
        shades=shades,
        rows=sorted(rows, key=lambda row: (-row.rate, row.name)),
        note=sources(tally.place for tally in tallies) if by_people else "",
    )


def tallied(
    found: Findings, generation: int, level: Level, drawn: list[Outline]
) -> list[Tally]:
    model = Province if level == Level.PROVINCE else District
    known = model._default_manager.in_bulk([outline.code for outline in drawn])
    counts = {count.code: count for count in by_place(found.filters, level.value)}
    areas = areas_of(generation, level)
    return [
        Tally(
            outline,
            known[outline.code],
            counted(counts.get(outline.code), found.filters.state),
            areas[outline.code],
        )
        for outline in drawn
    ]


def title_of(level: Level, *, by_people: bool) -> str:
    if level == Level.PROVINCE:
        if by_people:
            return _("Provincias y comarcas: casos por 10 000 habitantes")
        return _("Provincias y comarcas: casos por km²")
    if by_people:
        return _("Distritos: casos por 10 000 habitantes")
    return _("Distritos: casos por km²")


def counted(count: PlaceCount | Month | None, state: str) -> int:
    """The cases of a state, as the map's filters mean it."""
    if count is None:
        return 0
    return {
        "open": count.open,
        "resolved": count.resolved,
        "all": count.open + count.resolved + count.other,
    }[state]


def sources(places: Iterable[Province | District]) -> str:
    return _("Población: %s.") % "; ".join(
        sorted({place.population_source for place in places})
    )


def shaded(rates: list[float]) -> list[Shade]:
    """Five colours with about as many places each; places without cases have none."""
    positive = sorted(rate for rate in rates if rate > 0)
    shades = []
    for i, colour in enumerate(SHADES):
        start, stop = (len(positive) * k // len(SHADES) for k in (i, i + 1))
        if start < stop:
            shades.append(Shade(colour, positive[start], positive[stop - 1]))
    return shades


def colour_of(rate: float, shades: list[Shade]) -> str:
    """The last shade that begins at or below the rate."""
    fitting = [shade.colour for shade in shades if shade.least <= rate]
    return fitting[-1] if rate > 0 and fitting else NO_CASES


def rate_text(rate: float) -> str:
    """With as many digits as tell something."""
    if rate == 0 or rate >= 100:
        return f"{rate:,.0f}"
    return (
        f"{rate:,.1f}"
        if rate >= 10
        else f"{rate:.2f}"
        if rate >= 0.1
        else f"{rate:.2g}"
    )


# ── Shapes and cases, as the browser reads them ──────────────────────────────────


def shapes(drawn: Iterable[Outline]) -> list[dict[str, Any]]:
    return [shaped(outline, {}) for outline in drawn]


def shaped(outline: Outline, more: dict[str, Any]) -> dict[str, Any]:
    drawn: dict[str, Any] = orjson.loads(orjson.dumps(feature(outline, DECIMALS)))
    kept = {
        name: drawn["properties"].get(name, "") for name in ("code", "name", "kind")
    }
    return {
        "type": "Feature",
        "id": outline.code,
        "properties": kept | more,
        "geometry": drawn["geometry"],
    }


def case_row(row: dict[str, Any]) -> list[Any]:
    """A case for its marker, in the order in which analyst.js takes it apart."""
    told = row["properties"]
    lon, lat = row["geometry"]["coordinates"]
    resolved = told["status"] in RESOLVED
    filed = datetime.fromisoformat(told["filed_at"])
    places = (told["corregimiento"], told["district"], told["province"])
    return [
        lat,
        lon,
        told["number"],
        told["category_name"],
        str(Status(told["status"]).label),
        "open" if told["open"] else "resolved" if resolved else "other",
        date_format(filed, "DATE_FORMAT"),
        told["entity_name"] or "",
        ", ".join(dict.fromkeys(name for name in places if name)),
    ]
