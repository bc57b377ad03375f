"""What the OpenAPI document says besides what the API's own views say of themselves."""

from __future__ import annotations

from typing import Any

from backend.accounts.limits import ProofRequired
from mobile_api.callers import DeviceRequired
from mobile_api.schema_answers import (
    EVERYWHERE,
    HEADERS,
    HEADERS_OF_REFUSALS,
    PROBLEM,
    REFUSALS,
    refusal,
    refusals,
    tell,
)
from mobile_api.schema_of_map import PATHS, SCHEMAS

# What is said of whatever has no words of its own, by its name.
PARAMETERS = {
    "If-None-Match": "The `ETag` of the answer that the phone has: 304 while it holds.",
    "X-Case-Pin": "The six digits of the case's receipt: whoever reported it has them.",
    "lat": "Degrees, WGS 84.",
    "lon": "Degrees, WGS 84.",
    "number": "Of a case, with its check digit: `26-0000123-2`.",
    "photo_id": "Made by the phone, one per photo.",
    "report_id": "The report's `id`, which nobody but who filed it knows.",
}
PROOF = {
    "in": "header",
    "name": "X-Proof",
    "schema": {"type": "string"},
    "description": "A solved challenge of `proof/` or of a 403, in base64; once.",
}


def finish(result: dict[str, Any], **generation: Any) -> dict[str, Any]:
    """drf-spectacular's hook: what the map's door answers here, and refusals."""
    for path, operation in PATHS.items():
        result["paths"][path] = {"get": operation}
    result["paths"] = dict(sorted(result["paths"].items()))
    schemas = result["components"]["schemas"] | SCHEMAS | {"Problem": PROBLEM}
    # What the reporter may see is all that the public sees, and more: both fit.
    schemas["PublicOrOwnCase"] = {"anyOf": schemas["PublicOrOwnCase"]["oneOf"]}
    result["components"]["schemas"] = dict(sorted(schemas.items()))
    for path, methods in result["paths"].items():
        for method, operation in methods.items():
            complete(operation, (path, method))
    return result


def complete(operation: dict[str, Any], known_as: tuple[str, str]) -> None:
    """Say what the views' own schemas do not."""
    refused = REFUSALS.get(known_as)
    errors = () if refused is None else (*refused, *EVERYWHERE)
    answers = {**operation["responses"], **dict(refusals(errors))}
    # The database may be away, whatever is asked.
    answers["503"] = refusal(["unavailable"])
    operation["responses"] = dict(sorted(answers.items()))
    if ProofRequired in errors:
        operation["parameters"] = [*operation.get("parameters", []), PROOF]
    if DeviceRequired in errors:
        operation["security"] = [{"device": []}]
    for parameter in operation.get("parameters", []):
        if parameter["name"] in PARAMETERS:
            parameter.setdefault("description", PARAMETERS[parameter["name"]])
    for status, answer in operation["responses"].items():
        headers = HEADERS_OF_REFUSALS.get(status) or HEADERS.get(known_as, {}).get(
            status, {}
        )
        tell(answer, status, headers, twice="201" in answers)
