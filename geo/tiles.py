"""Mapbox vector tiles of the map, made by PostGIS: the heat, the cases and the places."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import func

from backend.cases.workflow import OPEN
from geo import sql
from geo.any_view import ANY_VIEW, DEGREES, KEYS, MOST_KEPT, numbers_of, wherever
from geo.cells import EQUATOR_METRES, View, of_keys
from geo.columns import placed
from geo.filters import Filters, envelope, on_the_map
from geo.one_by_one import STATES, Numbers
from geo.sums import sums_in
from geo.tables import (
    boundary,
    case,
    corregimiento,
    district,
    generation,
    province,
    rules_version,
)

ZOOMS = range(19)
EXTENT = 4096
# So many points at most; where there are more, as many clusters as there are cells.
MOST_POINTS = 1_000
# From which zoom on a tile has the outlines of the level.
OUTLINES = [
    (11, "corregimiento", corregimiento),
    (8, "district", district),
    (0, "province", province),
]
# Lines that go on beyond the tile's edge, in its units, so that none is drawn there.
BUFFER = 64


def heat_tile(filters: Filters, zoom: int, x: int, y: int) -> bytes:
    """A point in the middle of each cell: `open`, `resolved`, `other` and `weight`."""
    view = View.of_tile(zoom, x, y)
    keys, (weight, is_open, is_resolved, cases) = sums_in(
        filters, view, filters.state, *STATES, "all"
    )
    other = cases - is_open - is_resolved
    counts = {"open": is_open, "resolved": is_resolved, "other": other}
    return drawn("heat", view, keys, {**counts, "weight": weight})


def cases_tile(filters: Filters, zoom: int, x: int, y: int) -> bytes:
    """The cases, each a point; or of too many, how many there are in each cell.

    A point has `number`, `category`, `status` and `open`, a cell only its `count`.
    """
    view = View.of_tile(zoom, x, y)
    keys, (count,) = sums_in(filters, view, filters.state)
    if not len(keys):
        return b""
    if count.sum() > MOST_POINTS:
        return drawn("cases", view, keys, {"count": count})
    here = {"zoom": zoom, "x": x, "y": y}
    return tile_in(
        sql.rows(drawn_points(wherever(filters)), **numbers_of(view), **here)
    )


def drawn(layer: str, view: View, keys: Numbers, counts: dict[str, Numbers]) -> bytes:
    """A tile of cells, each a point in its middle with its counts."""
    side = EXTENT / (view.right - view.left + 1)
    column, row = of_keys(keys, view.level)
    x, y = (column - view.left + 0.5) * side, (row - view.top + 0.5) * side
    numbers = {"x": x, "y": y, **counts}
    lists = {name: several.tolist() for name, several in numbers.items()}
    return tile_in(sql.rows(cells_on(layer, tuple(counts)), **lists))


@cache
def cells_on(layer: str, counts: tuple[str, ...]) -> sql.Compiled:
    """A tile of the cells whose places and counts are its parameters."""
    places = [sql.given(name, DEGREES) for name in ("x", "y")]
    given = [sql.given(name, KEYS) for name in counts]
    cells = func.unnest(*places, *given).table_valued("x", "y", *counts)
    cells = cells.render_derived(name="cells")
    point = func.ST_MakePoint(cells.c.x, cells.c.y).label("geom")
    features = sa.select(point, *[cells.c[name] for name in counts]).subquery(layer)
    return sql.compiled(tile_of(features, layer))


@lru_cache(MOST_KEPT)
def drawn_points(filters: Filters) -> sql.Compiled:
    """The tile at the parameters `zoom`, `x` and `y`."""
    return sql.compiled(tile_of(points_of(filters), "cases"))


def places_tile(zoom: int, x: int, y: int) -> bytes:
    """Outlines of the boundaries in force: `code`, `name` and `level`."""
    level, names = next(
        (name, table) for least, name, table in OUTLINES if zoom >= least
    )
    half_a_pixel = EQUATOR_METRES / 256 / (1 << zoom) / 2
    outline = func.ST_SimplifyPreserveTopology(
        func.ST_Transform(boundary.c.outline, 3857), half_a_pixel
    )
    shapes = (
        sa.select(
            on_tile(outline, zoom, x, y, BUFFER).label("geom"),
            boundary.c.code,
            names.c.name,
            sa.literal(level).label("level"),
        )
        .join(generation, generation.c.id == boundary.c.generation_id)
        .join(names, names.c.code == boundary.c.code)
        .where(
            generation.c.is_active,
            boundary.c.level == level,
            boundary.c.outline.op("&&")(envelope(View.of_tile(zoom, x, y).box())),
        )
        .order_by(boundary.c.code)
        .subquery("places")
    )
    return tile_in(sql.rows(tile_of(shapes, "places")))


def generation_in_force() -> int:
    """The boundaries' generation; 0 without one."""
    ((found, _rules),) = sql.rows(in_force())
    return int(found or 0)


def version_of_places() -> str:
    """Another one whenever the outlines, names or figures of the places have changed."""
    ((found, rules),) = sql.rows(in_force())
    return f"g{found or 0}-{rules or 0}"


@cache
def in_force() -> sql.Compiled:
    active = sa.select(generation.c.id).where(generation.c.is_active)
    rules = sa.select(rules_version.c.version)
    return sql.compiled(sa.select(active.scalar_subquery(), rules.scalar_subquery()))


def points_of(filters: Filters) -> sa.Subquery:
    point = case.c.public_location
    _key, conditions = placed(
        ANY_VIEW, func.cases_heat_x(point), func.cases_heat_y(point)
    )
    zoom, x, y = (sql.given(name, sa.Integer()) for name in ("zoom", "x", "y"))
    return (
        sa.select(
            on_tile(func.ST_Transform(point, 3857), zoom, x, y, 0).label("geom"),
            case.c.number,
            case.c.category_id.label("category"),
            case.c.status,
            case.c.status.in_(sorted(OPEN)).label("open"),
        )
        .where(*on_the_map(replace(filters, box=ANY_VIEW.box())), *conditions)
        .order_by(case.c.id.desc())
        .limit(MOST_POINTS)
        .subquery("cases")
    )


def on_tile(shape: Any, zoom: Any, x: Any, y: Any, buffer: int) -> Any:
    return func.ST_AsMVTGeom(
        shape, func.ST_TileEnvelope(zoom, x, y), EXTENT, buffer, True
    )


def tile_of(features: sa.Subquery, layer: str) -> sa.Select[Any]:
    row: sa.ColumnClause[Any] = sa.literal_column(
        layer
    )  # the subquery by its name: a row of it
    return sa.select(func.ST_AsMVT(row, layer, EXTENT, "geom")).select_from(features)


def tile_in(rows: list[tuple[Any, ...]]) -> bytes:
    ((tile,),) = rows
    return bytes(tile or b"")
