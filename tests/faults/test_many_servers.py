"""Several servers of one database are one: nothing that matters is kept in a process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.factories import make_photo
from tests.faults.ledger import REPORTS, letter
from tests.servers import Server, cloned_database, form

pytestmark = pytest.mark.django_db
PANAMA_CITY = [-79.52, 8.99]
PLACE = "/api/v1/places/at/?lat=8.99&lon=-79.52"
# Of those without a token, from one range of addresses: see `RATES`.
FREE_REPORTS = 5
MORE = 7


@pytest.fixture(scope="module")
def servers(
    django_db_setup, django_db_blocker, tmp_path_factory
) -> Iterator[tuple[Server, Server]]:
    """Two of them, as on two machines: they share the database and the photos."""
    folder = tmp_path_factory.mktemp("servers")
    with cloned_database(django_db_blocker) as url:
        one, other = (
            Server(url, folder, workers=1, LIMITS_FACTOR="1") for _ in range(2)
        )
        with one, other:
            yield one, other


@pytest.fixture(autouse=True)
def nothing_used_yet(servers) -> None:
    servers[0].rows("DELETE FROM accounts_allowance RETURNING key")


def test_what_is_filed_at_one_is_there_at_the_other(servers):
    one, other = servers
    report = letter("Hueco")
    filed = one.send(REPORTS, report.body, report.content_type).json()
    again = other.send(REPORTS, report.body, report.content_type)
    assert (again.status, again.json()["number"]) == (200, filed["number"])
    case = other.send(f"/api/v1/cases/{filed['number']}/")
    assert case.json()["number"] == filed["number"]
    (newest,) = other.send("/data/cases.geojson?limit=1").json()["features"]
    assert newest["id"] == filed["number"]


def test_a_photo_comes_to_one_and_is_seen_at_the_other(servers):
    one, other = servers
    said = {
        "id": str(uuid4()),
        "category": "VIA-02",
        "location": {"type": "Point", "coordinates": PANAMA_CITY},
    }
    filed = one.send(REPORTS, *form(said, make_photo((64, 48)))).json()
    one.do_jobs()
    (photo,) = other.send(f"/api/v1/cases/{filed['number']}/").json()["photos"]
    path = photo["url"].partition("/fotos/")[2]
    assert [each.send(f"/fotos/{path}").status for each in servers] == [200, 200]


def test_a_limit_is_one_for_all_of_them(servers):
    met: Counter[bool] = Counter()
    for number in range(FREE_REPORTS + MORE):
        report = letter(f"Hueco {number}")
        answer = servers[number % 2].send(REPORTS, report.body, report.content_type)
        met[answer.status == 201] += 1
    assert met == {True: FREE_REPORTS, False: MORE}


def test_new_boundaries_are_in_force_at_all_of_them_with_the_next_question(servers):
    before = [each.send(PLACE).json() for each in servers]
    assert [answer["district"]["code"] for answer in before] == ["0808", "0808"]
    # Without this district the point is in none, and the nearest is another.
    servers[0].rows(
        "WITH old AS (UPDATE provinces_generation SET is_active = false"
        "  WHERE is_active RETURNING id)"
        " SELECT id FROM old"
    )
    ((new,),) = servers[0].rows(
        "INSERT INTO provinces_generation (source, loaded_at, is_active)"
        " VALUES ('without Panamá', now(), true) RETURNING id"
    )
    servers[0].rows(
        "INSERT INTO provinces_boundary (generation_id, level, code, outline, approximate)"
        " SELECT %s, level, code, outline, approximate FROM provinces_boundary"
        " WHERE code NOT LIKE '0808%%' AND generation_id = (SELECT max(generation_id)"
        " FROM provinces_boundary) RETURNING id",
        new,
    )
    after = [each.send(PLACE).json() for each in servers]
    assert after[0] == after[1]
    assert after[0] != before[0]
