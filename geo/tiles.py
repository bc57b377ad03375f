"""Mapbox vector tiles of the map, made by PostGIS: the heat, the cases and the places."""

from __future__ import annotations

from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import func

from backend.cases.workflow import OPEN
from geo import sql
from geo.any_view import ANY_VIEW, MOST_KEPT, numbers_of, wherever
from geo.cells import EQUATOR_METRES, View
from geo.columns import placed
from geo.counts import by_state, columns_of_key, counted, in_state
from geo.filters import Filters, envelope, on_the_map
from geo.tables import (
    boundary,
    case,
    corregimiento,
    district,
    generation,
    province,
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
    asked = drawn_heat(wherever(filters), cell_side(view))
    return tile_in(sql.rows(asked, **numbers_of(view)))


@lru_cache(MOST_KEPT)
def drawn_heat(filters: Filters, side: float) -> sql.Compiled:
    cells = cells_of(filters, side).subquery("heat")
    return sql.compiled(tile_of(cells, "heat"))


def cases_tile(filters: Filters, zoom: int, x: int, y: int) -> bytes:
    """The cases, each a point; or of too many, how many there are in each cell.

    A point has `number`, `category`, `status` and `open`, a cell only its `count`.
    """
    view = View.of_tile(zoom, x, y)
    filters, numbers = wherever(filters), numbers_of(view)
    ((tile, found),) = sql.rows(drawn_clusters(filters, cell_side(view)), **numbers)
    if found is None or found > MOST_POINTS:
        return bytes(tile or b"")
    here = {"zoom": zoom, "x": x, "y": y}
    return tile_in(sql.rows(drawn_points(filters), **numbers, **here))


@lru_cache(MOST_KEPT)
def drawn_clusters(filters: Filters, side: float) -> sql.Compiled:
    """The tile, and of how many cases it is."""
    cells = cells_of(filters, side).subquery("cells")
    clusters = sa.select(cells.c.geom, cells.c.weight.label("count")).subquery("cases")
    total = func.sum(clusters.c.count)
    return sql.compiled(tile_of(clusters, "cases").add_columns(total))


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
    """The boundaries' generation, for a validator; 0 without one."""
    found = sql.rows(active())
    return int(found[0][0]) if found else 0


@cache
def active() -> sql.Compiled:
    return sql.compiled(sa.select(generation.c.id).where(generation.c.is_active))


def cells_of(filters: Filters, side: float) -> sa.Select[Any]:
    """Each cell of a tile that has cases in the state asked for, as a point of it."""
    found = counted(filters, ANY_VIEW)
    weight = func.sum(in_state(found, filters.state))
    column, row = columns_of_key(found.c.key, ANY_VIEW)
    return (
        sa.select(
            func.ST_MakePoint(
                (column - ANY_VIEW.left + 0.5) * side,
                (row - ANY_VIEW.top + 0.5) * side,
            ).label("geom"),
            *(total.label(name) for name, total in by_state(found).items()),
            weight.label("weight"),
        )
        .group_by(found.c.key)
        .having(weight > 0)
        .order_by(found.c.key)
    )


def cell_side(view: View) -> float:
    """In a tile's own units."""
    return EXTENT / (view.right - view.left + 1)


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
