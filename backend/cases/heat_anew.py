"""The heat counted anew from the cases: quicker than folding, where there are millions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.db import connection, transaction

from backend.cases.heat import (
    COARSEST,
    DAYS_ROW,
    EIGHT_DAYS,
    FACETS,
    FACETS_OF_TILES,
    FINEST,
    IN_TILES,
    TILE_DAYS_ROW,
    TILE_NUMBER,
)
from backend.cases.models.heat import LAYOUT
from backend.cases.workflow import OPEN, RESOLVED, Status
from backend.jobs import alone_with

# Levels 0 to 3 have no grid: the country, and its places by 2, 4 and 6 digits.
PLACES = range(4)

Progress = Callable[[list[Any]], Iterable[Any]]

NEW_TABLES = """
CREATE TABLE cases_heatcell_next (LIKE cases_heatcell INCLUDING CONSTRAINTS);
CREATE TEMPORARY TABLE heat_told (
    x integer, y integer, place text, category text, counted_in text, entity text,
    month smallint,
    quarter smallint, open integer, resolved integer, cases integer
) ON COMMIT DROP
"""
# One statement, one snapshot: a change is in the cases that it counts and its delta in
# those that it takes away, or neither is, and the delta waits to be folded.
FROM_THE_CASES = """
WITH counted_below AS (DELETE FROM cases_heatdelta)
INSERT INTO heat_told
SELECT cases_heat_x(public_location), cases_heat_y(public_location),
    coalesce(corregimiento_id, district_id), category_id, group_id, coalesce(entity_id, ''),
    cases_heat_month(filed_at), cases_heat_quarter(filed_at),
    (status = ANY (%(open)s))::integer, (status = ANY (%(resolved)s))::integer, 1
FROM cases_case JOIN cases_category ON code = category_id
WHERE is_public AND public_location IS NOT NULL
"""
# All that were counted as they were then, and those of which there was none as they are now.
WRITE_GROUPS = """
DELETE FROM cases_heatgroup;
INSERT INTO cases_heatgroup (category, counted_in)
SELECT code, coalesce(told.counted_in, group_id)
FROM cases_category LEFT JOIN (
    SELECT category, counted_in FROM heat_told GROUP BY category, counted_in
) AS told ON category = code
"""
# Sorted before they are put together, which is quicker than for each row by itself.
WRITE_DAYS = f"""
DELETE FROM cases_heatdays;
INSERT INTO cases_heatdays ({DAYS_ROW}, west, north, east, south, cases)
SELECT {DAYS_ROW},
    min(number >> 34 & 262143), min(number >> 16 & 262143),
    max(number >> 34 & 262143), max(number >> 16 & 262143),
    string_agg(int8send(number), '')
FROM (
    SELECT {EIGHT_DAYS} AS days, facet, of_entity AS entity, left(place, 4) AS district,
        cases_heat_number(quarter, x, y, open + 2 * resolved, place) AS number
    FROM heat_told, {FACETS}
    WHERE facet <> 'e/'
    ORDER BY 1, 2, 3, 4, 5
) AS numbers
GROUP BY {DAYS_ROW};
DELETE FROM cases_heattiledays
"""  # noqa: S608
WRITE_TILE_DAYS = f"""
INSERT INTO cases_heattiledays ({TILE_DAYS_ROW}, cases)
SELECT {{level}}, days, tile, string_agg(int2send(number), '')
FROM (
    SELECT {EIGHT_DAYS} AS days, key >> 8 AS tile, ({TILE_NUMBER})::smallint AS number
    FROM heat_told, LATERAL (VALUES (open + 2 * resolved)) AS told (state),
        cases_heat_key({{level}}, x >> {FINEST} - {{level}}, y >> {FINEST} - {{level}})
            AS key
    ORDER BY 1, 2, 3
) AS numbers
GROUP BY days, tile
"""  # noqa: S608
# Numbers instead of the words, in the words' order, for what is sorted time and again.
NUMBERS = """
ANALYZE heat_told;
CREATE TEMPORARY TABLE heat_kinds ON COMMIT DROP AS
SELECT place, category, entity FROM heat_told GROUP BY 1, 2, 3;
CREATE TEMPORARY TABLE heat_what ON COMMIT DROP AS
SELECT facet, row_number() OVER (ORDER BY facet)::integer AS what FROM (
    SELECT '' AS facet
    UNION SELECT 'e/' || entity FROM heat_kinds
    UNION SELECT 'c/' || category FROM heat_kinds
    UNION SELECT 'g/' || counted_in FROM cases_heatgroup
) AS facets;
CREATE TEMPORARY TABLE heat_whose ON COMMIT DROP AS
SELECT place, entity, row_number() OVER (ORDER BY place, entity)::integer AS whose
FROM (
    SELECT place, entity FROM heat_kinds UNION SELECT place, '' FROM heat_kinds
) AS owners;
ANALYZE heat_what;
ANALYZE heat_whose
"""
# The counts of the finest level: of all, by entity, by category and by group.
# Sorted and not hashed, whatever the planner thinks, which takes them for fewer than they
# are; in their order they are also written.
FINEST_FACTS = """
SET LOCAL enable_hashagg = off;
CREATE TEMPORARY TABLE heat_facts ON COMMIT DROP AS
SELECT what, key, whose, month, sum(open)::integer AS open,
    sum(resolved)::integer AS resolved, sum(cases)::integer AS cases
