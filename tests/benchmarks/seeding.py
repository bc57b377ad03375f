"""Cases by the million, as they would be after ten years: where, what, when, whose.

Places are drawn around Panama's towns as the demonstration draws them, and looked up as
those of a report are; PostgreSQL then makes cases of them, in as many sessions as there
are cores. Each case lies a little off its place, but never across a border. Numbers,
public points and entities are what filing would have given; earlier cases are mostly
closed, and each year has more than the one before.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from math import sqrt
from pathlib import Path
from typing import Any

import psycopg
import shapely
from django.conf import settings
from psycopg import sql
from tqdm import tqdm

from backend.cases.demonstration import (
    COAST_METRES,
    SPREAD_DEGREES,
    Kind,
    read_kinds,
    read_towns,
)
from backend.cases.models import SEQUENCE
from backend.cases.numbers import DAMM
from backend.cases.privacy import GRID_DEGREES
from provinces.places import OutsidePanama, Place, Territory, territory
from provinces.routing import jurisdictions_at
from tests.benchmarks import databases

SEED = 311
YEARS = 10
MOST_PLACES = 100_000
CASES_PER_PLACE = 10
# How far a case may lie from its place: within a cell of the public's grid or so.
FARTHEST_METRES = 40.0
METRES_PER_DEGREE = 111_000.0
BATCH = 200_000
# Beyond this, indexes are dropped and made again: less work than keeping them.
MANY = 50_000

TABLES = """
CREATE UNLOGGED TABLE bench_place (
    id int PRIMARY KEY, lon float8, lat float8, room float8, here int,
    province text, district text, corregimiento text, zones jsonb, snapped float8
);
CREATE UNLOGGED TABLE bench_kind (
    id int PRIMARY KEY, category text, act text, precision text, private bool,
    days float8, descriptions text[]
);
-- One line for each hundredth of what is drawn: an index drawn evenly is weighted.
CREATE UNLOGGED TABLE bench_lot (lot int PRIMARY KEY, kind int);
CREATE UNLOGGED TABLE bench_rule (
    here int, kind int, entity text, jurisdiction bigint, PRIMARY KEY (here, kind)
);
-- Damm's check digit by three and four digits at a time.
CREATE UNLOGGED TABLE bench_three (state int, digits int, next int);
CREATE UNLOGGED TABLE bench_four (state int, digits int, next int);
"""

# A case's number in the order of its id; earlier ids are earlier cases.
INSERT = """
INSERT INTO cases_case (
    id, number, pin, report_id, report_digest, category_id, act, description,
    public_description, place_hint, location, accuracy, public_location, is_public,
    demo, province_id, district_id, corregimiento_id, zones, snapped, entity_id,
    jurisdiction_id, status, filed_at, due_at, updated_at, resolved_at, language,
    version, under_review
)
SELECT
    id, to_char(year, 'fm00') || '-' || to_char(mod(id, 10000000), 'fm0000000') || '-'
        || four.next,
    to_char(floor(random() * 1000000), 'fm000000'), gen_random_uuid(),
    md5(id::text) || md5((-id)::text), category, act, description, description,
    '', ST_SetSRID(ST_MakePoint(lon, lat), 4326), accuracy,
    CASE precision
        WHEN 'exact' THEN ST_SetSRID(
            ST_MakePoint(round(lon::numeric, 6)::float8, round(lat::numeric, 6)::float8), 4326)
        WHEN 'grid' THEN ST_SetSRID(
            ST_MakePoint(
                round(((floor(lon / %(grid)s) + 0.5) * %(grid)s)::numeric, 6)::float8,
                round(((floor(lat / %(grid)s) + 0.5) * %(grid)s)::numeric, 6)::float8),
            4326)
    END,
    NOT private, false, province, district, corregimiento, zones, snapped, entity,
    jurisdiction, status, filed_at, filed_at + days * interval '1 day',
    CASE WHEN status = 'received' THEN filed_at ELSE settled_at END,
    CASE WHEN status IN ('resolved', 'closed') THEN settled_at END,
    CASE WHEN random() < 0.97 THEN 'es' ELSE 'en' END,
    CASE WHEN status = 'received' THEN 1 ELSE 3 END, false
