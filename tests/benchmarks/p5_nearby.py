"""P5: the open cases near a crew, however many cases there are."""

from __future__ import annotations

import time
from collections.abc import Iterator

from knox.models import get_token_model

from backend.accounts.models import Membership, User
from backend.cases.workflow import OPEN
from provinces.models import Entity
from tests.benchmarks import databases
from tests.benchmarks.bench import Bench, Size
from tests.benchmarks.figures import Result, at_most, percentile
from tests.benchmarks.p1_filing import places_of_cases, warm_up
from tests.benchmarks.phones import Ask, ask_for

WAITS_FOR = "the cases near a crew"
ELSEWHERE = "no peer has it"
ENTITY = "MOP"
CREW = "bench"
POINTS = 300
FOUND = 50  # as many as the door gives on a page

# As the index is written, for PostgreSQL to walk it.
KNN = """
SELECT c.number, c.category_id, k.name_es, c.status, c.version, c.description,
    c.place_hint, c.filed_at, c.due_at, ST_X(c.location), ST_Y(c.location),
    c.location::geography(Point, 4326)
        <-> ST_SetSRID(ST_MakePoint(%s, %s), 4326)::geography AS metres
FROM cases_case AS c JOIN cases_category AS k ON k.code = c.category_id
WHERE c.entity_id = %s AND c.status = ANY(%s)
ORDER BY metres LIMIT %s
"""


def measure(bench: Bench, size: Size) -> Result:
    result = Result()
    with bench.django_on(size) as name:
        points = places_of_cases(name, POINTS)
        token = crew_token()
        try:
            with bench.server_on(name) as server:
                warm_up(server, asks_of(points[:8], token))
                heard = [
                    ask_for(600, server.port, 1, asks_of(points, token))
                    for _ in range(bench.pace.times)
                ]
        finally:
            User.objects.filter(username=CREW).delete()
    hand = [by_hand(name, points) for _ in range(bench.pace.times)]

    p50 = result.add(
        "311 móvil over HTTP, p50", (h.milliseconds(50) for h in heard), "ms"
    )
    p99 = result.add(
        "311 móvil over HTTP, p99", (h.milliseconds(99) for h in heard), "ms"
    )
    half = result.add(
        "KNN by hand, p50", (percentile(times, 50) * 1000 for times in hand), "ms"
    )
    limit = result.add(
        "KNN by hand, p99", (percentile(times, 99) * 1000 for times in hand), "ms"
    )
    result.targets += [
        at_most("p99", p99.middle, 30, "ms"),
        at_most("p99, times the limit's", p99.middle / limit.middle, 3),
    ]
    result.notes.append(
        f"{len(points)} places, one crew of {ENTITY}, {FOUND} cases each; in the middle"
        f" {p50.middle / half.middle:.1f} times the query by hand."
    )
    return result


def crew_token() -> str:
    user = User.objects.create_user(CREW)
    Membership.objects.create(user=user, entity=Entity.objects.get(code=ENTITY))
    _, token = get_token_model().objects.create(user=user)
    return str(token)


def asks_of(points: list[tuple[float, float]], token: str):
    def asks(_phone: int) -> Iterator[Ask]:
        for lon, lat in points:
            yield Ask(
                f"/api/v1/crew/cases/nearby/?lat={lat}&lon={lon}&radius=500000",
                headers={"Authorization": f"Token {token}"},
            )

    return asks


def by_hand(name: str, points: list[tuple[float, float]]) -> list[float]:
    seconds = []
    with databases.connect(name) as database:
        # Prepared, it would be planned for any statuses, and so without the index.
        database.prepare_threshold = None
        for lon, lat in points:
            start = time.perf_counter()
            values = [lon, lat, ENTITY, sorted(OPEN), FOUND]
            database.execute(KNN.encode(), values).fetchall()
            seconds.append(time.perf_counter() - start)
    return seconds
