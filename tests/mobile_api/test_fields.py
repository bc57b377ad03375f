"""Numbers, points and moments from strangers."""

import json
from datetime import UTC, datetime, timedelta, timezone
from math import isfinite
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ValidationError

from mobile_api.fields import (
    FiniteFloatField,
    MomentField,
    PointField,
    TextUUIDField,
    from_form,
)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
longitudes = st.floats(-180, 180)
latitudes = st.floats(-90, 90)


def code_of(field, value) -> str:
    """Of the refusal of a value."""
    with pytest.raises(ValidationError) as refused:
        field.run_validation(value)
    codes = refused.value.get_codes()
    assert isinstance(codes, list)
    return str(codes[0])


def test_a_point_is_longitude_and_latitude():
    point = PointField().run_validation({"type": "Point", "coordinates": [-79.5, 9]})
    assert (point.x, point.y, point.srid, point.hasz) == (-79.5, 9.0, 4326, False)
    written = PointField().to_representation(point)
    assert written == {"type": "Point", "coordinates": [-79.5, 9.0]}


@given(lon=longitudes, lat=latitudes)
def test_a_point_is_read_as_it_was_written(lon, lat):
    sent = {"type": "Point", "coordinates": [lon, lat]}
    for form in (sent, json.dumps(sent)):
        assert PointField().run_validation(form).coords == (lon, lat)


@given(
    value=anything
    | st.fixed_dictionaries({"type": st.just("Point"), "coordinates": anything})
)
def test_whatever_is_sent_is_a_point_in_range_or_refused(value):
    try:
        point = PointField().run_validation(value)
    except ValidationError:
        return
    assert value["type"] == "Point"
    assert -180 <= point.x <= 180
    assert -90 <= point.y <= 90


@given(
    value=st.floats(allow_nan=False, allow_infinity=False)
    | st.integers(-(2**60), 2**60)
)
def test_a_number_is_read_from_json_and_from_a_form(value):
    field = FiniteFloatField()
    assert field.run_validation(value) == float(value)
    assert field.run_validation(repr(value)) == float(value)


@given(value=anything)
def test_whatever_is_sent_is_a_finite_number_or_refused(value):
    try:
        number = FiniteFloatField().run_validation(value)
    except ValidationError:
        return
    assert isfinite(number)
    assert not isinstance(value, bool)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (float("nan"), "invalid"),
        (float("-inf"), "invalid"),
        ("1e999", "invalid"),
        (10**400, "overflow"),
        (True, "invalid"),
        ("NaN", "invalid"),
        ("Infinity", "invalid"),
        ("1_000", "invalid"),
        ("١٢", "invalid"),
        ("0x1p3", "invalid"),
        ("8,5", "invalid"),
        ("9" * 41, "max_string_length"),
        ([1], "invalid"),
    ],
)
def test_what_is_no_finite_number_is_refused(value, code):
    assert code_of(FiniteFloatField(), value) == code


@given(value=st.uuids())
def test_a_uuid_is_read_from_its_text(value):
    assert TextUUIDField().run_validation(str(value)) == value


@pytest.mark.parametrize("value", [5, True, False, 10**40, -1, 5.0, uuid4(), "x", ""])
def test_a_uuid_is_nothing_but_text(value):
    assert code_of(TextUUIDField(), value) == "invalid"


@given(value=anything)
def test_whatever_is_sent_is_a_uuid_or_refused(value):
    try:
        assert TextUUIDField().run_validation(value) == UUID(value)
    except ValidationError:
        return


offsets = st.integers(-14 * 60, 14 * 60).map(
    lambda minutes: timezone(timedelta(minutes=minutes))
)


@given(moment=st.datetimes(timezones=offsets).filter(lambda at: 1 < at.year < 9999))
def test_a_moment_is_kept_whatever_the_clock_says(moment):
    assert MomentField().run_validation(moment.isoformat()) == moment


@given(
    moment=st.datetimes().map(datetime.isoformat)
    | st.sampled_from(["0001-01-01T00:00", "9999-12-31T23:59:59.999999"]),
    offset=st.sampled_from(["", "Z", "+14:00", "-12:00", "+23:59", "-23:59"]),
)
def test_a_moment_can_be_kept_in_utc_or_is_refused(moment, offset):
    try:
        read = MomentField().run_validation(moment + offset)
    except ValidationError:
        return
    assert 1 <= read.astimezone(UTC).year <= 9999


@given(value=anything)
def test_whatever_is_sent_is_a_moment_or_refused(value):
    try:
        read = MomentField().run_validation(value)
    except ValidationError:
        return
    assert read.tzinfo


def test_a_form_writes_as_json_what_is_not_text():
    assert from_form('{"name": "Ana"}') == {"name": "Ana"}
    assert from_form({"name": "Ana"}) == {"name": "Ana"}


@given(
    text=st.text(st.characters()) | st.sampled_from(["[" * 100_000, "NaN", "\ud800"])
)
def test_what_is_no_json_in_a_form_is_nothing(text):
    if from_form(text) is not None:
        json.loads(text)
