"""The heat's counts: deltas folded into the cells, and all of it rebuilt from the cases.

A trigger adds a delta to whatever changes the map, in the same transaction. A reader sums
the cells and the deltas in one statement, and so is right whether or not they have been
folded: folding moves counts from one table to the other at one instant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from backend.cases.workflow import OPEN, RESOLVED, Status
from backend.jobs import alone_with

FINEST = 14
COARSEST = 4
# Levels 0 to 3 have no grid: the country, and its places by 2, 4 and 6 digits.
PLACES = range(4)
# Some two seconds' work, in one transaction.
BATCH = 5_000

Progress = Callable[[list[Any]], Iterable[Any]]

FACETS = """LATERAL (
    VALUES ('', '', month), ('e/' || entity, '', month), ('c/' || category, entity, month),
        ('d/' || month, '', day)
) AS facets (facet, of_entity, moment)"""
ROW = "level, facet, key, place, entity"
ANYTHING = "sum(open) <> 0 OR sum(resolved) <> 0 OR sum(other) <> 0"

# ── Folding ──────────────────────────────────────────────────────────────────────────

# What was folded of a row comes apart into months again, the deltas are added, and the
# sums are run once more over the months that have anything left.
FOLD = f"""
WITH taken AS (
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
        sum(open) AS open, sum(resolved) AS resolved, sum(other) AS other
    FROM taken, generate_series(0, {FINEST}) AS level, {FACETS}
    WHERE facet <> 'e/'
    GROUP BY 1, 2, 3, 4, 5, 6
    HAVING {ANYTHING}
),
touched AS MATERIALIZED (SELECT DISTINCT {ROW} FROM news),
known AS (
    SELECT {ROW}, months[i] AS month,
        open[i] - coalesce(open[i - 1], 0) AS open,
        resolved[i] - coalesce(resolved[i - 1], 0) AS resolved,
        other[i] - coalesce(other[i - 1], 0) AS other
    FROM touched JOIN cases_heatcell USING ({ROW}), generate_subscripts(months, 1) AS i
),
summed AS (
    SELECT {ROW}, month,
        sum(open) AS open, sum(resolved) AS resolved, sum(other) AS other
    FROM (TABLE news UNION ALL TABLE known) AS told
    GROUP BY {ROW}, month
    HAVING {ANYTHING}
),
running AS (
    SELECT {ROW}, month, sum(open) OVER so_far AS open,
        sum(resolved) OVER so_far AS resolved, sum(other) OVER so_far AS other
    FROM summed WINDOW so_far AS (PARTITION BY {ROW} ORDER BY month)
),
rows AS MATERIALIZED (
    SELECT {ROW}, array_agg(month ORDER BY month) AS months,
        array_agg(open ORDER BY month) AS open,
        array_agg(resolved ORDER BY month) AS resolved,
        array_agg(other ORDER BY month) AS other
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
    INSERT INTO cases_heatcell ({ROW}, months, open, resolved, other)
    TABLE rows
    ON CONFLICT ({ROW}) DO UPDATE SET months = excluded.months, open = excluded.open,
        resolved = excluded.resolved, other = excluded.other
),
noted AS (
    INSERT INTO cases_heatstate (id, epoch, folded) SELECT 1, 0, count(*) FROM taken
    ON CONFLICT (id) DO UPDATE
    SET folded = cases_heatstate.folded + excluded.folded
)
SELECT count(*) FROM taken
"""  # noqa: S608 - our own words


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


# ── Rebuilding ───────────────────────────────────────────────────────────────────────

NEW_TABLES = """
CREATE TABLE cases_heatcell_next (LIKE cases_heatcell INCLUDING CONSTRAINTS);
CREATE TEMPORARY TABLE heat_told (
    x integer, y integer, place text, category text, entity text, month smallint,
    day smallint, open integer, resolved integer, other integer
) ON COMMIT DROP
"""
# One statement, one snapshot: a change is in the cases that it counts and its delta in
# those that it takes away, or neither is, and the delta waits to be folded.
FROM_THE_CASES = """
WITH counted_below AS (DELETE FROM cases_heatdelta)
INSERT INTO heat_told
SELECT cases_heat_x(public_location), cases_heat_y(public_location),
    coalesce(corregimiento_id, district_id), category_id, coalesce(entity_id, ''),
    cases_heat_month(filed_at), cases_heat_day(filed_at),
    (status = ANY (%(open)s))::integer, (status = ANY (%(resolved)s))::integer,
    (status <> ALL (%(open)s) AND status <> ALL (%(resolved)s))::integer
