"""To speak Open311 in the tests: every question is asked in XML and in JSON.

What `ask`, `send` and `refused` return has been checked against the standard's schema,
and said the same in both formats.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import jsonschema
from django.test import Client

from tests.factories import WEST
from tests.mobile_api.open311.schemas import ERRORS, RECEIPT, ROOTS

BASE = "/open311/v2/"
# An element with one of these names is a list, also when it is empty.
PLURALS = {
    "attributes",
    "endpoints",
    "errors",
    "formats",
    "notes",
    "photos",
    "service_request_updates",
    "service_requests",
    "services",
    "values",
}
NOBODY = Client(HTTP_HOST="localhost")


def ask(path: str, schema: Any, *, client: Client = NOBODY, **query: Any) -> Any:
    """GET in both formats: what is said in JSON."""
    address = path if path.startswith("/") else BASE + path
    as_xml = client.get(f"{address}.xml", query)
    as_json = client.get(f"{address}.json", query)
    assert (as_xml.status_code, as_json.status_code) == (200, 200), as_json.content
    return the_same(as_xml, as_json, schema)


def refused(path: str, status: int, **query: Any) -> list[Any]:
    """GET in both formats what is not there or makes no sense: the errors."""
    as_xml = NOBODY.get(f"{BASE}{path}.xml", query)
    as_json = NOBODY.get(f"{BASE}{path}.json", query)
    assert (as_xml.status_code, as_json.status_code) == (status,) * 2, as_json.content
    found: list[Any] = the_same(as_xml, as_json, ERRORS)
    return found


def request_form(key: Any, **fields: Any) -> dict[str, Any]:
    """A service request with no more than it must say."""
    return {
        "api_key": key.secret,
        "service_code": "PRU-01",
        "lat": str(WEST[1]),
        "long": str(WEST[0]),
        **fields,
    }


def send(form: dict[str, Any], path: str = "requests", format: str = "json") -> Any:
    """POST as a form; with files, as multipart."""
    files = any(
        hasattr(value, "read") for values in form.values() for value in listed(values)
    )
    if files:
        return NOBODY.post(f"{BASE}{path}.{format}", form)
    return NOBODY.post(
        f"{BASE}{path}.{format}",
        urlencode(form, doseq=True),
        content_type="application/x-www-form-urlencoded; charset=utf-8",
    )


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def filed(form: dict[str, Any]) -> dict[str, Any]:
    """What is answered to a request that is taken."""
    answer = send(form)
    assert answer.status_code == 200, answer.content
    (receipt,) = valid(answer, RECEIPT)
    return dict(receipt)


def not_taken(form: dict[str, Any], status: int, path: str = "requests") -> list[Any]:
    """POST in both formats what is refused: the errors."""
    as_xml, as_json = send(form, path, "xml"), send(form, path, "json")
    assert (as_xml.status_code, as_json.status_code) == (status,) * 2, as_json.content
    found: list[Any] = the_same(as_xml, as_json, ERRORS)
    return found


def the_same(as_xml: Any, as_json: Any, schema: Any) -> Any:
    said = valid(as_json, schema)
    assert as_xml["Content-Type"] == "text/xml; charset=utf-8"
    body = as_xml.content
    assert body.startswith(b'<?xml version="1.0" encoding="utf-8"?>\n')
    document = ElementTree.fromstring(body)  # noqa: S314 - of our own making
    assert [schema, document.tag] in [list(pair) for pair in ROOTS]
    assert spark(document) == texts(said)
    return said


def valid(answer: Any, schema: Any) -> Any:
    assert answer["Content-Type"] == "application/json; charset=utf-8"
    said = answer.json()
    jsonschema.validate(said, schema)
    return said


def spark(element: ElementTree.Element) -> Any:
    """An element as JSON has it by the Spark convention, but for numbers and booleans."""
    assert not element.attrib
    if element.tag in PLURALS:
        return [spark(child) for child in element]
    if len(element):
        return {child.tag: spark(child) for child in element}
    return element.text


def texts(value: Any) -> Any:
    """What is said, in what XML has for it: texts, and nothing."""
    match value:
        case dict():
            return {name: texts(inner) for name, inner in value.items()}
        case list():
            return [texts(inner) for inner in value]
        case bool():
            return "true" if value else "false"
        case "" | None:
            return None
    return str(value)