FROM (
    SELECT what, whose, cases_heat_key({level}, x, y) AS key, month, open, resolved, cases
    FROM heat_told
        JOIN heat_what ON facet = 'c/' || category
        JOIN heat_whose USING (place, entity)
    UNION ALL
    SELECT what, whose, cases_heat_key({level}, x, y), month, open, resolved, cases
    FROM heat_told AS told
        JOIN heat_what ON facet = 'g/' || counted_in
        JOIN heat_whose AS owner ON owner.place = told.place AND owner.entity = ''
    UNION ALL
    SELECT what, whose, cases_heat_key({level}, x, y), month, open, resolved, cases
    FROM heat_told AS told
        JOIN heat_what ON facet = 'e/' || told.entity
        JOIN heat_whose AS owner ON owner.place = told.place AND owner.entity = ''
    WHERE told.entity <> ''
    UNION ALL
    SELECT (SELECT what FROM heat_what WHERE facet = ''), whose,
        cases_heat_key({level}, x, y), month, open, resolved, cases
    FROM heat_told AS told
        JOIN heat_whose AS owner ON owner.place = told.place AND owner.entity = ''
) AS told
GROUP BY what, key, whose, month ORDER BY what, key, whose, month;
DROP TABLE heat_told;
ANALYZE heat_facts
"""
# The counts of a level, from those of the finer one: of a key's tile, its row and its
# column, and of the cell within, alike, a bit less of each.
COARSER = """
CREATE TEMPORARY TABLE heat_coarser ON COMMIT DROP AS
SELECT what, key, whose, month, sum(open)::integer AS open,
    sum(resolved)::integer AS resolved, sum(cases)::integer AS cases
FROM (
    SELECT what, whose, month, open, resolved, cases, cases_heat_key({level},
        ((key >> 8 & (1 << {finer}) - 1) << 4 | (key & 15)) >> 1,
        ((key >> {finer} + 8) << 4 | (key >> 4 & 15)) >> 1
    ) AS key
    FROM heat_facts
) AS finer
GROUP BY what, key, whose, month ORDER BY what, key, whose, month;
DROP TABLE heat_facts;
ALTER TABLE heat_coarser RENAME TO heat_facts;
ANALYZE heat_facts
"""
# The window's rows reach the arrays in its own order: by month.
WRITE_LEVEL = """
INSERT INTO cases_heatcell_next
SELECT {level}, facet, key, place, entity, months, open, resolved, cases
FROM (
    SELECT what, key, whose, array_agg(month) AS months, array_agg(open) AS open,
        array_agg(resolved) AS resolved, array_agg(cases) AS cases
    FROM (
        SELECT what, key, whose, month, (sum(open) OVER so_far)::integer AS open,
            (sum(resolved) OVER so_far)::integer AS resolved,
            (sum(cases) OVER so_far)::integer AS cases
        FROM heat_facts
        WINDOW so_far AS (
            PARTITION BY what, key, whose ORDER BY month ROWS UNBOUNDED PRECEDING
        )
    ) AS running
    GROUP BY what, key, whose
) AS counted JOIN heat_what USING (what) JOIN heat_whose USING (whose)
"""
# From the coarsest grid, which is little by then.
WRITE_PLACES = """
SET LOCAL enable_hashagg = on;
INSERT INTO cases_heatcell_next
SELECT {level}, facet, 0, place, entity, array_agg(month),
    array_agg(open), array_agg(resolved), array_agg(cases)
