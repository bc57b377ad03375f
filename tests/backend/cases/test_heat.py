"""The heat's counts: what triggers add, folding and rebuilding."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from backend.cases import heat
from backend.cases.heat import fold, fold_batch, uncounted
from backend.cases.heat_anew import rebuild
from backend.cases.models import (
    Case,
    Category,
    HeatCell,
    HeatDays,
    HeatDelta,
    HeatGroup,
    HeatState,
    HeatTile,
    HeatTileDays,
)
from backend.cases.models.heat import LAYOUT
from backend.cases.tasks import fold_heat
from backend.cases.workflow import OPEN, RESOLVED, Status
from tests.factories import make_case, make_category, make_group, make_territory
from tests.geo.many import TOGETHER, multiply

# All that the rows say, month by month, and what the deltas will add to them.
TOLD = """
SELECT level, facet, key, place, entity, months[i],
    open[i] - coalesce(open[i - 1], 0), resolved[i] - coalesce(resolved[i - 1], 0),
    cases[i] - coalesce(cases[i - 1], 0)
FROM cases_heatcell, generate_subscripts(months, 1) AS i
"""
TILES = """
SELECT level, facet, (tile << 8) + told.cell, told.open, told.resolved, told.cases
FROM cases_heattile, unnest(cells, open, resolved, cases)
    AS told (cell, open, resolved, cases)
"""
# What they are to say, from the cells.
TILES_OF_CELLS = """
WITH whole AS (
    SELECT level, facet, key, place, open[cardinality(open)] AS open,
        resolved[cardinality(open)] AS resolved, cases[cardinality(open)] AS cases
    FROM cases_heatcell WHERE level >= 4
)
SELECT level, facet, key, sum(open), sum(resolved), sum(cases)
FROM whole GROUP BY 1, 2, 3
UNION ALL
SELECT level, 'p/' || code, key, sum(open), sum(resolved), sum(cases)
FROM whole JOIN (
    SELECT code FROM provinces_province UNION ALL SELECT code FROM provinces_district
    UNION ALL SELECT code FROM provinces_corregimiento
) AS places ON starts_with(place, code)
WHERE facet = '' GROUP BY 1, 2, 3
"""
# The cases one by one, and what there are.
DAYS = """
SELECT days, facet, entity, district, west, north, east, south, encode(cases, 'hex')
FROM cases_heatdays
"""
DAYS_OF_CASES = """
SELECT cases_heat_month(filed_at) * 4 + cases_heat_quarter(filed_at) / 32, facet,
    of_entity, district_id,
    min(cases_heat_x(public_location)), min(cases_heat_y(public_location)),
    max(cases_heat_x(public_location)), max(cases_heat_y(public_location)),
    string_agg(lpad(to_hex(told), 16, '0'), '' ORDER BY told)
FROM cases_case JOIN cases_category ON code = category_id, LATERAL (
    VALUES ('', ''), ('e/' || entity_id, ''), ('c/' || category_id, coalesce(entity_id, '')),
        ('g/' || group_id, '')
) AS facets (facet, of_entity), cases_heat_number(
    cases_heat_quarter(filed_at), cases_heat_x(public_location),
    cases_heat_y(public_location), CASE WHEN status IN ('closed', 'resolved') THEN 2
        WHEN status IN ('cancelled', 'merged', 'rejected') THEN 0 ELSE 1 END,
    coalesce(corregimiento_id, district_id)
) AS told
WHERE facet IS NOT NULL
GROUP BY 1, 2, 3, 4
"""
# In tiles, likewise.
TILE_DAYS = """
SELECT level, days, tile, encode(cases, 'hex') FROM cases_heattiledays
"""
TILE_DAYS_OF_CASES = """
SELECT level, cases_heat_month(filed_at) * 4 + quarter / 32, key >> 8,
    string_agg(lpad(to_hex(told), 4, '0'), '' ORDER BY told)
FROM cases_case, generate_series(4, 14) AS level,
    cases_heat_quarter(filed_at) AS quarter, cases_heat_key(
        level, cases_heat_x(public_location) >> 14 - level,
        cases_heat_y(public_location) >> 14 - level
    ) AS key, LATERAL (
        SELECT quarter % 32 * 1024 + key % 256 + CASE
            WHEN status IN ('closed', 'resolved') THEN 512
            WHEN status IN ('cancelled', 'merged', 'rejected') THEN 0 ELSE 256
        END
    ) AS cases (told)
