"""P3: the heat map at any zoom with any filter, which is not to grow with the cases."""

from __future__ import annotations

import gzip
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from urllib.parse import urlencode

from tests.benchmarks import databases
from tests.benchmarks.bench import Bench, Size, size_of
from tests.benchmarks.figures import Result, at_most, percentile
from tests.benchmarks.p1_filing import places_of_cases, warm_up
from tests.benchmarks.phones import Ask, Heard, ask_for
from tests.servers import Server

WAITS_FOR = "the heat map, any zoom, any filter"
ELSEWHERE = (
    "Signalen: no heat map; its map answers at most 4,000 signals, p50 632 ms at 100,000"
    " signals and 189 ms at 10,000; tipg: a z6 tile of a million points has 55 MB"
)
SEED = 311
ZOOMS = range(5, 17)
# What a screen shows: four tiles by three.
WIDE, HIGH = 4, 3
# Each size is measured beside this one, pass by pass in turn: a machine is not as fast at
# one moment as at another, and what grows is told from what was slower just then.
FEWEST = size_of("10k")
MOST_GROWTH = 1.5
# For each repetition of a bench, for they are short.
PASSES = 3
# Its ends are no month's: of those parts only all cases, or a place's, are counted
# beforehand.
PARTS_OF_MONTHS = {
    "since": "2026-03-09T10:00:00-05:00",
    "until": "2026-10-17T18:30:00-05:00",
}
FILTERS: list[dict[str, str]] = [
    {},
    {"state": "open"},
    {"category": "ASE-01"},
    {"group": "VIA"},
    {"entity": "MOP", "state": "resolved"},
    {"place": "08"},
    {"place": "0808", "category": "VIA-01"},
    {"since": "2025-01-01T00:00:00-05:00", "until": "2025-07-01T00:00:00-05:00"},
    PARTS_OF_MONTHS,
    {"entity": "MOP", **PARTS_OF_MONTHS},
    {"group": "VIA", "place": "08", **PARTS_OF_MONTHS},
]


def measure(bench: Bench, size: Size) -> Result:
    result = Result()
    name = bench.database(size)
    names = [name]
    if size.cases > FEWEST.cases:
        names.append(bench.database(FEWEST))
    views = {name: some_views(bench, name) for name in names}
    with ExitStack() as running:
        servers = {name: running.enter_context(bench.server_on(name)) for name in names}
        heard = in_turn(bench, servers, views)
        biggest = max(gzipped(servers[name].port, views[name]))
        answer = servers[name].send(views[name][0].path).body.decode()
    ready = [ready_made(name, answer) for _ in range(bench.pace.times)]

    p95 = result.add("p95", (each.milliseconds(95) for each in heard[name]), "ms")
    result.add("p50", (each.milliseconds(50) for each in heard[name]), "ms")
    most = result.add("slowest", (each.milliseconds(100) for each in heard[name]), "ms")
    result.add("biggest answer, gzip", [biggest / 1000], "kB")
    limit = result.add("a ready-made answer from PostgreSQL, p95", ready, "ms")
    result.targets += [
        at_most("p95", p95.middle, 20, "ms"),
        at_most("biggest answer, gzip", biggest / 1000, 100, "kB"),
    ]
    if len(names) > 1:
        fewest = result.add(
            f"p95 with {FEWEST.name} cases, in turn",
            (each.milliseconds(95) for each in heard[names[1]]),
            "ms",
        )
        grown = p95.middle / fewest.middle
        result.targets.append(
            at_most(f"p95, times that of {FEWEST.name}", grown, MOST_GROWTH)
        )
    result.notes.append(
        f"{len(views[name])} views: zooms {ZOOMS[0]} to {ZOOMS[-1]} with {len(FILTERS)}"
        " filters, one reader, over HTTP, nothing from a cache of the reader's; the"
        f" slowest {most.middle:.0f} ms, the ready-made answer {limit.middle:.2f} ms."
    )
    return result


def some_views(bench: Bench, name: str) -> list[Ask]:
    views = list(all_views(places_of_cases(name, 200)))
    random.Random(SEED).shuffle(views)  # noqa: S311 - an order, no secret
    return views[: bench.pace.views]


def in_turn(
    bench: Bench, servers: dict[str, Server], views: dict[str, list[Ask]]
) -> dict[str, list[Heard]]:
    """Pass after pass over all views, of one server and then of the other."""
    heard: dict[str, list[Heard]] = {name: [] for name in servers}
    asks = {name: lambda _phone, name=name: iter(views[name]) for name in servers}
    for name, server in servers.items():
        warm_up(server, asks[name])
    for _ in range(bench.pace.times * PASSES):
        for name, server in servers.items():
            heard[name].append(ask_for(600, server.port, 1, asks[name]))
    return heard


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
