"""Cases by the thousand, made by PostgreSQL itself."""

from __future__ import annotations

import re
from typing import Any

from django.db import connection
from django.db.models import Model
from django.test.utils import CaptureQueriesContext

from backend.cases.models import Case
from geo.cells import Box

# The test territory, and nothing else.
AROUND = Box(-80.0, 8.5, -79.8, 8.6)
ELSEWHERE = """ST_SetSRID(ST_MakePoint(
    -80.0 + (n::bigint * 7919 % 10007) / 50035.0, 8.5 + (n::bigint * 104729 % 10009) / 100090.0
), 4326)"""
# Some of them together, so that a cell may hold several.
TOGETHER = "ST_SetSRID(ST_MakePoint(-80 + n % 37 / 185.0, 8.5 + n % 11 / 110.0), 4326)"


def multiply(case: Case, count: int, using: Any = connection, **columns: str) -> None:
    """So many copies of a case all over the test territory; `n` numbers them."""
    changed = {
        "number": "'M' || lpad(n::text, 9, '0')",
        "report_id": "gen_random_uuid()",
        "location": ELSEWHERE,
        "public_location": ELSEWHERE,
        **columns,
    }
    copy(case, count, changed, using)
    with using.cursor() as cursor:
        cursor.execute("ANALYZE cases_case, cases_heatdelta")


def multiply_over_years(case: Case) -> None:
    """Four thousand copies, for nearly seven years from its day on."""
    multiply(
        case,
        4000,
        number="'N' || lpad(n::text, 9, '0')",
        filed_at="filed_at + n % 2400 * interval '1 day'",
        updated_at="filed_at + interval '10 years'",
        public_location=TOGETHER,
    )


def copy(
    row: Model, count: int, changed: dict[str, str], using: Any = connection
) -> None:
    """So many copies of a row, with other values in some columns; `n` numbers them."""
    table = row._meta.db_table
    names = [
        str(field.column)
        for field in row._meta.local_fields
        if not field.primary_key or field.column in changed
    ]
    values = [changed.get(name, f"{table}.{name}") for name in names]
    with using.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(values)} "  # noqa: S608
            f"FROM {table}, generate_series(1, {count}) AS n "
            f"WHERE {table}.id = '{row.pk}'"
        )


def plan_of(question: Any) -> str:
    """How PostgreSQL answers the one statement that a question makes."""
    with CaptureQueriesContext(connection) as asked:
        question()
    tables = ("cases_case", "cases_heatcell", "cases_heattile")
    (statement,) = (q["sql"] for q in asked if any(t in q["sql"] for t in tables))
    statement = statement[statement.index("SELECT") :]
    statement = re.split(r"; FETCH ALL|\) TO STDOUT", statement)[0]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}")
        return "\n".join(line for (line,) in cursor.fetchall())