GROUP BY 1, 2, 3
"""
# Cases of every state, with an entity or none, and with a corregimiento or none.
MIXED = {
    "status": "(ARRAY['received','closed','rejected'])[1 + n % 3]",
    "entity_id": "CASE WHEN n % 5 = 0 THEN NULL ELSE entity_id END",
    "corregimiento_id": "CASE WHEN n % 7 = 0 THEN NULL ELSE corregimiento_id END",
}
# One in each of very many tiles, some six kilometres from the next.
FAR_APART = "ST_SetSRID(ST_MakePoint(-83 + n % 60 * .09, 7 + n / 60 * .06), 4326)"
DELTAS = "SELECT sum(cases) FROM cases_heatdelta"


@pytest.fixture
def squares(db):
    make_territory()
    make_category()


def told() -> set[tuple[Any, ...]]:
    return set(answers(TOLD))


def answers(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def total() -> int:
    """Of the whole country, folded or not: what a reader sums in one statement."""
    ((count,),) = answers(f"""
        SELECT coalesce(sum(n), 0) FROM (
            SELECT cases[cardinality(cases)] AS n
            FROM cases_heatcell WHERE level = 0 AND facet = ''
            UNION ALL {DELTAS}
        ) AS counted
    """)  # noqa: S608
    return int(count)


def test_a_case_is_a_delta_until_it_is_folded_into_every_level(squares):
    make_case()
    delta = HeatDelta.objects.get()
    assert (delta.open, delta.resolved, delta.cases) == (1, 0, 1)
    assert (delta.place, delta.category, delta.entity) == ("900101", "PRU-01", "OBRAS")
    assert fold() == 1
    assert not HeatDelta.objects.exists()
    # At the fifteen levels: for all, for the entity, for the category and for its group.
    assert HeatCell.objects.count() == 4 * 15
    assert {tuple(row.open) for row in HeatCell.objects.all()} == {(1,)}
    # And in a tile at each of the eleven that are grids: for all, for the entity, for the
    # category, for its group, and for each of three places around.
    tiles = HeatTile.objects.all()
    assert [(row.open, row.resolved, row.cases) for row in tiles] == (
        [([1], [0], [1])] * 7 * 11
    )
    # And by itself: for the same.
    rows = HeatDays.objects.order_by("facet")
    assert [(row.facet, row.entity, row.district) for row in rows] == [
        ("", "", "9001"),
        ("c/PRU-01", "OBRAS", "9001"),
        ("e/OBRAS", "", "9001"),
        ("g/PRU", "", "9001"),
    ]
    assert [len(row.cases) for row in rows] == [8, 8, 8, 8]
    assert [len(row.cases) for row in HeatTileDays.objects.all()] == [2] * 11


def test_a_status_of_another_kind_moves_a_case_over(squares):
    case = make_case()
    fold()
    Case.objects.filter(pk=case.pk).update(status=Status.RESOLVED)
    assert fold() == 2
    for row in HeatCell.objects.all():
        assert (row.open, row.resolved, row.cases) == ([0], [1], [1])
    Case.objects.filter(pk=case.pk).update(status=Status.CANCELLED)
    fold()
    for row in HeatCell.objects.all():
        assert (row.open, row.resolved, row.cases) == ([0], [0], [1])


def test_the_last_case_of_a_cell_takes_its_rows_along(squares):
    case = make_case()
    fold()
    case.delete()
    fold()
    assert not HeatCell.objects.exists()
    assert not HeatTile.objects.exists()
    assert not HeatDays.objects.exists()
    assert not HeatTileDays.objects.exists()


def test_what_shows_nothing_on_the_map_adds_nothing(squares):
    make_case(category=make_category("PRI-01", precision="none", private=True))
    make_case(category=make_category("PRI-02", precision="none"))
    case = make_case()
    before = HeatDelta.objects.count()
    assert before == 1
    Case.objects.filter(pk=case.pk).update(description="Otra", version=2)
    assert HeatDelta.objects.count() == before


def test_the_trigger_knows_the_workflows_open_and_resolved(db):
    ((source,),) = answers(
        "SELECT prosrc FROM pg_proc WHERE proname = 'cases_heat_note'"
    )
    lists = re.findall(r"status IN \(([^)]*)\)\)::integer AS (open|resolved)", source)
    assert lists
    for words, state in lists:
        expected = {"open": OPEN, "resolved": RESOLVED}[state]
        assert set(re.findall(r"'(\w+)'", words)) == {
            str(status) for status in expected
        }


def test_rebuilding_tells_what_folding_told(squares):
    multiply(
        make_case(),
        300,
        **MIXED,
        filed_at="filed_at - n * interval '1 day'",
        updated_at="filed_at",
    )
    while fold_batch(70):
        pass
    folded = told()
    rebuild()
    assert told() == folded
    assert len(folded) > 5_000
    # By its name, for the next one to take its place.
    rebuild()
    assert told() == folded


def test_a_tile_says_what_its_cells_come_to(squares):
    multiply(make_case(), 300, **MIXED)
    while fold_batch(70):
        pass
    Case.objects.filter(number__endswith="3").update(status=Status.RESOLVED)
    Case.objects.filter(number__endswith="7").delete()
    fold()
    folded = answers(TILES)
    assert set(folded) == set(answers(TILES_OF_CELLS))
    assert len(folded) == len(set(folded)) > 500
    rows = HeatTile.objects.values_list("cells", flat=True)
    assert all(cells == sorted(cells) for cells in rows)
    rebuild()
    assert set(answers(TILES)) == set(folded)
    assert all(cells == sorted(cells) for cells in rows.all())


def test_folding_does_not_take_longer_where_a_table_is_believed_to_be_empty(squares):
    believe_the_tables_empty()
    multiply(make_case(), 199)
    fold_batch(100)
    plan = plan_of_a_fold(100)
    assert HeatDelta.objects.count() == 0
    rows = HeatCell.objects.count()
    assert rows > 2000
    # Each row is looked at some times, and not once for each of the others.
    assert max(looked_at(plan)) < 20 * rows


def test_nor_do_rows_take_longer_to_go_there(squares):
    believe_the_tables_empty()
    multiply(make_case(), 199)
    fold()
    rows = HeatCell.objects.count()
    Case.objects.all().delete()
    plan = plan_of_a_fold(200)
    assert HeatCell.objects.count() == HeatTile.objects.count() == 0
    assert rows > 2000
    assert max(looked_at(plan)) < 20 * rows


def believe_the_tables_empty() -> None:
    """As PostgreSQL does after a fold that was broken off."""
    multiply(make_case(), 200)
    fold()
    Case.objects.all().delete()
    fold()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE cases_heatcell, cases_heattile, cases_heatdays")


def plan_of_a_fold(most: int) -> dict[str, Any]:
    """How it was carried out: it is, too."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {heat.FOLD}", {"most": most})
        (((explained,),),) = cursor.fetchall()
    plan: dict[str, Any] = explained["Plan"]
    return plan


