"""One address asks one thing, whatever a header says of a body."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest

from backend.config.encodings import reads_addresses_as_utf8

ODD = ["utf-16", "utf-7", "rot13", "hex", "zlib", "punycode", "undefined", "a\0b", ""]


def asked(method: str, query: str, content_type: str, body: bytes = b"") -> WSGIRequest:
    """What Django makes of a request, as the application is asked."""
    seen: list[dict[str, Any]] = []
    environ = {
        "REQUEST_METHOD": method,
        "QUERY_STRING": query,
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": io.BytesIO(body),
    }

    def django(environ: dict[str, Any], _: object) -> list[bytes]:
        seen.append(environ)
        return []

    reads_addresses_as_utf8(django)(environ, lambda *_: lambda _: None)
    return WSGIRequest(seen[0])


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("charset", ODD)
def test_an_address_is_read_as_utf8_whatever_type_is_named(method, charset):
    query = "state=resolved&name=Chitr%C3%A9"
    request = asked(method, query, f"text/plain; charset={charset}")
    assert request.GET.dict() == {"state": "resolved", "name": "Chitré"}


@pytest.mark.parametrize("charset", ODD)
def test_a_body_in_an_encoding_that_nobody_writes_is_read_as_utf8(charset):
    body = b"description=Bache%20en%20la%20v%C3%ADa"
    form = f'application/x-www-form-urlencoded; Charset="{charset}"'
    request = asked("POST", "name=Chitr%C3%A9", form, body)
    assert request.GET["name"] == "Chitré"
    assert request.POST["description"] == "Bache en la vía"


@pytest.mark.parametrize("charset", ["ISO-8859-1", '"windows-1252"', "latin1"])
def test_a_form_in_latin_1_is_read_as_that(charset):
    part = '--x\r\nContent-Disposition: form-data; name="district"\r\n\r\nChitré\r\n'
    kind = f"multipart/form-data; charset={charset}; boundary=x"
    request = asked("POST", "", kind, f"{part}--x--\r\n".encode("latin-1"))
    assert request.POST["district"] == "Chitré"


def test_what_else_a_type_says_stays():
    kind = "multipart/form-data; charset=rot13; boundary=x"
    assert asked("POST", "", kind).content_params == {"boundary": "x"}