FROM (
    SELECT drawn.*, place.province, place.district, place.corregimiento, place.zones,
        place.snapped, place.lon + place.room * (random() - 0.5) AS lon,
        place.lat + place.room * (random() - 0.5) AS lat,
        kind.category, kind.act, kind.precision, kind.private, kind.days,
        kind.descriptions[1 + floor(random() * cardinality(kind.descriptions))::int]
            AS description,
        rule.entity, rule.jurisdiction,
        extract(year FROM filed_at AT TIME ZONE 'America/Panama')::int - 2000 AS year,
        least(%(until)s, filed_at - ln(1 - random()) * interval '6 days') AS settled_at,
        -- What is new is mostly open, what is old hardly ever.
        CASE
            WHEN fate < 0.03 THEN 'rejected'
            WHEN fate < 0.05 THEN 'duplicate'
            WHEN fate < 0.06 THEN 'cancelled'
            WHEN fate < 0.06 + 0.84 * least(1, days_ago / 90) THEN
                CASE WHEN days_ago > 60 THEN 'closed' ELSE 'resolved' END
            WHEN fate < 0.97 THEN (ARRAY['received', 'in_review', 'assigned',
                'in_progress', 'scheduled', 'waiting_for_citizen', 'transferred'])
                [1 + floor(random() * 7)::int]
            ELSE 'reopened'
        END AS status,
        (ARRAY[4, 8, 15, 30])[1 + floor(random() * 4)::int] AS accuracy
    FROM (
        SELECT id, random() AS fate, days_ago,
            %(until)s::timestamptz - days_ago * interval '1 day' AS filed_at,
            1 + floor(random() * %(places)s)::int AS place,
            floor(random() * 1000)::int AS lot
        FROM (
            SELECT id, power((%(count)s - id)::float8 / %(count)s, 1.5)
                * %(years)s * 365.25 AS days_ago
            FROM generate_series(%(first)s, %(last)s) AS id
        ) AS numbered
        OFFSET 0  -- drawn once for each case, not once for each use
    ) AS drawn
    JOIN bench_place AS place ON place.id = drawn.place
    JOIN bench_lot USING (lot)
    JOIN bench_kind AS kind ON kind.id = bench_lot.kind
    LEFT JOIN bench_rule AS rule ON rule.here = place.here AND rule.kind = kind.id
    OFFSET 0
) AS made
JOIN bench_three AS three ON three.state = year AND three.digits = mod(id / 10000, 1000)
JOIN bench_four AS four ON four.state = three.next AND four.digits = mod(id, 10000)
ORDER BY id
"""
# What the public reads of a case besides: how it began, and where it stands.
HISTORY = """
INSERT INTO cases_statuschange (
    case_id, status, note, public_note, changed_at, by_reporter, transition_digest
)
SELECT id, 'received', '', '', filed_at, false, '' FROM cases_case
UNION ALL
SELECT id, status, '', '', updated_at, false, '' FROM cases_case
WHERE status <> 'received'
"""


def seed(name: str, count: int, until: datetime | None = None) -> None:
    """Fill an empty database, which has the catalogue and the boundaries."""
    until = until or datetime.now(UTC)
    places = min(MOST_PLACES, max(500, count // CASES_PER_PLACE))
    with databases.connect(name) as database:
        database.execute(TABLES.encode())
        fill_pool(database, places)
        database.execute("ANALYZE")
        later = drop_indexes(database) if count > MANY else []
    make_cases(name, count, places, until)
    with databases.connect(name) as database:
        database.execute("SET session_replication_role = replica")
        if count <= 1_000_000:
            database.execute(HISTORY.encode())
        database.execute(
            "SELECT setval(%s, %s), setval(pg_get_serial_sequence('cases_case', 'id'), %s)",
            [SEQUENCE, count, count],
        )
    make_indexes(name, later)
    with databases.connect(name) as database:
        for table in ("place", "kind", "lot", "rule", "three", "four"):
            database.execute(f"DROP TABLE bench_{table}".encode())
    databases.settle(name)


# ── Where and what ───────────────────────────────────────────────────────────────


def fill_pool(database: psycopg.Connection[Any], places: int) -> None:
    draw = random.Random(SEED)  # noqa: S311 - made-up places, no secrets
    folder = Path(settings.BASE_DIR) / "fixtures" / "demo"
    kinds = read_kinds(folder / "reports.csv")
    here: dict[tuple[object, ...], int] = {}
    rules: list[tuple[object, ...]] = []
    with copying(database, "bench_place") as write:
        drawn = located(draw, folder / "towns.csv", places)
        for number, (lon, lat, room, place) in enumerate(drawn, 1):
            key = (place.district, place.corregimiento, place.zones)
            if key not in here:
                here[key] = len(here)
                rules += rules_of(place, kinds, here[key])
            write(
                (
                    *(number, lon, lat, room, here[key]),
                    *(place.province.code, place.district.code),
                    place.corregimiento.code if place.corregimiento else None,
                    *(json.dumps(place.zones), place.snapped),
                )
            )
    copy(database, "bench_rule", rules)
    copy(
        database,
        "bench_kind",
        (
            (
                *(number, kind.category.code, kind.category.act),
                *(kind.category.precision, kind.category.private),
                *(kind.category.sla_amount, kind.descriptions),
            )
            for number, kind in enumerate(kinds)
        ),
    )
    lots = draw.choices(range(len(kinds)), [kind.weight for kind in kinds], k=1000)
    copy(database, "bench_lot", enumerate(lots))
    years = range(100)
    copy(database, "bench_three", steps(3, {year: after(0, year, 2) for year in years}))
    copy(database, "bench_four", steps(4, {state: state for state in range(10)}))


def located(
    draw: random.Random, towns: Path, count: int
) -> Iterator[tuple[float, float, float, Place]]:
    """Longitude, latitude, how many degrees around are as good, and the place."""
    here = territory()
    all_towns = read_towns(towns)
    weights = [town.weight for town in all_towns]
    found = 0
    with tqdm(total=count, desc="places", leave=False, disable=None) as progress:
        while found < count:
            [town] = draw.choices(all_towns, weights)
            lon = draw.gauss(town.lon, SPREAD_DEGREES)
            lat = draw.gauss(town.lat, SPREAD_DEGREES)
            try:
                place = here.place_at(lon, lat)
            except OutsidePanama:
                continue
            if (place.snapped or 0) < COAST_METRES:
                yield lon, lat, room_at(here, lon, lat, place), place
                found += 1
                progress.update()


def room_at(here: Territory, lon: float, lat: float, place: Place) -> float:
    """The side of a square around a point, in degrees, that is all in its place."""
    if place.snapped or place.corregimiento is None:
        return 0.0
    parts = here.corregimientos[place.district.code]
    if place.corregimiento.code not in parts.covering(shapely.Point(lon, lat)):
        return 0.0
    border = parts.nearest(
        shapely.Point(lon, lat), FARTHEST_METRES, place.corregimiento.code
    )
    outside = here.districts.nearest(
        shapely.Point(lon, lat), FARTHEST_METRES, place.district.code
    )
    metres = min(
        [FARTHEST_METRES, *(near.metres for near in (border, outside) if near)]
    )
    return metres * sqrt(2) / METRES_PER_DEGREE


def rules_of(
    place: Place, kinds: list[Kind], here: int
) -> Iterator[tuple[object, ...]]:
    rules = jurisdictions_at(place, datetime.now(UTC).date())
    for number, kind in enumerate(kinds):
        rule = rules.get(kind.category.duty_id)
        if rule:
            yield here, number, rule.entity_id, rule.pk


def after(state: int, digits: int, width: int) -> int:
    for digit in f"{digits:0{width}}":
        state = DAMM[state][int(digit)]
    return state


def steps(width: int, starts: dict[int, int]) -> Iterator[tuple[int, int, int]]:
    for name, state in starts.items():
        for digits in range(10**width):
            yield name, digits, after(state, digits, width)


# ── Into PostgreSQL ──────────────────────────────────────────────────────────────


def make_cases(name: str, count: int, places: int, until: datetime) -> None:
    firsts = range(1, count + 1, BATCH)

    def batch(first: int) -> int:
        last = min(count, first + BATCH - 1)
        with databases.connect(name) as database:
            # Neither foreign keys nor triggers: what is drawn is right, and the heat is
            # counted once at the end.
            database.execute("SET session_replication_role = replica")
            # The places fit in, and a batch in the order of its numbers.
            database.execute("SET work_mem = '256MB'")
            database.execute("SELECT setseed(%s)", [first / (count + 1)])
            values = {
                "first": first,
                "last": last,
                "count": count,
                "places": places,
                "until": until,
                "years": YEARS,
                "grid": GRID_DEGREES,
            }
            # Written into the statement: PostgreSQL plans it for these numbers.
            psycopg.ClientCursor(database).execute(INSERT.encode(), values)
        return last - first + 1

    with (
        ThreadPoolExecutor(os.cpu_count()) as sessions,
        tqdm(total=count, desc="cases", unit_scale=True, disable=None) as progress,
    ):
        for made in sessions.map(batch, firsts):
            progress.update(made)


def drop_indexes(database: psycopg.Connection[Any]) -> list[str]:
    """Drop all indexes of the cases but the key; the statements that make them again."""
    names = {
        row[0]: row[1]
        for row in database.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid)"
            " FROM pg_index WHERE indrelid = 'cases_case'::regclass AND NOT indisprimary"
        )
    }
    unique = [
        row[0]
        for row in database.execute(
            "SELECT conname FROM pg_constraint"
            " WHERE conrelid = 'cases_case'::regclass AND contype = 'u'"
        )
    ]
    for name in names:
        kind = (
            "ALTER TABLE cases_case DROP CONSTRAINT" if name in unique else "DROP INDEX"
        )
        database.execute(f"{kind} {name}".encode())
    return [
        *names.values(),
        *(
            f"ALTER TABLE cases_case ADD CONSTRAINT {name} UNIQUE USING INDEX {name}"
            for name in unique
        ),
    ]


def make_indexes(name: str, statements: list[str]) -> None:
    def make(statement: str) -> None:
        with databases.connect(name) as database:
            database.execute("SET maintenance_work_mem = '512MB'")
            database.execute("SET max_parallel_maintenance_workers = 0")
            database.execute(statement.encode())

    creating = [text for text in statements if text.startswith("CREATE")]
    # The slow ones first, or they would be made last and alone.
    creating.sort(key=lambda text: "USING gist" not in text)
    with (
        ThreadPoolExecutor(os.cpu_count()) as sessions,
        tqdm(total=len(statements), desc="indexes", disable=None) as progress,
    ):
        for _ in sessions.map(make, creating):
            progress.update()
    for statement in statements:
        if statement not in creating:
            make(statement)


def copy(
    database: psycopg.Connection[Any], table: str, rows: Iterable[tuple[object, ...]]
) -> None:
    with copying(database, table) as write:
        for row in rows:
            write(row)


@contextmanager
def copying(
    database: psycopg.Connection[Any], table: str
) -> Iterator[Callable[[tuple[object, ...]], None]]:
    into = sql.SQL("COPY {} FROM STDIN").format(sql.Identifier(table))
    with database.cursor() as cursor, cursor.copy(into) as writing:
        yield writing.write_row
