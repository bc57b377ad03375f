"""The heat's counts: deltas folded into the cells.

A trigger adds a delta to whatever changes the map, in the same transaction. A reader sums
the cells and the deltas in one statement, and so is right whether or not they have been
folded: folding moves counts from one table to the others at one instant.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from backend.jobs import alone_with

FINEST = 14
COARSEST = 4
# Of ten million cases some twelve seconds' work, in one transaction.
BATCH = 5_000

FACETS = """LATERAL (
    VALUES ('', '', month), ('e/' || entity, '', month), ('c/' || category, entity, month),
        ('q/' || month, '', quarter)
) AS facets (facet, of_entity, moment)"""
ROW = "level, facet, key, place, entity"
ANYTHING = "sum(open) <> 0 OR sum(resolved) <> 0 OR sum(cases) <> 0"
# Which rows the tiles sum up: of grids, and not those of a month by quarters. Those of all
# cases also by each place around, of two, four or six digits.
IN_TILES = f"level >= {COARSEST} AND left(facet, 2) <> 'q/'"
FACETS_OF_TILES = """LATERAL (
    SELECT facet
    UNION ALL
    SELECT 'p/' || left(place, digits) FROM unnest('{2, 4, 6}'::integer[]) AS digits
    WHERE facet = '' AND digits <= length(place)
) AS of_tiles (of_tile)"""

TAKEN = f"""
taken AS (
    DELETE FROM cases_heatdelta WHERE id IN (
        SELECT id FROM cases_heatdelta ORDER BY id LIMIT %(most)s
    ) RETURNING *
),
news AS MATERIALIZED (
    SELECT level, facet,
        CASE WHEN level < {COARSEST} THEN 0
            ELSE cases_heat_key(level, x >> {FINEST} - level, y >> {FINEST} - level)
        END AS key,
        CASE WHEN level < {COARSEST} THEN left(place, 2 * level) ELSE place END AS place,
        of_entity AS entity, moment AS month,
        sum(open) AS open, sum(resolved) AS resolved, sum(cases) AS cases
    FROM taken, generate_series(0, {FINEST}) AS level, {FACETS}
    WHERE facet <> 'e/'
    GROUP BY 1, 2, 3, 4, 5, 6
    HAVING {ANYTHING}
)
"""  # noqa: S608 - our own words
# What was folded of a row comes apart into months again, the deltas are added, and the
# sums are run once more over the months that have anything left.
CELLS = f"""
touched AS MATERIALIZED (SELECT DISTINCT {ROW} FROM news),
known AS (
    SELECT {ROW}, months[i] AS month,
        open[i] - coalesce(open[i - 1], 0) AS open,
        resolved[i] - coalesce(resolved[i - 1], 0) AS resolved,
        cases[i] - coalesce(cases[i - 1], 0) AS cases
    FROM touched JOIN cases_heatcell USING ({ROW}), generate_subscripts(months, 1) AS i
),
summed AS (
    SELECT {ROW}, month,
        sum(open) AS open, sum(resolved) AS resolved, sum(cases) AS cases
    FROM (TABLE news UNION ALL TABLE known) AS told
    GROUP BY {ROW}, month
    HAVING {ANYTHING}
),
running AS (
    SELECT {ROW}, month, sum(open) OVER so_far AS open,
        sum(resolved) OVER so_far AS resolved, sum(cases) OVER so_far AS cases
    FROM summed WINDOW so_far AS (PARTITION BY {ROW} ORDER BY month)
),
rows AS MATERIALIZED (
    SELECT {ROW}, array_agg(month ORDER BY month) AS months,
        array_agg(open ORDER BY month) AS open,
        array_agg(resolved ORDER BY month) AS resolved,
        array_agg(cases ORDER BY month) AS cases
    FROM running GROUP BY {ROW}
),
emptied AS (
    DELETE FROM cases_heatcell USING (
        SELECT {ROW} FROM touched EXCEPT SELECT {ROW} FROM rows
    ) AS gone
    WHERE (cases_heatcell.level, cases_heatcell.facet, cases_heatcell.key,
        cases_heatcell.place, cases_heatcell.entity
    ) = (gone.level, gone.facet, gone.key, gone.place, gone.entity)
),
written AS (
    INSERT INTO cases_heatcell ({ROW}, months, open, resolved, cases)
    TABLE rows
    ON CONFLICT ({ROW}) DO UPDATE SET months = excluded.months, open = excluded.open,
        resolved = excluded.resolved, cases = excluded.cases
)
"""  # noqa: S608
# A tile comes apart into cells, likewise.
TILES = f"""
tile_news AS MATERIALIZED (
    SELECT level, of_tile AS facet, key >> 8 AS tile, (key & 255)::smallint AS cell,
        sum(open) AS open, sum(resolved) AS resolved, sum(cases) AS cases
    FROM news, {FACETS_OF_TILES} WHERE {IN_TILES}
    GROUP BY 1, 2, 3, 4
    HAVING {ANYTHING}
),
tiles_touched AS MATERIALIZED (SELECT DISTINCT level, facet, tile FROM tile_news),
tiles_known AS (
    SELECT level, facet, tile, told.*
    FROM tiles_touched JOIN cases_heattile USING (level, facet, tile),
        unnest(cells, open, resolved, cases) AS told (cell, open, resolved, cases)
),
tiles_summed AS (
    SELECT level, facet, tile, cell,
        sum(open) AS open, sum(resolved) AS resolved, sum(cases) AS cases
    FROM (TABLE tile_news UNION ALL TABLE tiles_known) AS told
    GROUP BY level, facet, tile, cell
    HAVING sum(cases) <> 0
),
tiles AS MATERIALIZED (
    SELECT level, facet, tile, array_agg(cell ORDER BY cell) AS cells,
        array_agg(open ORDER BY cell) AS open,
        array_agg(resolved ORDER BY cell) AS resolved,
        array_agg(cases ORDER BY cell) AS cases
    FROM tiles_summed GROUP BY level, facet, tile
),
tiles_emptied AS (
    DELETE FROM cases_heattile USING (
        TABLE tiles_touched EXCEPT SELECT level, facet, tile FROM tiles
    ) AS gone
    WHERE (cases_heattile.level, cases_heattile.facet, cases_heattile.tile)
        = (gone.level, gone.facet, gone.tile)
),
tiles_written AS (
    INSERT INTO cases_heattile (level, facet, tile, cells, open, resolved, cases)
    TABLE tiles
    ON CONFLICT (level, facet, tile) DO UPDATE SET cells = excluded.cells,
        open = excluded.open, resolved = excluded.resolved, cases = excluded.cases
)
"""  # noqa: S608
# The cases of a month come apart one by one.
MONTH = "month, facet, entity, district"
FACETS_OF_MONTHS = """LATERAL (
    VALUES ('e/' || entity, ''), ('c/' || category, entity)
) AS facets (facet, of_entity)"""
# Of some numbers, the rectangle that holds their cells, and they all: none, if there are none.
SUMMED = """
    min(number >> 34 & 262143), min(number >> 16 & 262143),
    max(number >> 34 & 262143), max(number >> 16 & 262143), array_agg(number ORDER BY number)