FROM (
    SELECT facet, left(place, 2 * {level}) AS place, entity, month,
        (sum(sum(open)::integer) OVER so_far)::integer AS open,
        (sum(sum(resolved)::integer) OVER so_far)::integer AS resolved,
        (sum(sum(cases)::integer) OVER so_far)::integer AS cases
    FROM heat_facts
        JOIN heat_what USING (what) JOIN heat_whose USING (whose)
    GROUP BY 1, 2, 3, 4
    WINDOW so_far AS (PARTITION BY facet, left(place, 2 * {level}), entity ORDER BY month)
) AS running
GROUP BY facet, place, entity
"""
# What the cells say in the end, over all months; places and entities summed.
WRITE_TILES = f"""
DELETE FROM cases_heattile;
INSERT INTO cases_heattile (level, facet, tile, cells, open, resolved, cases)
SELECT level, facet, key >> 8, array_agg((key & 255)::smallint ORDER BY key),
    array_agg(open ORDER BY key), array_agg(resolved ORDER BY key),
    array_agg(cases ORDER BY key)
FROM (
    SELECT level, of_tile AS facet, key, sum(open[size])::integer AS open,
        sum(resolved[size])::integer AS resolved, sum(cases[size])::integer AS cases
    FROM cases_heatcell_next, cardinality(months) AS size, {FACETS_OF_TILES}
    WHERE {IN_TILES}
    GROUP BY level, of_tile, key
) AS cells
GROUP BY level, facet, key >> 8
"""  # noqa: S608 - our own words
SWAP = f"""
DROP TABLE heat_facts, heat_kinds, heat_what, heat_whose;
ALTER TABLE cases_heatcell_next
    ADD CONSTRAINT cases_heatcell_next_pkey PRIMARY KEY (level, facet, key, place, entity);
ANALYZE cases_heatcell_next, cases_heattile, cases_heatdays, cases_heattiledays;
DROP TABLE cases_heatcell;
ALTER TABLE cases_heatcell_next RENAME TO cases_heatcell;
ALTER TABLE cases_heatcell RENAME CONSTRAINT cases_heatcell_next_pkey
    TO cases_heatcell_pkey;
INSERT INTO cases_heatstate (id, epoch, folded, layout) VALUES (1, 1, 0, {LAYOUT})
ON CONFLICT (id) DO UPDATE SET epoch = cases_heatstate.epoch + 1, folded = 0
"""  # noqa: S608


def rebuild(progress: Progress = iter) -> None:
    """Count everything anew, while cases go on arriving and the map is looked at.

    Readers see the old counts until the new ones take their place. Raises TryLater while
    somebody else folds or rebuilds.
    """
    with alone_with("heat"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute("SET LOCAL work_mem = '256MB'")
        cursor.execute("SET LOCAL jit = off")
        cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
        cursor.execute(NEW_TABLES)
        statuses = {"open": sorted(OPEN), "resolved": sorted(RESOLVED)}
        for statement, parameters in progress(list(steps(statuses))):
            cursor.execute(statement, parameters)


def steps(statuses: dict[str, list[Status]]) -> Iterator[tuple[str, Any]]:
    """The statements of a rebuilding, from the finest level up to the country."""
    yield FROM_THE_CASES, statuses
    yield WRITE_GROUPS, None
    yield WRITE_DAYS, None
    for level in range(FINEST, COARSEST - 1, -1):
        yield WRITE_TILE_DAYS.format(level=level), None
    yield NUMBERS, None
    yield FINEST_FACTS.format(level=FINEST), None
    yield WRITE_LEVEL.format(level=FINEST), None
    for level in range(FINEST - 1, COARSEST - 1, -1):
        yield COARSER.format(level=level, finer=level + 1), None
        yield WRITE_LEVEL.format(level=level), None
    for level in PLACES:
        yield WRITE_PLACES.format(level=level), None
    yield WRITE_TILES, None
    yield SWAP, None