FROM cases_case WHERE is_public AND public_location IS NOT NULL
"""
# Numbers instead of the words, in the words' order, for what is sorted time and again.
NUMBERS = """
ANALYZE heat_told;
CREATE TEMPORARY TABLE heat_kinds ON COMMIT DROP AS
SELECT place, category, entity FROM heat_told GROUP BY 1, 2, 3;
CREATE TEMPORARY TABLE heat_months ON COMMIT DROP AS
SELECT month FROM heat_told GROUP BY 1;
CREATE TEMPORARY TABLE heat_what ON COMMIT DROP AS
SELECT facet, row_number() OVER (ORDER BY facet)::integer AS what FROM (
    SELECT '' AS facet
    UNION SELECT 'e/' || entity FROM heat_kinds
    UNION SELECT 'c/' || category FROM heat_kinds
    UNION SELECT 'd/' || month FROM heat_months
) AS facets;
CREATE TEMPORARY TABLE heat_whose ON COMMIT DROP AS
SELECT place, entity, row_number() OVER (ORDER BY place, entity)::integer AS whose
FROM (
    SELECT place, entity FROM heat_kinds UNION SELECT place, '' FROM heat_kinds
) AS owners;
ANALYZE heat_what;
ANALYZE heat_whose
"""
# The counts of the finest level: of all, by entity, by category and by day. Sorted and not hashed,
# whatever the planner thinks, which takes them for fewer than they are; in their order
# they are also written.
FINEST_FACTS = """
SET LOCAL enable_hashagg = off;
CREATE TEMPORARY TABLE heat_facts ON COMMIT DROP AS
SELECT what, key, whose, month, sum(open)::integer AS open,
    sum(resolved)::integer AS resolved, sum(other)::integer AS other
FROM (
    SELECT what, whose, cases_heat_key({level}, x, y) AS key, month, open, resolved, other
    FROM heat_told
        JOIN heat_what ON facet = 'c/' || category
        JOIN heat_whose USING (place, entity)
    UNION ALL
    SELECT what, whose, cases_heat_key({level}, x, y), month, open, resolved, other
    FROM heat_told AS told
        JOIN heat_what ON facet = 'e/' || told.entity
        JOIN heat_whose AS owner ON owner.place = told.place AND owner.entity = ''
    WHERE told.entity <> ''
    UNION ALL
    SELECT (SELECT what FROM heat_what WHERE facet = ''), whose,
        cases_heat_key({level}, x, y), month, open, resolved, other
    FROM heat_told AS told
        JOIN heat_whose AS owner ON owner.place = told.place AND owner.entity = ''
    UNION ALL
    SELECT what, whose, cases_heat_key({level}, x, y), day, open, resolved, other
    FROM heat_told AS told
        JOIN heat_what ON facet = 'd/' || told.month
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
    sum(resolved)::integer AS resolved, sum(other)::integer AS other
FROM (
    SELECT what, whose, month, open, resolved, other, cases_heat_key({level},
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
SELECT {level}, facet, key, place, entity, months, open, resolved, other
FROM (
    SELECT what, key, whose, array_agg(month) AS months, array_agg(open) AS open,
        array_agg(resolved) AS resolved, array_agg(other) AS other
    FROM (
        SELECT what, key, whose, month, (sum(open) OVER so_far)::integer AS open,
            (sum(resolved) OVER so_far)::integer AS resolved,
            (sum(other) OVER so_far)::integer AS other
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
    array_agg(open), array_agg(resolved), array_agg(other)
FROM (
    SELECT facet, left(place, 2 * {level}) AS place, entity, month,
        (sum(sum(open)::integer) OVER so_far)::integer AS open,
        (sum(sum(resolved)::integer) OVER so_far)::integer AS resolved,
        (sum(sum(other)::integer) OVER so_far)::integer AS other
    FROM heat_facts
        JOIN heat_what USING (what) JOIN heat_whose USING (whose)
    GROUP BY 1, 2, 3, 4
    WINDOW so_far AS (PARTITION BY facet, left(place, 2 * {level}), entity ORDER BY month)
) AS running
GROUP BY facet, place, entity
"""
SWAP = """
DROP TABLE heat_facts, heat_kinds, heat_months, heat_what, heat_whose;
ALTER TABLE cases_heatcell_next
    ADD CONSTRAINT cases_heatcell_next_pkey PRIMARY KEY (level, facet, key, place, entity);
ANALYZE cases_heatcell_next;
DROP TABLE cases_heatcell;
ALTER TABLE cases_heatcell_next RENAME TO cases_heatcell;
ALTER TABLE cases_heatcell RENAME CONSTRAINT cases_heatcell_next_pkey
    TO cases_heatcell_pkey;
INSERT INTO cases_heatstate (id, epoch, folded) VALUES (1, 1, 0)
ON CONFLICT (id) DO UPDATE SET epoch = cases_heatstate.epoch + 1, folded = 0
"""


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
    yield NUMBERS, None
    yield FINEST_FACTS.format(level=FINEST), None
    yield WRITE_LEVEL.format(level=FINEST), None
    for level in range(FINEST - 1, COARSEST - 1, -1):
        yield COARSER.format(level=level, finer=level + 1), None
        yield WRITE_LEVEL.format(level=level), None
    for level in PLACES:
        yield WRITE_PLACES.format(level=level), None
    yield SWAP, None


@contextmanager
def uncounted() -> Iterator[None]:
    """A transaction in which nothing that happens to cases reaches the heat.

    For filing millions at once. The heat is wrong until `rebuild` has run.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL movil311.heat = 'off'")
        yield
        cursor.execute("SET LOCAL movil311.heat = 'on'")