def test_ever_so_many_rows_may_lose_their_last_case_at_once(squares):
    multiply(
        make_case(),
        1800,
        public_location=FAR_APART,
        filed_at="filed_at - n % 50 * interval '8 days'",
        updated_at="filed_at",
    )
    fold()
    assert HeatTileDays.objects.count() > 10_000
    Case.objects.all().delete()
    assert fold_batch(5000) > 1800
    assert not HeatTileDays.objects.exists()
    assert not HeatDays.objects.exists()
    assert not HeatCell.objects.exists()


def looked_at(node: dict[str, Any]) -> Iterator[float]:
    """How many rows each part of a plan has had in hand."""
    removed = sum(count for name, count in node.items() if "Rows Removed" in name)
    yield (node["Actual Rows"] + removed) * node["Actual Loops"]
    for part in node.get("Plans", []):
        yield from looked_at(part)


def test_eight_days_have_each_of_their_cases_once(squares):
    multiply(
        make_case(),
        300,
        **MIXED,
        filed_at="filed_at - n % 50 * interval '1 day'",
        updated_at="filed_at",
        public_location=TOGETHER,
    )
    while fold_batch(70):
        pass
    Case.objects.filter(number__endswith="3").update(status=Status.RESOLVED)
    Case.objects.filter(number__endswith="7").delete()
    while fold_batch(7):
        pass
    folded = sorted(answers(DAYS))
    in_tiles = sorted(answers(TILE_DAYS))
    assert folded == sorted(answers(DAYS_OF_CASES))
    assert in_tiles == sorted(answers(TILE_DAYS_OF_CASES))
    assert max(len(cases) for *_, cases in folded) > 20 * 16
    assert max(len(cases) for *_, cases in in_tiles) > 40 * 4
    rebuild()
    assert sorted(answers(DAYS)) == folded
    assert sorted(answers(TILE_DAYS)) == in_tiles


