"""P9: the memory of a web worker after many requests of all kinds."""

from __future__ import annotations

from collections.abc import Iterator

from tests.benchmarks import databases, machine
from tests.benchmarks.bench import QUIETLY, Bench, Size
from tests.benchmarks.figures import Result, at_most
from tests.benchmarks.p1_filing import (
    REPORTS,
    forget_since,
    newest_case,
    places_of_cases,
    report,
)
from tests.benchmarks.p3_heat import all_views
from tests.benchmarks.phones import Ask, ask_for
from tests.servers import Server

WAITS_FOR = "memory of a web worker after a day's mix"
ELSEWHERE = "Signalen 345 to 361 MB, tipg 87 to 187 MB, MapIt 95 MB"
PHONES = 8
MOST_MB = 180
# Measurement noise: what a worker grows by while nothing is kept.
GROWTH_MB = 5
WARM_UP = 1500


def measure(bench: Bench, size: Size) -> Result:
    result = Result()
    name = bench.database(size)
    newest = newest_case(name)
    requests = bench.pace.requests
    asks = mixture(name)
    # Never recycled: growth would not be seen.
    with bench.server_on(name, options=(*QUIETLY, "--max-requests", "0")) as server:
        try:
            ask_many(server, asks, min(WARM_UP, requests))
            early = memory_of(server)
            ask_many(server, asks, requests)
            late = memory_of(server)
        finally:
            forget_since(name, newest)
    with bench.bare_server_on(name) as bare:
        empty = memory_of(bare)

    result.add("311 móvil, a worker", late, "MB")
    result.add(f"311 móvil, {requests} requests earlier", early, "MB")
    result.add("an empty Django with GEOS", empty, "MB")
    grown = max(after - before for before, after in zip(early, late, strict=True))
    result.targets += [
        at_most("memory of a worker", max(late), MOST_MB, "MB"),
        at_most(f"growth over {requests} requests", grown, GROWTH_MB, "MB"),
    ]
    result.notes.append(
        "Reports, places, the heat, cases, categories, the map and exports in turn;"
        " workers that are not recycled meanwhile. `./run serve` recycles them after 5,000."
    )
    return result


def mixture(name: str) -> list[Ask]:
    points = places_of_cases(name, 200)
    views = list(all_views(points))
    json = {"Content-Type": "application/json"}
    mixed: list[Ask] = []
    for at, (lon, lat), number in zip(range(200), points, numbers(name), strict=False):
        mixed += [
            Ask(REPORTS, report((lon, lat)), json),
            Ask(f"/api/v1/places/at/?lat={lat}&lon={lon}"),
            views[at % len(views)],
            Ask(f"/casos/{number}"),
            Ask(f"/api/v1/cases/{number}/"),
            Ask("/api/v1/categories/"),
            Ask("/"),
        ]
        if at % 20 == 0:
            mixed.append(Ask("/data/cases.geojson?limit=2000"))
    return mixed


def numbers(name: str) -> list[str]:
    with databases.connect(name) as database:
        rows = database.execute(
            "SELECT number FROM cases_case WHERE is_public ORDER BY id DESC LIMIT 200"
        )
        return [row[0] for row in rows]


def ask_many(server: Server, mixed: list[Ask], requests: int) -> None:
    def asks(phone: int) -> Iterator[Ask]:
        for number in range(phone, requests, PHONES):
            yield mixed[number % len(mixed)]

    ask_for(600, server.port, PHONES, asks)


def memory_of(server: Server) -> list[float]:
    """Each worker's, in MB, in the order of their start."""
    return [machine.resident_mb(pid) for pid in sorted(server.worker_pids())]
