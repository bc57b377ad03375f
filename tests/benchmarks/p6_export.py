"""P6: all cases as GeoJSON over HTTP, beside COPY and ogr2ogr."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from tests.benchmarks import databases, machine
from tests.benchmarks.bench import Bench, Size
from tests.benchmarks.figures import Result, at_least, at_most
from tests.servers import Server, libpq_url, url_of

WAITS_FOR = "all cases as GeoJSON (a million are about 200 MB)"
ELSEWHERE = "GeoPackage by ogr2ogr 22 to 27 s for a million"
CHUNK = 1 << 20
GROWTH_MB = 20
PATIENCE_SECONDS = 600

# What the export says of a case, in the same columns.
VIEW = """
CREATE OR REPLACE VIEW bench_export AS
SELECT c.id, c.number, c.category_id AS category, k.name_es AS category_name,
    k.group_id AS "group", c.status, c.filed_at, c.due_at, c.updated_at, c.resolved_at,
    c.entity_id AS entity, e.name AS entity_name, p.name AS province,
    c.province_id AS province_code, d.name AS district, c.district_id AS district_code,
    t.name AS corregimiento, c.corregimiento_id AS corregimiento_code, k.precision,
    c.demo, '/casos/' || c.number AS url, c.public_location
FROM cases_case AS c
JOIN cases_category AS k ON k.code = c.category_id
JOIN provinces_province AS p ON p.code = c.province_id
JOIN provinces_district AS d ON d.code = c.district_id
LEFT JOIN provinces_corregimiento AS t ON t.code = c.corregimiento_id
LEFT JOIN provinces_entity AS e ON e.code = c.entity_id
WHERE c.is_public AND c.public_location IS NOT NULL
"""
COPY = "COPY (SELECT ST_AsGeoJSON(b.*, 'public_location', 6) FROM bench_export AS b) TO STDOUT"


def measure(bench: Bench, size: Size) -> Result:
    result = Result()
    name = bench.database(size)
    http: list[float] = []
    with bench.server_on(name) as server:
        download(server, "?limit=10")  # connections are open
        before = memory_of(server)
        with watched(server) as highest:
            for _ in range(bench.pace.times):
                start = time.perf_counter()
                size_of_all = download(server)
                http.append(time.perf_counter() - start)
    growth = max(highest) - before
    with export_view(name):
        limit = [copied(name) for _ in range(bench.pace.times)]
        peers = {
            form: [ogr2ogr(form, name, bench.emptied("export")) for _ in range(times)]
            for form, times in (("GeoJSON", bench.pace.times), ("FlatGeobuf", 1))
        }

    ours = result.add("311 móvil over HTTP", http, "s")
    copy = result.add("COPY (SELECT ST_AsGeoJSON…)", limit, "s")
    ogr = result.add("ogr2ogr to GeoJSON", peers["GeoJSON"], "s")
    result.add("ogr2ogr to FlatGeobuf with index", peers["FlatGeobuf"], "s")
    result.add("311 móvil, size", [size_of_all / 1e6], "MB")
    result.add("311 móvil, memory of the workers, growth", [growth], "MB")
    result.targets += [
        at_most("times the limit", ours.middle / copy.middle, 1.3),
        at_least("times faster than ogr2ogr", ogr.middle / ours.middle, 3),
        at_most("growth of memory", growth, GROWTH_MB, "MB"),
    ]
    return result


def download(server: Server, query: str = "") -> int:
    """Read it all, keep nothing; how many bytes it has."""
    line = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    line.request("GET", f"/data/cases.geojson{query}")
    answer = line.getresponse()
    assert answer.status == 200, answer.read()
    total, last = 0, b""
    while chunk := answer.read(CHUNK):
        total += len(chunk)
        last = chunk
    line.close()
    assert last.rstrip().endswith(b"]}"), "the export ends too soon"
    return total


@contextmanager
def watched(server: Server) -> Iterator[list[float]]:
    """The workers' memory in MB, taken ten times a second meanwhile."""
    seen = [memory_of(server)]
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            seen.append(memory_of(server))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def memory_of(server: Server) -> float:
    return max(machine.resident_mb(pid) for pid in server.worker_pids())


@contextmanager
def export_view(name: str) -> Iterator[None]:
    with databases.connect(name) as database:
        database.execute(VIEW.encode())
    try:
        yield
    finally:
        with databases.connect(name) as database:
            database.execute("DROP VIEW bench_export")


def copied(name: str) -> float:
    """Seconds until the last byte of PostgreSQL's own copy is here."""
    start = time.perf_counter()
    with (
        databases.connect(name) as database,
        database.cursor() as cursor,
        cursor.copy(COPY.encode()) as reading,
    ):
        for _block in reading:
            pass
    return time.perf_counter() - start


def ogr2ogr(form: str, name: str, folder: Path) -> float:
    start = time.perf_counter()
    subprocess.run(
        [
            *("ogr2ogr", "-f", form, str(folder / "cases"), libpq_url(url_of(name))),
            *("-sql", "SELECT * FROM bench_export", "-nln", "cases"),
        ],
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - start
