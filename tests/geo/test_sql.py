"""SQLAlchemy's statements on Django's own connection."""

import pytest
import sqlalchemy as sa
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo import sql
from geo.tables import case, entity
from tests.backend.elsewhere import Elsewhere
from tests.factories import make_case
from tests.servers import cloned_database


def one_to(count: int) -> sa.Select[tuple[int]]:
    return sa.select(sa.func.generate_series(1, count).column_valued("value"))


def open_cursors() -> int:
    ((count,),) = sql.rows(sa.text("SELECT count(*) FROM pg_cursors"))
    return int(count)


def test_a_question_sees_what_this_transaction_has_written(squares):
    made = make_case()
    assert sql.rows(sa.select(case.c.number)) == [(made.number,)]


def test_a_question_is_one_statement_of_djangos(db, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert sql.rows(one_to(3)) == [(1,), (2,), (3,)]


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    text=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
    | st.sampled_from(["' OR 1=1 --", "%s", "%(a)s", "%", "\\", '"', ":x", "$1"])
)
def test_a_value_stays_a_value(db, text):
    assert sql.rows(sa.select(sa.literal(text))) == [(text,)]
    assert sql.rows(sa.select(entity.c.code).where(entity.c.code == text)) == []
    assert sql.rows(sa.select(sa.literal(text).in_([text, "x"]))) == [(True,)]


def test_a_value_is_not_in_the_text_of_the_statement():
    text, values = sql.compiled(sa.select(case.c.id).where(case.c.number == "MARCA"))
    assert "MARCA" not in text
    assert "MARCA" in values.values()


def test_a_stream_is_read_a_batch_at_a_time(db):
    count = 2 * sql.BATCH + 1
    numbers = sql.stream(one_to(count))
    found = [next(numbers)]
    # The rows stay in PostgreSQL until they are asked for.
    assert open_cursors() == 1
    found += numbers
    assert open_cursors() == 0
    assert found == [(value,) for value in range(1, count + 1)]


def test_a_stream_that_is_left_gives_everything_back(db):
    before = list(connection.savepoint_ids)
    numbers = sql.stream(one_to(10 * sql.BATCH))
    assert next(numbers) == (1,)
    assert len(connection.savepoint_ids) == len(before) + 1
    numbers.close()
    assert list(connection.savepoint_ids) == before
    assert open_cursors() == 0


def test_a_stream_that_breaks_says_so_after_the_batches_before(db):
    value = sa.func.generate_series(1, 10 * sql.BATCH).column_valued("value")
    seen: list[tuple[int, ...]] = []
    with pytest.raises(DatabaseError, match="zero"):
        seen.extend(sql.stream(sa.select(value / (value - 5 * sql.BATCH))))
    assert len(seen) == 4 * sql.BATCH
    assert open_cursors() == 0


# ── Patience ─────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def elsewhere(django_db_setup, django_db_blocker, tmp_path_factory):
    """Where questions are asked outside of any transaction, as the map asks them."""
    with cloned_database(django_db_blocker) as url:
        yield Elsewhere(url, tmp_path_factory.mktemp("elsewhere"))


@pytest.mark.django_db
@pytest.mark.parametrize("in_binary", [False, True])
def test_a_question_and_how_long_it_may_take_are_one_trip(elsewhere, in_binary):
    assert elsewhere.play("patience", int(in_binary)) == {
        "1234ms in 1": 1,
        "too long": 1,
        "as before": 1,
    }


@pytest.mark.parametrize("rows", [sql.rows, sql.rows_in_binary])
def test_within_a_transaction_the_limit_is_as_before_afterwards(db, rows):
    limit = sa.select(sa.func.current_setting("statement_timeout"))
    before = rows(limit)
    with sql.within(1234):
        assert rows(limit) == [("1234ms",)]
    with pytest.raises(sql.TooLong), sql.within(20):
        rows(sa.select(sa.func.pg_sleep(60)))
    assert rows(limit) == before


def test_in_binary_the_rows_are_the_same_and_no_cursor_stays(db):
    asked = sa.select(
        sa.func.generate_series(1, 3).column_valued("number"),
        sa.literal("¿a%b; ñ?"),
        sa.cast(sa.null(), sa.Integer()),
        sa.func.decode("00ff10", "hex", type_=sa.LargeBinary()),
    )
    found = [(number, "¿a%b; ñ?", None, b"\x00\xff\x10") for number in (1, 2, 3)]
    with CaptureQueriesContext(connection) as told:
        assert sql.rows_in_binary(asked) == found
    assert len(told) == 1
    assert sql.rows(asked) == found
    assert open_cursors() == 0
    assert sql.rows_in_binary(asked) == found
