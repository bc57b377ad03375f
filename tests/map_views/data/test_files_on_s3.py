"""Data files where photos are in an S3: made by one machine, given by any other."""

from __future__ import annotations

import hashlib
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.faults.ledger import REPORTS, letter
from tests.s3 import BUCKET, client_of, environment_of, s3_server
from tests.servers import Server, cloned_database

pytestmark = [
    pytest.mark.django_db,
    # botocore's, which says more than it needs to of the clock.
    pytest.mark.filterwarnings("ignore:datetime.datetime.utc:DeprecationWarning"),
]
TONIGHT = """
from django.utils import timezone
from map_views.data import builds
builds.ask_for_tonight(timezone.now())
"""
IN_TEN_DAYS = """
from datetime import timedelta
from django.utils import timezone
from map_views.data import builds
builds.throw_away(timezone.now() + timedelta(days=10))
"""


class Machines(NamedTuple):
    """Each has a disk of its own, where nothing that matters is; they share the rest."""

    worker: Server
    web: Server
    signing: Server
    endpoint: str

    def names(self) -> list[str]:
        found = client_of(self.endpoint).list_objects_v2(Bucket=BUCKET, Prefix="data/")
        return [each["Key"] for each in found.get("Contents", [])]

    def made(self, path: str) -> dict[str, str]:
        """The state of a file that is asked for at a web server, once it is there."""
        page = self.web.send(path).headers["Location"]
        self.worker.do_jobs()
        state: dict[str, str] = self.web.send(f"{page}.json").json()
        assert state["state"] == "ready"
        return state


@pytest.fixture(scope="module")
def machines(
    django_db_setup, django_db_blocker, tmp_path_factory
) -> Iterator[Machines]:
    with (
        cloned_database(django_db_blocker) as url,
        s3_server() as endpoint,
        ExitStack() as running,
    ):
        worker, web, signing = (
            Server(url, tmp_path_factory.mktemp(name), workers=1)
            for name in ("worker", "web", "signing")
        )
        for each in (worker, web, signing):
            each.environment |= environment_of(endpoint)
        signing.environment |= {"S3_SIGNED_LINKS": "yes"}
        running.enter_context(web)
        running.enter_context(signing)
        said = letter("Hueco")
        assert web.send(REPORTS, said.body, said.content_type).status == 201
        yield Machines(worker, web, signing, endpoint)


def path_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}"


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def test_what_a_worker_made_is_given_by_machines_that_never_had_it(machines):
    state = machines.made("/data/cases.gpkg")
    given = machines.web.send(path_of(state["file"]))
    assert given.status == 200
    assert digest(given.body) == state["sha256"]
    assert "311-movil-casos" in given.headers["Content-Disposition"]
    folders = [server.folder / "media" for server in machines[:3]]
    assert not any(folder.exists() for folder in folders)


def test_with_signed_links_its_bytes_do_not_pass_through_the_app(machines):
    state = machines.made("/data/cases.fgb")
    answer = machines.signing.send(path_of(state["file"]))
    assert (answer.status, answer.headers["Cache-Control"]) == (302, "no-store")
    link = answer.headers["Location"]
    assert link.startswith(machines.endpoint)
    assert parse_qs(urlsplit(link).query)["X-Amz-Expires"] == ["300"]
    with urllib.request.urlopen(link) as given:  # noqa: S310
        assert digest(given.read()) == state["sha256"]
        assert given.headers["Content-Type"] == "application/flatgeobuf"
        assert "311-movil-casos" in given.headers["Content-Disposition"]
    # Who has no link of ours gets none of the S3's either.
    path = path_of(state["file"])
    for address in (path.partition("?")[0], f"{path}x"):
        assert machines.signing.send(address).status == 404


def test_the_nightly_files_are_given_by_all_and_go_when_their_time_is_over(machines):
    machines.worker.manage("shell", "-c", TONIGHT)
    machines.worker.do_jobs()
    nightly = machines.web.rows(
        "SELECT name, sha256 FROM cases_datafile WHERE nightly AND state = 'ready'"
    )
    assert len(nightly) >= 5
    assert {name for name, _ in nightly} <= set(machines.names())
    catalogue = machines.web.send("/data/catalog.jsonld").body.decode()
    for _, known in nightly:
        assert known in catalogue

    machines.worker.manage("shell", "-c", IN_TEN_DAYS)
    machines.worker.do_jobs()
    assert machines.names() == []
