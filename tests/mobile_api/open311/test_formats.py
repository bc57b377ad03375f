"""The same words in XML and in JSON, whatever they are."""

import json
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mobile_api.open311.formats import NOT_IN_XML, written
from tests.mobile_api.open311.speaking import PLURALS, spark, texts

words = st.text() | st.sampled_from(
    ["\0", "\x0b", "\ud800", "\ufffe", "]]>", "<a>&b;", "a\r\nb\rc", "\x85", "\u2028"]
)
leaves: st.SearchStrategy[Any] = (
    st.none() | st.booleans() | words | st.integers(-(2**53), 2**53)
)
leaves |= st.floats(allow_nan=False, allow_infinity=False)
rows = st.dictionaries(st.sampled_from(["lat", "status", "description"]), leaves)
nested = st.fixed_dictionaries(
    {"status": words, "notes": st.lists(rows.filter(bool))},
    optional={"extended_attributes": st.fixed_dictionaries({"x": leaves})},
)


@given(said=st.lists(nested))
@example(said=[{"status": "\ud800\0", "notes": []}])
@settings(max_examples=150, deadline=None)
def test_whatever_is_said_both_formats_say_the_same(said):
    as_json = json.loads(written(said, "service_requests", "json"))
    as_xml = ElementTree.fromstring(written(said, "service_requests", "xml"))  # noqa: S314
    assert spark(as_xml) == texts(as_json)


@given(text=words)
@settings(max_examples=300, deadline=None)
def test_what_xml_can_say_is_said_as_it_is_and_the_rest_is_marked(text):
    document = ElementTree.fromstring(written([{"status": text}], "services", "xml"))  # noqa: S314
    told = document[0][0].text or ""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    assert told == NOT_IN_XML.sub("\ufffd", lines)
    assert len(told) == len(lines)


def test_a_standard_s_example_is_written_as_it_is():
    said = [{"code": 403, "description": "Invalid api_key & <more>"}]
    assert (
        written(said, "errors", "json")
        == json.dumps(said, separators=(",", ":")).encode()
    )
    assert written(said, "errors", "xml").decode() == (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        "<errors><error><code>403</code>"
        "<description>Invalid api_key &amp; &lt;more&gt;</description></error></errors>"
    )


def test_nothing_and_booleans_have_their_own_ways():
    said: list[Any] = [{"zipcode": None, "metadata": True, "variable": False, "x": 0}]
    text = written(said, "services", "xml").decode()
    assert "<zipcode /><metadata>true</metadata><variable>false</variable>" in text
    assert "<x>0</x>" in text


def test_a_list_whose_items_have_no_name_is_our_mistake():
    with pytest.raises(KeyError):
        written({"things": [1]}, "services", "xml")
    assert PLURALS  # what the tests read as lists is written down apart from the code
