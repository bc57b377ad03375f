"""The heat's counts: deltas folded into the cells.

A trigger adds a delta to whatever changes the map, in the same transaction. A reader sums
the cells and the deltas in one statement, and so is right whether or not they have been
folded: folding moves counts from one table to the others at one instant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from backend.cases import heat_days
from backend.cases.models.heat import LAYOUT
from backend.jobs import alone_with

FINEST = 14
COARSEST = 4
# Of ten million cases some twenty seconds' work, in one transaction.
BATCH = 5_000

FACETS = """LATERAL (
    VALUES ('', ''), ('e/' || entity, ''), ('c/' || category, entity),
        ('g/' || counted_in, '')
) AS facets (facet, of_entity)"""
ROW = "level, facet, key, place, entity"
DAYS_ROW = "days, facet, entity, district"
TILE_DAYS_ROW = "level, days, tile"
EIGHT_DAYS = "((month << 2) + (quarter >> 5))::smallint"
# A case's number in a tile: see `HeatTileDays`.
TILE_NUMBER = "((quarter & 31) << 10) + (state << 8) + (key & 255)"
SUMS = """sum(open)::integer AS open, sum(resolved)::integer AS resolved,
    sum(cases)::integer AS cases"""
ANYTHING = "sum(open) <> 0 OR sum(resolved) <> 0 OR sum(cases) <> 0"
# Which rows the tiles sum up: those of grids; of all cases also by each place around, of two,
# four or six digits.
IN_TILES = f"level >= {COARSEST}"
FACETS_OF_TILES = """LATERAL (
    SELECT facet
    UNION ALL
    SELECT 'p/' || left(place, digits) FROM unnest('{2, 4, 6}'::integer[]) AS digits
    WHERE facet = '' AND digits <= length(place)
) AS of_tiles (of_tile)"""

# A category that was never counted is counted in its group from now on.
TAKEN = f"""
taken AS (
    DELETE FROM cases_heatdelta WHERE id IN (
        SELECT id FROM cases_heatdelta ORDER BY id LIMIT %(most)s
    ) RETURNING *
),
groups AS MATERIALIZED (
    SELECT category, counted_in FROM cases_heatgroup
    UNION ALL
    SELECT code, group_id FROM cases_category
    WHERE NOT EXISTS (SELECT FROM cases_heatgroup WHERE category = code)
        AND NOT EXISTS (
            SELECT FROM cases_heatcell WHERE level = 0 AND facet = 'c/' || code
        )
),
groups_written AS (
    INSERT INTO cases_heatgroup (category, counted_in) TABLE groups
    ON CONFLICT (category) DO NOTHING
),
news AS MATERIALIZED (
    SELECT level, facet,
        CASE WHEN level < {COARSEST} THEN 0
            ELSE cases_heat_key(level, x >> {FINEST} - level, y >> {FINEST} - level)
        END AS key,
        CASE WHEN level < {COARSEST} THEN left(place, 2 * level) ELSE place END AS place,
        of_entity AS entity, month, {SUMS}
    FROM taken LEFT JOIN groups USING (category),
        generate_series(0, {FINEST}) AS level, {FACETS}
    WHERE facet <> 'e/'
    GROUP BY 1, 2, 3, 4, 5, 6
    HAVING {ANYTHING}
)
"""  # noqa: S608 - our own words
# Row by row, what was folded of it comes apart into months again, the news are added, and
# the sums are run once more over the months that have anything left: none, and the row goes.
# Those that go are found by where they lie, as nobody else writes here: where PostgreSQL
# believes a table to be empty, it would look through them all for each of the table's rows.
CELLS = f"""
touched AS MATERIALIZED (
    SELECT {ROW}, array_agg(month) AS months, array_agg(open) AS open,
        array_agg(resolved) AS resolved, array_agg(cases) AS cases
    FROM news GROUP BY {ROW}
),
rows AS MATERIALIZED (
    SELECT {ROW}, known.ctid AS at, running.*
    FROM touched LEFT JOIN cases_heatcell AS known USING ({ROW}), LATERAL (
        SELECT array_agg(month) AS months, array_agg(open) AS open,
            array_agg(resolved) AS resolved, array_agg(cases) AS cases
        FROM (
            SELECT month, (sum(open) OVER so_far)::integer AS open,
                (sum(resolved) OVER so_far)::integer AS resolved,
                (sum(cases) OVER so_far)::integer AS cases
            FROM (
                SELECT month, {SUMS}
                FROM (
                    SELECT known.months[i] AS month,
                        known.open[i] - coalesce(known.open[i - 1], 0) AS open,
                        known.resolved[i] - coalesce(known.resolved[i - 1], 0) AS resolved,
                        known.cases[i] - coalesce(known.cases[i - 1], 0) AS cases
                    FROM generate_subscripts(known.months, 1) AS i
                    UNION ALL SELECT *
                    FROM unnest(touched.months, touched.open, touched.resolved, touched.cases)
                ) AS told
                GROUP BY month
                HAVING {ANYTHING}
            ) AS summed WINDOW so_far AS (ORDER BY month ROWS UNBOUNDED PRECEDING)
        ) AS running
    ) AS running
),
emptied AS (
    DELETE FROM cases_heatcell
    WHERE ctid = ANY (ARRAY(SELECT at FROM rows WHERE months IS NULL))
),
written AS (
    INSERT INTO cases_heatcell ({ROW}, months, open, resolved, cases)
    SELECT {ROW}, months, open, resolved, cases FROM rows WHERE months IS NOT NULL
    ON CONFLICT ({ROW}) DO UPDATE SET months = excluded.months, open = excluded.open,
        resolved = excluded.resolved, cases = excluded.cases
)
"""  # noqa: S608
# A tile comes apart into cells, likewise.
TILES = f"""
tile_news AS MATERIALIZED (
    SELECT level, of_tile AS facet, key >> 8 AS tile, (key & 255)::smallint AS cell, {SUMS}
    FROM news, {FACETS_OF_TILES} WHERE {IN_TILES}
    GROUP BY 1, 2, 3, 4
    HAVING {ANYTHING}
),
tiles_touched AS MATERIALIZED (
    SELECT level, facet, tile, array_agg(cell) AS cells, array_agg(open) AS open,
        array_agg(resolved) AS resolved, array_agg(cases) AS cases
    FROM tile_news GROUP BY level, facet, tile
),
tiles AS MATERIALIZED (
    SELECT level, facet, tile, known.ctid AS at, sorted.*
    FROM tiles_touched AS touched LEFT JOIN cases_heattile AS known
        USING (level, facet, tile), LATERAL (
        SELECT array_agg(cell) AS cells, array_agg(open) AS open,
            array_agg(resolved) AS resolved, array_agg(cases) AS cases
        FROM (
            SELECT cell, {SUMS}
            FROM (
                SELECT * FROM unnest(known.cells, known.open, known.resolved, known.cases)
                UNION ALL SELECT *
                FROM unnest(touched.cells, touched.open, touched.resolved, touched.cases)
            ) AS told (cell, open, resolved, cases)
            GROUP BY cell
            HAVING sum(cases) <> 0
            ORDER BY cell
        ) AS sorted
    ) AS sorted
),
tiles_emptied AS (
    DELETE FROM cases_heattile
    WHERE ctid = ANY (ARRAY(SELECT at FROM tiles WHERE cells IS NULL))
),
tiles_written AS (
    INSERT INTO cases_heattile (level, facet, tile, cells, open, resolved, cases)
    SELECT level, facet, tile, cells, open, resolved, cases
    FROM tiles WHERE cells IS NOT NULL
    ON CONFLICT (level, facet, tile) DO UPDATE SET cells = excluded.cells,
        open = excluded.open, resolved = excluded.resolved, cases = excluded.cases
)
"""  # noqa: S608
# Of the cases of eight days there are so many more of each number, or fewer. The rows that
# these belong to are written by `heat_days`.
DAYS = f"""
states AS MATERIALIZED (
    SELECT {EIGHT_DAYS} AS days, category, entity, x, y, place, quarter, state,
        sum(told.cases) AS cases
    FROM taken, LATERAL (
        VALUES (0, cases - open - resolved), (1, open), (2, resolved)
    ) AS told (state, cases)
    GROUP BY month, quarter, category, entity, x, y, place, state
    HAVING sum(told.cases) <> 0
),
days_news AS (
    SELECT days, facet, of_entity AS entity, left(place, 4) AS district,
        cases_heat_number(quarter, x, y, state, place) AS number, sum(cases) AS cases
    FROM states LEFT JOIN groups USING (category), {FACETS}
    WHERE facet <> 'e/'
    GROUP BY 1, 2, 3, 4, 5
    HAVING sum(cases) <> 0
),
days_touched AS (
    SELECT {DAYS_ROW}, array_agg(number) AS numbers, array_agg(cases) AS counts
    FROM days_news GROUP BY {DAYS_ROW}
),
tile_days_news AS (
    SELECT level, days, key >> 8 AS tile, {TILE_NUMBER} AS number, sum(cases) AS cases
    FROM states, generate_series({COARSEST}, {FINEST}) AS level,
        cases_heat_key(level, x >> {FINEST} - level, y >> {FINEST} - level) AS key
    GROUP BY 1, 2, 3, 4
    HAVING sum(cases) <> 0
),
tile_days_touched AS (
    SELECT {TILE_DAYS_ROW}, array_agg(number) AS numbers, array_agg(cases) AS counts
    FROM tile_days_news GROUP BY {TILE_DAYS_ROW}
)
"""  # noqa: S608
NOTED = f"""
noted AS (
    INSERT INTO cases_heatstate (id, epoch, folded, layout)
    SELECT 1, 0, count(*), {LAYOUT} FROM taken
    ON CONFLICT (id) DO UPDATE
    SET folded = cases_heatstate.folded + excluded.folded
)
"""  # noqa: S608
# How many were taken, and what comes to which rows of eight days: see `heat_days`.
FOLD = f"""
WITH {TAKEN}, {CELLS}, {TILES}, {DAYS}, {NOTED}
SELECT (SELECT count(*) FROM taken), rows.*
FROM (VALUES (1)) AS once LEFT JOIN (
    SELECT NULL AS level, {DAYS_ROW}, NULL AS tile, numbers, counts, known.cases
    FROM days_touched LEFT JOIN cases_heatdays AS known USING ({DAYS_ROW})
    UNION ALL
    SELECT level, days, NULL, NULL, NULL, tile, numbers, counts, known.cases
    FROM tile_days_touched LEFT JOIN cases_heattiledays AS known USING ({TILE_DAYS_ROW})
) AS rows ON true
"""  # noqa: S608


def fold() -> int:
    """Fold in the deltas that wait, a batch after another; how many there were.

    Raises TryLater while somebody else folds or rebuilds.
    """
    folded = 0
    with alone_with("heat"):
        while batch := fold_batch(BATCH):
            folded += batch
    return folded


def fold_batch(most: int) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(FOLD, {"most": most})
        found = cursor.fetchall()
        heat_days.write(touched_by(found))
    return int(found[0][0])


def touched_by(found: Iterable[tuple[Any, ...]]) -> Iterator[heat_days.Touched]:
    """The rows that `FOLD` tells of; none, if it tells of none."""
    names = ("level", *DAYS_ROW.split(", "), "tile")
    for _, *values, numbers, counts, known in found:
        key = dict(zip(names, values, strict=True))
        if numbers:
            its_own = {name: of for name, of in key.items() if of is not None}
            yield heat_days.Touched(its_own, numbers, counts, known)


@contextmanager
def uncounted() -> Iterator[None]:
    """A transaction in which nothing that happens to cases reaches the heat.

    For filing millions at once. The heat is wrong until `rebuild` has run.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL movil311.heat = 'off'")
        yield
        cursor.execute("SET LOCAL movil311.heat = 'on'")
