"""Bodies, read strictly and no further than they may be long."""

import json
from io import BytesIO
from typing import Any

import orjson
import pytest
from django.core.exceptions import RequestDataTooBig
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError

from backend.cases.photo_headers import MOST_BYTES, MOST_PHOTOS
from mobile_api.parsers import PhotosParser, StrictJSONParser
from mobile_api.renderers import JSONRenderer
from tests.mobile_api.calls import REPORTS, problem_of, report_body, send

GIGABYTE = 1024**3


class Endless(BytesIO):
    """A body that counts how much of it is read."""

    read_so_far = 0

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert size >= 0, "nothing bounds this read"
        self.read_so_far += size
        return b"x" * size

    readline = read


def announcing_a_gigabyte(body: Endless, content_type: str) -> dict[str, Any]:
    """What the server hands on of a request before any of its body is read."""
    return {
        "wsgi.input": body,
        "CONTENT_LENGTH": str(GIGABYTE),
        "CONTENT_TYPE": content_type,
    }


def parse(body: bytes):
    return StrictJSONParser().parse(BytesIO(body))


@given(
    value=st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**63), 2**64 - 1)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(codec="utf-8")),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.text(st.characters(codec="utf-8")), inner)
        ),
        max_leaves=10,
    )
)
def test_json_is_read_and_written_without_loss(value):
    assert parse(json.dumps(value).encode()) == value
    assert parse(json.dumps(value, ensure_ascii=False).encode()) == value
    assert orjson.loads(JSONRenderer().render([value])) == [value]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"{'a':1}",
        b'{"a":1,}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e999}',
        b'{"a":-1e999}',
        b'{"a":' + b"9" * 10_000 + b"}",
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\x00"}',
        b"\xef\xbb\xbf{}",
        '{"a":"á"}'.encode("latin-1"),
        "{}".encode("utf-16"),
        b"[" * 100_000,
        b'{"a":' * 40_000,
        b"{}{}",
    ],
    ids=range(20),
)
def test_what_is_no_strict_json_is_refused(body):
    with pytest.raises(ParseError):
        parse(body)


@given(body=st.binary(max_size=200))
def test_any_bytes_are_json_or_refused(body):
    try:
        parse(body)
    except ParseError:
        return
    json.loads(body)


def test_a_body_is_read_up_to_its_limit_and_no_further(settings):
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    assert limit == 256 * 1024
    assert parse(b'"' + b"a" * (limit - 2) + b'"') == "a" * (limit - 2)
    body = Endless()
    with pytest.raises(RequestDataTooBig):
        StrictJSONParser().parse(body)
    assert body.read_so_far == limit + 1


def test_a_form_that_is_too_long_is_refused_and_not_read(phone):
    body = Endless()
    form = "multipart/form-data; boundary=x"
    refused = phone.post(REPORTS, **announcing_a_gigabyte(body, form))
    assert problem_of(refused, 413) == "body-too-large"
    assert body.read_so_far == 0


def test_a_form_may_hold_all_the_photos_that_a_report_may_have():
    assert MOST_PHOTOS * MOST_BYTES < PhotosParser.longest < GIGABYTE


def test_a_form_of_too_much_text_is_refused(phone):
    refused = phone.post(REPORTS, {"description": "a" * 300_000})
    assert problem_of(refused, 413) == "body-too-large"


def test_a_body_of_the_largest_size_is_understood(squares, phone):
    filed = send(phone, report_body(unknown="a" * 200_000))
    assert filed.status_code == 201


def test_of_a_name_written_twice_the_last_counts(squares, phone):
    body = json.dumps(report_body())
    doubled = body[:-1] + ', "category": "NADA-99"}'
    assert problem_of(send(phone, doubled), 422) == "unknown-category"


def test_a_renderer_refuses_what_it_does_not_know():
    with pytest.raises(TypeError):
        JSONRenderer().render({"a": object()})
