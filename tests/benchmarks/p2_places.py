"""P2: where a point is: in one thread, a million at once, and over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely

from provinces.models import Boundary, Generation, Level
from provinces.places import territory
from tests.benchmarks import databases
from tests.benchmarks.bench import Bench, Size
from tests.benchmarks.figures import Result, at_least
from tests.benchmarks.p1_filing import places_of_cases, warm_up
from tests.benchmarks.phones import Ask, ask_for

WAITS_FOR = "where is this point, who answers"
ELSEWHERE = (
    "MapIt over HTTP, one client 24/s as shipped, 83/s tuned;"
    " 8 clients 51/s, 169/s; PostGIS, one query a point, 0.20 ms"
)
PHONES = 8
TUNED_MAPIT = 169.0  # answers a second to 8 clients, on two cores
SINGLE = 50_000
BATCH = 1_000_000

Points = tuple[list[float], list[float]]

JOIN = """
SELECT count(*) FROM cases_case AS c JOIN provinces_boundary AS b
ON ST_Covers(b.outline, c.location)
WHERE b.level = 'corregimiento' AND b.generation_id = %s AND c.id <= %s
"""


def measure(bench: Bench, size: Size) -> Result:
    result = Result()
    with bench.django_on(size) as name:
        points = some_points(name, BATCH if size.cases >= BATCH else size.cases)
        one = [rate_of_one(points) for _ in range(bench.pace.times)]
        many = [rate_of_many(points) for _ in range(bench.pace.times)]
        limit = [rate_of_tree(points) for _ in range(bench.pace.times)]
        prepared = [rate_of_prepared(points) for _ in range(bench.pace.times)]
        [generation] = Generation.objects.active().values_list("pk", flat=True)
        joined = [rate_of_join(name, generation, len(points[0]))]
    http = over_http(bench, name)

    each = result.add("311 móvil, place_at, one thread", one, "points/s")
    batch = result.add("311 móvil, places_of, a batch", many, "points/s")
    tree = result.add("shapely, tree of the points asked by polygon", limit, "points/s")
    result.add("shapely, tree of prepared outlines, one by one", prepared, "points/s")
    result.add("PostGIS, join by its default plan", joined, "points/s")
    web = result.add("311 móvil over HTTP, 8 clients", http, "answers/s")
    result.targets += [
        at_least("place_at in one thread", each.middle, 50_000, "points/s"),
        at_least("a batch, share of the limit", batch.middle / tree.middle, 0.5),
        at_least("times tuned MapIt", web.middle / TUNED_MAPIT, 6),
    ]
    result.notes.append(
        f"Batches of {len(points[0]):,} points of the cases; the limit finds the"
        " corregimiento alone, places_of district, corregimiento and zones."
        " MapIt's rate was measured elsewhere on two cores: no ratio of this run."
    )
    return result


def some_points(name: str, count: int) -> Points:
    with databases.connect(name) as database:
        rows = database.execute(
            "SELECT ST_X(location), ST_Y(location) FROM cases_case WHERE id <= %s",
            [count],
        ).fetchall()
    return [row[0] for row in rows], [row[1] for row in rows]


def rate_of_one(points: Points) -> float:
    here = territory()
    pairs = list(zip(*points, strict=True))[:SINGLE]
    start = time.perf_counter()
    for lon, lat in pairs:
        here.place_at(lon, lat)
    return len(pairs) / (time.perf_counter() - start)


def rate_of_many(points: Points) -> float:
    here = territory()
    start = time.perf_counter()
    places = here.places_of(*points)
    seconds = time.perf_counter() - start
    assert all(places), "all cases are in Panama"
    return len(places) / seconds


def rate_of_tree(points: Points) -> float:
    outlines = corregimientos()
    start = time.perf_counter()
    tree = shapely.STRtree(shapely.points(*points))
    tree.query(outlines, predicate="intersects")
    return len(points[0]) / (time.perf_counter() - start)


def rate_of_prepared(points: Points) -> float:
    tree = shapely.STRtree(corregimientos())
    some = shapely.points(*points)[:SINGLE]
    start = time.perf_counter()
    for point in some:
        tree.query(point, predicate="intersects")
    return len(some) / (time.perf_counter() - start)


def rate_of_join(name: str, generation: int, count: int) -> float:
    with databases.connect(name) as database:
        start = time.perf_counter()
        database.execute(JOIN, [generation, count])
        return count / (time.perf_counter() - start)


def corregimientos() -> Any:
    active = Boundary.objects.filter(
        generation__is_active=True, level=Level.CORREGIMIENTO
    )
    shapes = [shapely.from_wkb(bytes(each.outline.wkb)) for each in active]
    shapely.prepare(shapes)
    return np.array(shapes, dtype=object)


def over_http(bench: Bench, name: str) -> list[float]:
    points = places_of_cases(name)

    def asks(phone: int) -> Iterator[Ask]:
        for number in range(phone, 10**9, PHONES):
            lon, lat = points[number % len(points)]
            yield Ask(f"/api/v1/places/at/?lat={lat}&lon={lon}&accuracy=8")

    with bench.server_on(name) as server:
        warm_up(server, asks)
        return [
            ask_for(bench.pace.seconds, server.port, PHONES, asks).rate
            for _ in range(bench.pace.times)
        ]