"""
INTO_MONTHS = f"cases_heatmonth ({MONTH}, west, north, east, south, cases)"
MONTHS = f"""
number_news AS MATERIALIZED (
    SELECT month, facet, of_entity AS entity, left(place, 4) AS district,
        cases_heat_number(quarter, x, y, state, place) AS number, sum(told.cases) AS cases
    FROM taken, {FACETS_OF_MONTHS}, LATERAL (
        VALUES (0, cases - open - resolved), (1, open), (2, resolved)
    ) AS told (state, cases)
    WHERE told.cases <> 0 AND facet <> 'e/'
    GROUP BY 1, 2, 3, 4, 5
    HAVING sum(told.cases) <> 0
),
months_touched AS MATERIALIZED (
    SELECT {MONTH}, array_agg(number) AS numbers, array_agg(cases) AS counts
    FROM number_news GROUP BY {MONTH}
),
months AS MATERIALIZED (
    SELECT {MONTH}, summed.*
    FROM months_touched LEFT JOIN cases_heatmonth USING ({MONTH}), LATERAL (
        SELECT {SUMMED} FROM (
            SELECT number, sum(told.cases) AS cases
            FROM (
                SELECT number, 1 AS cases FROM unnest(cases_heatmonth.cases) AS number
                UNION ALL SELECT * FROM unnest(numbers, counts)
            ) AS told
            GROUP BY number
            HAVING sum(told.cases) <> 0
        ) AS told, generate_series(1, told.cases)
    ) AS summed (west, north, east, south, cases)
),
months_emptied AS (
    DELETE FROM cases_heatmonth USING months
    WHERE (cases_heatmonth.month, cases_heatmonth.facet, cases_heatmonth.entity,
        cases_heatmonth.district
    ) = (months.month, months.facet, months.entity, months.district)
        AND months.cases IS NULL
),
months_written AS (
    INSERT INTO {INTO_MONTHS} SELECT * FROM months WHERE cases IS NOT NULL
    ON CONFLICT ({MONTH}) DO UPDATE SET cases = excluded.cases, west = excluded.west,
        north = excluded.north, east = excluded.east, south = excluded.south
)
"""  # noqa: S608
NOTED = """
noted AS (
    INSERT INTO cases_heatstate (id, epoch, folded) SELECT 1, 0, count(*) FROM taken
    ON CONFLICT (id) DO UPDATE
    SET folded = cases_heatstate.folded + excluded.folded
)
"""
FOLD = f"WITH {TAKEN}, {CELLS}, {TILES}, {MONTHS}, {NOTED} SELECT count(*) FROM taken"  # noqa: S608


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
        ((count,),) = cursor.fetchall()
    return int(count)


@contextmanager
def uncounted() -> Iterator[None]:
    """A transaction in which nothing that happens to cases reaches the heat.

    For filing millions at once. The heat is wrong until `rebuild` has run.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL movil311.heat = 'off'")
        yield
        cursor.execute("SET LOCAL movil311.heat = 'on'")
