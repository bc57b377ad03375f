"""Whether the cases could be kept by month, as docs/scaling.md says: on a copy, for real."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.db.utils import NotSupportedError, ProgrammingError

from backend.cases.models import Case
from geo.export import geojson
from geo.filters import Filters
from geo.heatmap import heat
from tests.factories import make_case, make_category, make_territory

pytestmark = pytest.mark.django_db
DOCUMENT = Path(settings.BASE_DIR) / "docs" / "scaling.md"
MONTHS = [(2026, 1), (2026, 2), (2026, 3), (2026, 4)]
FEBRUARY = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)


def test_the_document_names_all_that_is_unique_in_a_case():
    found = column(
        "SELECT conname FROM pg_constraint"
        " WHERE conrelid = 'cases_case'::regclass AND contype IN ('p', 'u', 'x')"
        " UNION SELECT indexrelid::regclass::text FROM pg_index"
        " WHERE indrelid = 'cases_case'::regclass AND indisunique"
    )
    assert listed("What is unique in a case") == found


def test_the_document_names_all_that_points_to_a_case():
    found = column(
        "SELECT conrelid::regclass || '.' || attname FROM pg_constraint"
        " JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]"
        " WHERE contype = 'f' AND confrelid = 'cases_case'::regclass"
    )
    assert listed("What points to a case") == found


def test_the_document_names_all_triggers_of_a_case():
    found = column(
        "SELECT tgname FROM pg_trigger"
        " WHERE tgrelid = 'cases_case'::regclass AND NOT tgisinternal"
    )
    assert listed("What is done by a trigger") == found


def listed(heading: str) -> list[str]:
    """The first cells of the table below a heading."""
    section = DOCUMENT.read_text("utf-8").split(f"### {heading}\n")[1].split("\n#")[0]
    return sorted(re.findall(r"^\| `([^`]+)`", section, re.M))


@pytest.fixture
def by_month(db) -> None:
    """`by_month`, which has what `cases_case` has, in a partition for each month."""
    run(
        "CREATE TABLE by_month (LIKE cases_case INCLUDING DEFAULTS"
        " INCLUDING CONSTRAINTS INCLUDING GENERATED) PARTITION BY RANGE (filed_at)"
    )
    for year, month in MONTHS:
        run(
            f"CREATE TABLE by_month_{year}_{month:02} PARTITION OF by_month"
            f" FOR VALUES FROM ('{year}-{month:02}-01 00:00-05')"
            f" TO ('{year}-{month + 1:02}-01 00:00-05')"
        )


def test_all_indexes_work_by_month_but_those_that_are_unique(by_month):
    refused = []
    for name, definition in rows(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'cases_case'"
    ):
        made = definition.replace(name, f"by_month_{name}"[:60], 1)
        try:
            with transaction.atomic():
                run(made.replace("ON public.cases_case", "ON by_month"))
        except NotSupportedError:
            refused.append(name)
    assert sorted(refused) == listed("What is unique in a case")
    for unique in ("id", "number", "report_id"):
        run(f"ALTER TABLE by_month ADD UNIQUE ({unique}, filed_at)")


def test_nothing_can_point_to_a_case_by_its_id_alone(by_month):
    run("ALTER TABLE by_month ADD PRIMARY KEY (id, filed_at)")
    points = "CREATE TABLE pointing (case_id bigint {}REFERENCES by_month {})"
    refused = pytest.raises(ProgrammingError, match="no unique constraint")
    with refused, transaction.atomic():
        run(points.format("", "(id)"))
    run(
        "CREATE TABLE pointing (case_id bigint, filed_at timestamptz,"
        " FOREIGN KEY (case_id, filed_at) REFERENCES by_month (id, filed_at))"
    )


def test_what_a_case_points_to_and_its_triggers_work_by_month(by_month):
    for name, definition in rows(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = 'cases_case'::regclass AND contype = 'f'"
    ):
        run(f"ALTER TABLE by_month ADD CONSTRAINT {name} {definition}")
    for (definition,) in rows(
        "SELECT pg_get_triggerdef(oid) FROM pg_trigger"
        " WHERE tgrelid = 'cases_case'::regclass AND NOT tgisinternal"
    ):
        run(definition.replace(" ON public.cases_case ", " ON by_month "))


def test_what_reads_cases_reads_them_by_month_unchanged(by_month):
    make_territory()
    category = make_category()
    for year, month in MONTHS:
        for day in (2, 20):
            make_case(
                category=category, filed_at=datetime(year, month, day, tzinfo=UTC)
            )
    since, until = FEBRUARY
    asked = [Filters(), Filters(since=since, until=until), Filters(state="resolved")]
    before = [answers(filters) for filters in asked]
    assert [answer[2] for answer in before] == [8, 2, 0]

    run("SET CONSTRAINTS ALL IMMEDIATE")
    run("INSERT INTO by_month SELECT * FROM cases_case")
    run("ALTER TABLE cases_case RENAME TO whole")
    run("ALTER TABLE by_month RENAME TO cases_case")

    assert [answers(filters) for filters in asked] == before
    assert rows("SELECT count(*) FROM by_month_2026_02") == [(2,)]
    plan = str(
        rows(
            "EXPLAIN SELECT FROM cases_case"
            " WHERE filed_at >= '2026-02-10' AND filed_at < '2026-02-20'"
        )
    )
    assert "by_month_2026_02" in plan
    assert "by_month_2026_03" not in plan


def answers(filters: Filters) -> tuple[bytes, str, int, list[str]]:
    """Of the map, of the file, and of Django's own."""
    cells = heat(filters, zoom=9)
    numbers = Case.objects.public().filter(filed_at__gte=filters.since or FEBRUARY[0])
    return (
        b"".join(geojson(filters)),
        str(cells.cells),
        cells.total,
        list(numbers.order_by("id").values_list("number", flat=True)),
    )


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def rows(question: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(question)
        return list(cursor.fetchall())


def column(question: str) -> list[str]:
    return sorted({first for first, *_ in rows(question)})
