"""An answer as JSON or as XML: the same words in both (GeoReport's Spark convention).

What is a list in JSON is in XML an element with a plural name around singular ones; what
is null is an empty element. Clients in production read XML: neither comes second.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

import orjson
from django.utils.functional import Promise

CONTENT_TYPES = {
    "json": "application/json; charset=utf-8",
    "xml": "text/xml; charset=utf-8",
}
DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'
ITEMS = {
    "attributes": "attribute",
    "endpoints": "endpoint",
    "errors": "error",
    "formats": "format",
    "notes": "note",
    "photos": "photo",
    "service_request_updates": "request_update",
    "service_requests": "request",
    "services": "service",
    "values": "value",
}
# XML 1.0, 2.2: the characters that a document cannot have, escaped or not.
NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LINE_ENDS = re.compile("\r\n?")


def written(answer: Any, root: str, format: str) -> bytes:
    """The answer in a format; `root` is the element around it, which JSON has not."""
    answer = tidy(answer)
    if format == "json":
        return orjson.dumps(answer)
    document = Element(root)
    fill(document, root, answer)
    return (DECLARATION + tostring(document, encoding="unicode")).encode()


def tidy(value: Any) -> Any:
    """The same value of what both formats can say, so that they say the same."""
    if isinstance(value, Mapping):
        return {name: tidy(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [tidy(inner) for inner in value]
    if isinstance(value, str | Promise):
        # A reader of XML turns every line's end into this one (XML 1.0, 2.11).
        return NOT_IN_XML.sub(
            "\N{REPLACEMENT CHARACTER}", LINE_ENDS.sub("\n", str(value))
        )
    return value


def fill(element: Element, name: str, value: Any) -> None:
    """Raises KeyError for a list whose items have no name yet."""
    if isinstance(value, dict):
        for inner_name, inner in value.items():
            fill(SubElement(element, inner_name), inner_name, inner)
    elif isinstance(value, list):
        item = ITEMS[name]
        for inner in value:
            fill(SubElement(element, item), item, inner)
    elif value is not None and value != "":
        element.text = text_of(value)


def text_of(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
