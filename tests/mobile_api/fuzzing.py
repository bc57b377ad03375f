"""What a fuzzer could not guess, put into what it sends: schemathesis's hooks.

Read by the program `schemathesis` in a folder where `cast.json` is; what each operation
has answered stands in `answers.txt` afterwards.
"""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import schemathesis

CAST: dict[str, Any] = json.loads(Path("cast.json").read_text())
PHOTO = base64.b64decode(CAST["photo"])
ANSWERS = Path("answers.txt")
LONGEST_QUERY = 3500


@schemathesis.hook
def map_body(context: Any, body: Any) -> Any:
    """Of three bodies two have something of the real world in them."""
    # The same body always the same, so that a failure is found again.
    lot = zlib.crc32(repr(body).encode()) % 3
    if lot == 0:
        return body
    if "photos" in context.operation.path:
        return PHOTO
    if not isinstance(body, dict):
        return body
    if "username" in body:
        return CAST["credentials"]
    if "category" in body:
        return report(body, plain=lot == 1)
    if "to" in body:
        return body | {"to": "scheduled", "note": "El lunes"}
    return body


def report(body: dict[str, Any], *, plain: bool) -> dict[str, Any]:
    """Of something, and about a place in Panama; else as it was, or with no more."""
    point = CAST["place"]
    as_text = isinstance(body.get("location"), str)  # as in a form
    said = {"category": CAST["category"], "location": point}
    if as_text:
        said["location"] = json.dumps(point)
    return {"id": body.get("id"), **said} if plain else body | said


@schemathesis.hook
def map_headers(context: Any, headers: Any) -> Any:
    """A proof that is none is refused: most of what is sent goes without."""
    proof = (headers or {}).get("X-Proof")
    if proof is None or zlib.crc32(str(proof).encode(errors="replace")) % 4 == 0:
        return headers
    return {name: value for name, value in headers.items() if name != "X-Proof"}


@schemathesis.hook
def filter_query(context: Any, query: Any) -> bool:
    """A first line of more than 4 kB is the web server's to refuse, with its own 414."""
    return len(urlencode(query or {}, doseq=True)) < LONGEST_QUERY


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    with ANSWERS.open("a") as answers:
        answers.write(f"{case.operation.label} {response.status_code}\n")
