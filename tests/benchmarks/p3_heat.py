"""P3: the heat map at any zoom with any filter, which is not to grow with the cases."""

from __future__ import annotations

import gzip
import random
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import urlencode

from tests.benchmarks import databases
from tests.benchmarks.bench import Bench, Size
from tests.benchmarks.figures import Result, at_most, percentile
from tests.benchmarks.p1_filing import places_of_cases, warm_up
from tests.benchmarks.phones import Ask, ask_for

WAITS_FOR = "the heat map, any zoom, any filter"
ELSEWHERE = (
    "Signalen: no heat map; its map answers at most 4,000 signals, p50 632 ms at 100,000"
    " signals and 189 ms at 10,000; tipg: a z6 tile of a million points has 55 MB"
)
SEED = 311
ZOOMS = range(5, 17)
# What a screen shows: four tiles by three.
WIDE, HIGH = 4, 3
# In this row each size is compared with the smallest of the run.
GROWTH = "p95"
FILTERS: list[dict[str, str]] = [
    {},
    {"state": "open"},
    {"category": "ASE-01"},
    {"group": "VIA"},
    {"entity": "MOP", "state": "resolved"},
    {"place": "08"},
    {"place": "0808", "category": "VIA-01"},
    {"since": "2025-01-01T00:00:00-05:00", "until": "2025-07-01T00:00:00-05:00"},
    {"since": "2026-03-09T10:00:00-05:00", "until": "2026-10-17T18:30:00-05:00"},
]


def measure(bench: Bench, size: Size) -> Result:
    result = Result()
    name = bench.database(size)
    views = list(all_views(places_of_cases(name, 200)))
    random.Random(SEED).shuffle(views)  # noqa: S311 - an order, no secret
    views = views[: bench.pace.views]

    def asks(_phone: int) -> Iterator[Ask]:
        yield from views

    heard = []
    with bench.server_on(name) as server:
        warm_up(server, asks)
        for _ in range(bench.pace.times):
            heard.append(ask_for(600, server.port, 1, asks))
        biggest = max(gzipped(server.port, views))
        answer = server.send(views[0].path).body.decode()
    ready = [ready_made(name, answer) for _ in range(bench.pace.times)]

    p95 = result.add(GROWTH, (each.milliseconds(95) for each in heard), "ms")
    result.add("p50", (each.milliseconds(50) for each in heard), "ms")
    most = result.add("slowest", (each.milliseconds(100) for each in heard), "ms")
    result.add("biggest answer, gzip", [biggest / 1000], "kB")
    limit = result.add("a ready-made answer from PostgreSQL, p95", ready, "ms")
    result.targets += [
        at_most("p95", p95.middle, 20, "ms"),
        at_most("biggest answer, gzip", biggest / 1000, 100, "kB"),
    ]
    result.notes.append(
        f"{len(views)} views: zooms {ZOOMS[0]} to {ZOOMS[-1]} with {len(FILTERS)} filters, one"
        " reader, over HTTP, nothing from a cache of the reader's; the slowest"
        f" {most.middle:.0f} ms, the ready-made answer {limit.middle:.2f} ms."
    )
    return result


def all_views(points: list[tuple[float, float]]) -> Iterator[Ask]:
    """Each zoom with each filter, somewhere where there are cases."""
    draw = random.Random(SEED)  # noqa: S311 - a place on the map, no secret
    for zoom in ZOOMS:
        tile = 360 / 2**zoom
        for filters in FILTERS:
            lon, lat = draw.choice(points)
            west, south = lon - tile * WIDE / 2, lat - tile * HIGH / 2
            box = (west, south, west + tile * WIDE, south + tile * HIGH)
            asked = {
                "zoom": str(zoom),
                "bbox": ",".join(f"{side:.5f}" for side in box),
                **filters,
            }
            yield Ask(f"/api/v1/heat/?{urlencode(asked)}")


def gzipped(port: int, views: list[Ask]) -> Iterator[int]:
    """How many bytes each answer has on the wire."""
    line = HTTPConnection("127.0.0.1", port, timeout=60)
    for view in views:
        line.request("GET", view.path, headers={"Accept-Encoding": "gzip"})
        answer = line.getresponse()
        body = answer.read()
        small = answer.getheader("Content-Encoding") == "gzip"
        yield len(body) if small else len(gzip.compress(body))
    line.close()


def ready_made(name: str, answer: str, times: int = 300) -> float:
    """The 95th percentile of reading a stored answer by its key, in milliseconds."""
    seconds = []
    with databases.connect(name) as database:
        database.execute(
            "CREATE TEMPORARY TABLE ready (key int PRIMARY KEY, body text)"
        )
        database.execute(
            "INSERT INTO ready SELECT n, %s FROM generate_series(1, 100) AS n", [answer]
        )
        for number in range(times):
            start = time.perf_counter()
            database.execute(
                "SELECT body FROM ready WHERE key = %s", [number % 100 + 1]
            )
            seconds.append(time.perf_counter() - start)
    return percentile(seconds, 95) * 1000
