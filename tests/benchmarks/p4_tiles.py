"""P4: vector tiles of the cases of a city, beside tipg and ST_AsMVT by hand."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from math import asinh, pi, radians, tan

from tests.benchmarks import databases, tipg
from tests.benchmarks.bench import Bench, Size
from tests.benchmarks.figures import Result, at_least, at_most, percentile
from tests.benchmarks.p1_filing import places_of_cases, warm_up
from tests.benchmarks.phones import Ask, Heard, ask_for

WAITS_FOR = "vector tiles of cases (z12 city)"
ELSEWHERE = (
    "tipg, without its cap of 10,000 points: the densest z12 tile 12 MB and 1.3 s,"
    " z6 55 MB and 6.3 s"
)
PHONES = 8
TILE_PATH = "/tiles/cases/{}/{}/{}.mvt"
SEED = 311
MIXED = range(10, 15)
TILES = 200
LIMIT_BYTES = 500_000

BY_HAND = """
SELECT ST_AsMVT(tile, 'cases') FROM (
    SELECT ST_AsMVTGeom(
            ST_Transform(public_location, 3857), ST_TileEnvelope(%(z)s, %(x)s, %(y)s)
        ) AS geom, number, category_id, status
    FROM cases_case
    WHERE public_location && ST_Transform(ST_TileEnvelope(%(z)s, %(x)s, %(y)s), 4326)
        AND is_public
    LIMIT 10000
) AS tile
"""

Tile = tuple[int, int, int]


def measure(bench: Bench, size: Size) -> Result:
    result = Result()
    name = bench.database(size)
    tiles = mixed_tiles(places_of_cases(name, 2000))
    with bench.server_on(name) as server:
        ask = tile_asks(tiles, TILE_PATH)
        warm_up(server, tile_asks(tiles[:1], TILE_PATH))
        # Each tile once: what the first reader waits for. Then again: who comes after.
        cold = [ask_for(600, server.port, PHONES, ask)]
        warm = [ask_for(600, server.port, PHONES, ask) for _ in range(bench.pace.times)]
    with tipg.serving(name, bench.folder) as port:
        path = "/collections/public.bench_cases/tiles/WebMercatorQuad/{}/{}/{}"
        ask_for(60, port, PHONES, tile_asks(tiles[:8], path))
        theirs = [
            ask_for(bench.pace.seconds * 3, port, PHONES, tile_asks(tiles, path))
            for _ in range(bench.pace.times)
        ]
    hand = [by_hand(name, tiles) for _ in range(bench.pace.times)]

    first = result.add(
        "311 móvil, each tile for the first time", rates(cold), "tiles/s"
    )
    result.add("311 móvil, again", rates(warm), "tiles/s")
    result.add("311 móvil, p99", (each.milliseconds(99) for each in cold), "ms")
    biggest = max(max(each.sizes) for each in cold)
    result.add("311 móvil, biggest tile", [biggest / 1000], "kB")
    peer = result.add("tipg", rates(theirs), "tiles/s")
    result.add("tipg, p99", (each.milliseconds(99) for each in theirs), "ms")
    result.add("tipg, biggest tile", [max(max(e.sizes) for e in theirs) / 1000], "kB")
    result.add("ST_AsMVT by hand, one session, p50", hand, "ms")
    result.targets += [
        at_least("times tipg", first.middle / peer.middle, 5),
        at_most("biggest tile", biggest / 1000, LIMIT_BYTES / 1000, "kB"),
    ]
    result.notes.append(
        f"{len(tiles)} different tiles of zooms {MIXED[0]} to {MIXED[-1]} around the capital,"
        " 8 clients, without nginx in front; tipg with its cap of 10,000 points, on a view"
        " of the same cases with four of their columns."
    )
    return result


def mixed_tiles(points: list[tuple[float, float]]) -> list[Tile]:
    """Of the capital, in proportion to what is there; none twice."""
    draw = random.Random(SEED)  # noqa: S311 - a place on the map, no secret
    city = [at for at in points if -79.65 < at[0] < -79.35 and 8.9 < at[1] < 9.15]
    tiles = {tile_at(lon, lat, zoom) for lon, lat in city or points for zoom in MIXED}
    drawn = sorted(tiles)
    draw.shuffle(drawn)
    return drawn[:TILES]


def tile_at(lon: float, lat: float, zoom: int) -> Tile:
    across = 2**zoom
    x = int((lon + 180) / 360 * across)
    y = int((1 - asinh(tan(radians(lat))) / pi) / 2 * across)
    return zoom, x, y


def tile_asks(tiles: list[Tile], path: str) -> Callable[[int], Iterator[Ask]]:
    def asks(phone: int) -> Iterator[Ask]:
        for tile in tiles[phone::PHONES]:
            yield Ask(path.format(*tile), headers={"Accept-Encoding": "gzip"})

    return asks


def rates(heard: list[Heard]) -> Iterator[float]:
    return (each.rate for each in heard)


def by_hand(name: str, tiles: list[Tile]) -> float:
    """The middle one, in milliseconds."""
    seconds = []
    with databases.connect(name) as database:
        for z, x, y in tiles[:50]:
            start = time.perf_counter()
            database.execute(BY_HAND.encode(), {"z": z, "x": x, "y": y}).fetchone()
            seconds.append(time.perf_counter() - start)
    return percentile(seconds, 50) * 1000
