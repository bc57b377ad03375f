"""What a reader of the map asks for, read and checked once."""

import json
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from geo.filters import STATES, Box, Filters
from map_views.parameters import (
    LONGEST_VALUE,
    MOST_CODES,
    ZOOMS,
    InvalidParameters,
    Parameters,
)


def read(**query: str) -> Filters:
    parameters = Parameters(QueryDict(urlencode(query)))
    filters = parameters.filters()
    parameters.check()
    return filters


def wrong(**query: str) -> set[str]:
    """The names of the parameters that are refused."""
    with pytest.raises(InvalidParameters) as refused:
        read(**query)
    assert all(refused.value.problems.values())
    return set(refused.value.problems)


def test_everything_that_can_be_asked_is_read():
    assert read(
        bbox="-80,8,-79,9",
        state="open",
        category="ALU-01, ALU-02",
        group="ALU",
        entity="OBRAS",
        place="0801",
        since="2026-03-01",
        until="2026-03-31",
        changed_since="2026-03-05T10:00:00-05:00",
    ) == Filters(
        state="open",
        box=Box(-80, 8, -79, 9),
        categories=("ALU-01", "ALU-02"),
        groups=("ALU",),
        entity="OBRAS",
        place="0801",
        since=datetime(2026, 3, 1, 5, tzinfo=UTC),
        until=datetime(2026, 4, 1, 5, tzinfo=UTC),
        changed_since=datetime(2026, 3, 5, 15, tzinfo=UTC),
    )


def test_the_last_day_is_not_before_the_first():
    assert read(since="2026-03-01", until="2026-03-01").until
    assert wrong(since="2026-03-02", until="2026-03-01") == {"until"}
    assert wrong(since="2026-03-02T00:00:00-05:00", until="2026-03-01") == {"until"}


def test_nothing_asked_is_everything():
    assert read() == Filters()
    assert (
        read(bbox="", state="", category="", place=" ", since="", until="") == Filters()
    )
    assert read(unknown="1", zoom="x") == Filters()


def test_codes_may_be_repeated_or_listed():
    parameters = Parameters(QueryDict("category=B,A&category=C,,A"))
    assert parameters.codes("category") == ("A", "B", "C")


@pytest.mark.parametrize("text", [",", " , ", ",,,"])
@pytest.mark.parametrize("name", ["category", "group"])
def test_a_list_that_names_nothing_is_not_everything(name, text):
    assert wrong(**{name: text}) == {name}


@pytest.mark.parametrize("name", ["state", "bbox", "place", "since", "entity"])
def test_of_two_values_none_is_chosen(name):
    parameters = Parameters(QueryDict(f"{name}=&{name}="))
    parameters.filters()
    assert parameters.problems.keys() == {name}


def test_what_nobody_has_read_can_be_refused():
    parameters = Parameters(QueryDict("state=open&limit=5&grupo=VIA&State=all"))
    parameters.filters()
    parameters.integer("limit", 0, range(1, 10))
    parameters.refuse_the_rest()
    assert parameters.problems.keys() == {"grupo", "State"}


@pytest.mark.parametrize("state", STATES)
def test_a_state_is_one_of_three(state):
    assert read(state=state).state == state
    assert wrong(state=state.upper()) == {"state"}


@pytest.mark.parametrize(
    "bbox",
    [
        "1,2,3",
        "1,2,3,4,5",
        "a,b,c,d",
        "1;2;3;4",
        ",,,",
        "nan,nan,nan,nan",
        "-180,-90,nan,90",
        "-inf,-90,inf,90",
        "-1e999,0,0,1",
        "-180.1,0,0,1",
        "0,-90.1,0,1",
        "0,0,180.1,1",
        "0,0,1,90.1",
        "1,0,0,1",
        "0,1,1,0",
        '{"type":"Point"}',
        "SRID=3857;POINT(0 0)",
        "-8_0,8,-7_9,9",
        "-٨,8,9,9",
    ],
)
def test_a_box_that_is_none_is_refused(bbox):
    assert wrong(bbox=bbox) == {"bbox"}