def test_an_update_to_this_version_finds_the_cases_that_were_folded(squares):
    multiply(make_case(), 60, **MIXED, public_location=TOGETHER)
    fold_batch(40)
    Case.objects.filter(number__endswith="3").update(status=Status.RESOLVED)
    Case.objects.filter(number__endswith="7").delete()
    folded = sorted(answers(DAYS)), sorted(answers(TILE_DAYS))
    HeatDays.objects.all().delete()
    HeatTileDays.objects.all().delete()
    migration = import_module("backend.cases.migrations.0016_heat_by_eight_days")
    with connection.cursor() as cursor:
        cursor.execute(migration.FILLED)
    assert (sorted(answers(DAYS)), sorted(answers(TILE_DAYS))) == folded
    assert len(folded[0]) == 5 < len(folded[1])


def test_a_worker_of_an_earlier_version_cannot_fold(squares):
    make_case()
    fold()
    make_case()
    earlier = heat.FOLD.replace(f", {LAYOUT} FROM taken", ", 1 FROM taken")
    assert earlier != heat.FOLD
    with (
        pytest.raises(IntegrityError, match="layout"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(earlier, {"most": 10})
    assert HeatDelta.objects.count() == 1
    assert fold() == 1


def counted_in() -> dict[str, str]:
    """Of the categories of these tests, of which the catalogue has none."""
    groups = HeatGroup.objects.filter(category__in=["PRU-01", "OTR-01"])
    return dict(groups.values_list("category", "counted_in"))


def test_a_category_goes_on_being_counted_in_its_group_until_the_heat_is_rebuilt(
    squares,
):
    other = make_group("OTR")
    make_case()
    fold()
    assert counted_in() == {"PRU-01": "PRU"}
    Category.objects.update(group=other)
    make_case()
    make_case(category=make_category("OTR-01", group=other))
    fold()
    assert counted_in() == {"PRU-01": "PRU", "OTR-01": "OTR"}
    whole = HeatCell.objects.filter(level=0)
    assert whole.get(facet="g/PRU").cases == [2]
    assert whole.get(facet="g/OTR").cases == [1]
    rebuild()
    assert counted_in() == {"PRU-01": "OTR", "OTR-01": "OTR"}
    assert whole.get(facet="g/OTR").cases == [3]
    assert not whole.filter(facet="g/PRU").exists()


def test_what_was_counted_before_groups_were_is_in_none_until_the_heat_is_rebuilt(
    squares,
):
    make_case()
    fold()
    HeatGroup.objects.all().delete()
    HeatCell.objects.filter(facet="g/PRU").delete()
    make_case()
    fold()
    assert counted_in() == {}
    assert not HeatCell.objects.filter(facet="g/PRU").exists()
    rebuild()
    assert counted_in() == {"PRU-01": "PRU"}
    assert HeatCell.objects.get(level=0, facet="g/PRU").cases == [2]


def test_sums_are_the_same_at_every_level(squares):
    multiply(make_case(), 200)
    fold()
    sums = answers("""
        SELECT level, left(facet, 1), sum(open[cardinality(open)])
        FROM cases_heatcell GROUP BY 1, 2
    """)
    assert len(sums) == 4 * 15
    assert {count for *_, count in sums} == {201}


def test_millions_may_be_filed_without_counting_and_counted_then(squares):
    case = make_case()
    with uncounted():
        multiply(case, 50)
    assert (HeatDelta.objects.count(), total()) == (1, 1)
    call_command("rebuild_heat", verbosity=0)
    assert (HeatDelta.objects.count(), total()) == (0, 51)
    make_case()
    assert total() == 52


def test_the_job_folds(squares):
    make_case()
    fold_heat(timestamp=0)
    assert (HeatDelta.objects.count(), total()) == (0, 1)
    assert HeatState.objects.get().folded == 1


def test_two_do_not_fold_at_once(elsewhere):
    """The minutely job leaves it for the next minute; a person is told."""
    assert elsewhere.play("fold_while_folded") == {
        "fold: TryLater": 1,
        "fold_heat: done": 1,
        "rebuild_heat: CommandError": 1,
    }


def test_no_case_is_lost_or_counted_twice_while_all_happens_at_once(elsewhere):
    """Writers, some of what they do undone, one that folds, one that rebuilds, a reader."""
    met = elsewhere.play("heat_at_once", 15)
    assert met.pop("read right") > 20
    assert met.pop("folded") > 0
    assert met.pop("rebuilt") > 0
    assert met == {"done": 7, "at the end right": 1, "rebuilt the same": 1}
