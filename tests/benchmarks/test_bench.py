"""That the bench measures, says what is missed, and leaves nothing behind."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import isfinite
from types import SimpleNamespace

import pytest
from django.db import connection

from backend.cases.models import Case
from backend.cases.numbers import parse_case_number
from backend.cases.privacy import public_point
from provinces.places import place_at
from provinces.routing import NobodyAnswers, entity_for
from tests.benchmarks import databases, p3_heat, running
from tests.benchmarks.bench import QUICK, Bench, Size, size_of
from tests.benchmarks.figures import Result, at_least, at_most, percentile, spread
from tests.benchmarks.machine import Machine, NoRoom, want_room
from tests.benchmarks.phones import Ask, Refused, ask_for
from tests.benchmarks.table import Entry, Table, as_markdown, as_text

SMALL = size_of("2k")
FEW = size_of("500")
MACHINE = Machine(2, 8.0, "a processor", "3.11", "15", "3.3")

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def bench(django_db_setup, django_db_blocker, tmp_path_factory):
    with django_db_blocker.unblock():
        template = connection.settings_dict["NAME"]
        assert template.startswith("test_")
        folder = tmp_path_factory.mktemp("bench")
        with Bench(template, folder, QUICK) as small:
            # Now: PostgreSQL copies only a database that nobody is connected to.
            small.database(SMALL)
            small.database(FEW)
            yield small
        for name in small.made:
            assert databases.label_of(name) is None, "dropped at the end"


def entry(row: str = "P1", size: str = "10k", **fields) -> Entry:
    return Entry(
        **{
            "row": row,
            "waits_for": "something",
            "elsewhere": "a peer 1/s",
            "size": size,
            "cases": size_of(size).cases,
            "at": "2026-11-24T20:00+00:00",
            "seconds": 1.0,
            "load_before": 0.1,
            "load_after": 0.2,
            "result": Result(),
            **fields,
        }
    )


# ── Measuring ────────────────────────────────────────────────────────────────────


def test_a_row_is_measured_on_a_real_server_and_written_down(bench, tmp_path):
    table = Table(tmp_path / "bench.json")
    [measured] = running.entries(bench, ["P3"], [SMALL])
    table.put(measured)
    table.save(MACHINE)
    assert measured.failure == ""
    figures = [each.value.middle for each in measured.result.measured]
    assert len(figures) >= 5
    assert all(isfinite(figure) and figure > 0 for figure in figures)
    written = as_markdown(Table(tmp_path / "bench.json"))
    assert "## P3: the heat map" in written
    assert str(measured.result.targets[0]) in written


def test_a_size_is_measured_beside_the_fewest_cases_in_turn(bench, monkeypatch):
    """A moment when the machine is slow is one of both."""
    monkeypatch.setattr(p3_heat, "FEWEST", FEW)
    result = p3_heat.measure(bench, SMALL)
    p95, beside = (
        next(each.value for each in result.measured if each.who == who)
        for who in ("p95", "p95 with 500 cases, in turn")
    )
    [growth] = [target for target in result.targets if "times that" in target.what]
    assert growth.value == pytest.approx(p95.middle / beside.middle)
    assert all("times" not in each.what for each in p3_heat.measure(bench, FEW).targets)


def test_what_is_seeded_is_what_filing_would_have_made(bench):
    with bench.django_on(SMALL):
        cases = list(
            Case.objects.select_related("category__duty", "entity").order_by("id")
        )
        assert len(cases) == SMALL.cases
        assert [case.id for case in cases] == list(range(1, SMALL.cases + 1))
        for case in cases[::20]:
            place = place_at(case.location)
            assert case.number == parse_case_number(case.number)
            assert case.district_id == place.district.code
            assert case.corregimiento_id == (
                place.corregimiento.code if place.corregimiento else None
            )
            assert case.public_location == public_point(case.location, case.category)
            assert case.is_public is not case.category.private
            assert case.entity == answering(case, place)
            assert case.history.count() == (1 if case.status == "received" else 2)


def answering(case: Case, place):
    try:
        return entity_for(case.category.duty, place, case.filed_at.date())
    except NobodyAnswers:
        return None


def test_a_row_that_cannot_be_measured_says_so_and_the_rest_goes_on(bench, monkeypatch):
    def refused(*_asked) -> Result:
        raise Refused("/tiles/: 404")

    broken = SimpleNamespace(measure=refused, WAITS_FOR="tiles", ELSEWHERE="tipg 46/s")
    fine = SimpleNamespace(
        measure=lambda *_asked: Result(), WAITS_FOR="nothing", ELSEWHERE="nobody"
    )
    monkeypatch.setattr(running, "ROWS", {"P4": broken, "P5": fine})
    first, second = running.entries(bench, ["P4", "P5"], [SMALL])
    assert "Refused: /tiles/: 404" in as_text(first)
    assert second.failure == ""


class Refusing(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, *_said: object) -> None:
        """Nothing: a refusal is what is wanted."""


def test_a_refusal_is_no_answer():
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            with pytest.raises(Refused):
                ask_for(5, server.server_port, 2, lambda _phone: iter([Ask("/")]))
        finally:
            server.shutdown()


def test_without_room_nothing_is_seeded(tmp_path):
    with pytest.raises(NoRoom):
        want_room(tmp_path, 1e18)


# ── What is said of it ───────────────────────────────────────────────────────────


def test_a_missed_target_is_listed_with_its_distance(tmp_path):
    table = Table(tmp_path / "bench.json")
    missed = at_least("share of the bare view", 0.25, 0.5)
    reached = at_most("p99", 40, 60, "ms")
    table.put(entry(result=Result(targets=[missed, reached])))
    table.save(MACHINE)
    assert [target for _, target in table.missed()] == [missed]
    top = as_markdown(table).split("## P1")[0]
    assert (
        "P1 at 10k cases: share of the bare view: 0.25 (≥ 0.5): MISSED, 2 times" in top
    )
    assert "p99" not in top


def test_a_row_measured_again_takes_the_place_of_its_own(tmp_path):
    path = tmp_path / "bench.json"
    for figure in (1.0, 2.0):
        table = Table(path)
        result = Result()
        result.add("us", [figure], "s")
        table.put(entry(result=result))
        table.put(entry("P2"))
        table.save(MACHINE)
    [(_, [kept]), _] = Table(path).rows()
    assert kept.result.measured[0].value.middle == 2.0


def test_each_row_is_measured_at_the_size_it_is_about():
    sizes = [size_of(text) for text in ("10m", "10k", "1m")]
    assert running.plan(["P3", "P6"], sizes) == [
        ("P3", size_of("10k")),
        ("P3", size_of("1m")),
        ("P6", size_of("1m")),
        ("P3", size_of("10m")),
    ]


def test_sizes_are_written_as_people_do():
    assert size_of("10k") == Size("10k", 10_000)
    assert size_of("2500").cases == 2500
    for nonsense in ("", "k", "x1", "0"):
        with pytest.raises(ValueError):  # noqa: PT011 - of any words
            size_of(nonsense)


def test_figures_are_the_middle_one_and_the_ends():
    assert str(spread([3, 1, 2], "s")) == "2 (1 to 3) s"
    assert percentile([*range(1, 101)], 99) == 99
    assert percentile([5.0], 99) == 5.0
    with pytest.raises(ValueError, match="no figures"):
        spread([float("nan")], "s")