@given(
    across=st.tuples(st.floats(-180, 180), st.floats(-180, 180)).map(sorted),
    up=st.tuples(st.floats(-90, 90), st.floats(-90, 90)).map(sorted),
)
def test_a_box_is_read_as_it_was_written(across, up):
    (west, east), (south, north) = across, up
    box = read(bbox=f"{west},{south}, {east} ,{north}").box
    assert box == Box(west, south, east, north)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-03-01", datetime(2026, 3, 1, 5, tzinfo=UTC)),
        ("2026-03-01T00:00", datetime(2026, 3, 1, 5, tzinfo=UTC)),
        ("2026-03-01 00:00:00Z", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T00:00:00-05:00", datetime(2026, 3, 1, 5, tzinfo=UTC)),
        # PostgreSQL itself takes no offset beyond 15:59.
        ("2026-03-01T00:00:00+23:59", datetime(2026, 2, 28, 0, 1, tzinfo=UTC)),
        # In an address a plus sign is a blank, and programs forget it.
        ("2026-03-01T00:00:00 00:00", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01T09:00 0900", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-03-01 09:00:00.5 09:00", datetime(2026, 3, 1, 0, 0, 0, 500_000, UTC)),
        # And one before the time is only that.
        ("2026-03-01 09:00", datetime(2026, 3, 1, 14, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_day_in_panama_or_iso_8601(written, moment):
    since = read(since=written).since
    assert since == moment
    assert since.tzinfo is UTC


def test_until_a_day_is_until_its_end():
    assert read(until="2026-02-28").until == datetime(2026, 3, 1, 5, tzinfo=UTC)
    moment = read(until="2026-02-28T00:00:00-05:00").until
    assert moment == datetime(2026, 2, 28, 5, tzinfo=UTC)


@pytest.mark.parametrize("name", ["since", "until", "changed_since"])
@pytest.mark.parametrize(
    "written",
    [
        "ayer",
        "2026-02-30",
        "2026-03-01T25:00",
        "2026-13-01",
        "0",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59",
    ],
)
def test_a_moment_that_is_none_is_refused(name, written):
    assert wrong(**{name: written}) == {name}


@given(
    moment=st.datetimes().map(datetime.isoformat)
    | st.dates().map(str)
    | st.text(st.characters(codec="utf-8"), max_size=30),
    offset=st.sampled_from(["", "Z", "+14:00", "-12:00", "+23:59", "-23:59"]),
)
def test_whatever_is_written_is_a_moment_in_utc_or_refused(moment, offset):
    try:
        filters = read(since=moment + offset, until=moment + offset)
    except InvalidParameters:
        return
    for at in (filters.since, filters.until):
        assert at is None or at.tzinfo is UTC


def test_a_place_has_the_code_of_a_level():
    assert read(place="08").place == "08"
    assert read(place="080101").place == "080101"
    assert wrong(place="8") == {"place"}
    assert wrong(place="080") == {"place"}
    assert wrong(place="0801011") == {"place"}


@pytest.mark.parametrize("name", ["entity", "category", "group", "place", "state"])
def test_what_no_column_can_hold_is_refused(name):
    assert wrong(**{name: "a\0b"}) == {name}


def test_too_many_codes_are_refused():
    codes = [f"C{n}" for n in range(MOST_CODES + 1)]
    assert wrong(category=",".join(codes)) == {"category"}
    assert len(read(category=",".join(codes[1:])).categories) == MOST_CODES


def test_too_long_a_value_is_refused():
    assert wrong(entity="a" * (LONGEST_VALUE + 1)) == {"entity"}


def test_everything_wrong_is_told_at_once():
    assert wrong(bbox="x", state="x", since="x", place="x") == {
        "bbox",
        "state",
        "since",
        "place",
    }


@pytest.mark.parametrize("text", ["4", "18", "07"])
def test_a_whole_number_is_read(text):
    parameters = Parameters(QueryDict(f"zoom={text}"))
    assert parameters.integer("zoom", 8, ZOOMS) == int(text)
    parameters.check()


@pytest.mark.parametrize(
    "text", ["3", "19", "8.0", "8,0", "-8", "+8", "1e1", "x", "٨", "²", "9" * 30, "\0"]
)
def test_a_number_out_of_range_is_refused(text):
    parameters = Parameters(QueryDict(urlencode({"zoom": text})))
    assert parameters.integer("zoom", 8, ZOOMS) == 8
    assert parameters.problems.keys() == {"zoom"}


@given(
    query=st.dictionaries(
        st.sampled_from([*Filters.__dataclass_fields__, "bbox", "category", "group"]),
        st.text(st.characters(codec="utf-8")),
    )
)
def test_any_query_is_read_or_refused_by_its_names(query):
    parameters = Parameters(QueryDict(urlencode(query)))
    assert isinstance(parameters.filters(), Filters)
    assert parameters.problems.keys() <= query.keys()


def test_the_refusal_says_which_and_why():
    response = InvalidParameters({"zoom": "Debe ser otro."}).response()
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    body = json.loads(response.content)
    assert body["type"] == "/problems/invalid-parameters"
    assert body["status"] == 400
    assert body["errors"] == [
        {"pointer": "?zoom", "code": "invalid", "detail": "Debe ser otro."}
    ]
