"""Whatever is sent to what the OpenAPI document describes, no door falls over."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from tests.servers import ROOT, Server

DOCUMENT = Path(settings.BASE_DIR) / "mobile_api" / "openapi.yaml"
HOOKS = Path(__file__).with_name("fuzzing.py")
# What is wrong whatever the request was. `negative_data_rejection` is not among them:
# a number written as text is taken, as in every form.
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
]
TRANSITIONS = "POST /api/v1/crew/cases/{number}/transitions/"
# Whose token an operation is called with, where it is not the phone's; who signs out,
# or is forgotten, calls nothing else.
CALLERS = {
    "DELETE /api/v1/auth/token/": ("Token", "leaving_crew"),
    "GET /api/v1/crew/cases/nearby/": ("Token", "crew"),
    TRANSITIONS: ("Token", "crew"),
    "DELETE /api/v1/devices/me/": ("Device", "leaving_device"),
    "GET /api/v1/routing/explain/": ("Token", "crew"),
}
# Which cases an operation changes; the others are about those that are looked at.
CHANGED = {
    "POST /api/v1/cases/{number}/answer/": "answer",
    "POST /api/v1/cases/{number}/cancel/": "cancel",
    "POST /api/v1/cases/{number}/confirm/": "confirm",
    "DELETE /api/v1/cases/{number}/my-data/": "my-data",
    "POST /api/v1/cases/{number}/reopen/": "reopen",
    TRANSITIONS: "transitions",
}


@pytest.fixture(scope="module")
def cast(server: Server) -> dict[str, Any]:
    code = "from tests.mobile_api.cast import tell; tell()"
    return dict(json.loads(server.manage("shell", "-v0", "-c", code)))


def configuration(cast: dict[str, Any]) -> str:
    """Of schemathesis: most of the numbers and ids that it sends are real ones."""
    longitude, latitude = cast["place"]["coordinates"]
    last, length = cast["length"] - 1, cast["length"]
    words: dict[str, list[Any]] = {
        **cast["cases"],
        "category": [cast["category"]],
        "lat": [latitude],
        "lon": [longitude],
        "report_id": cast["reports"],
        "photo_id": cast["photos"],
        "range": [f"bytes 0-{last}/{length}", "bytes 10-9/9"],
        "digest": [f"sha-256=:{cast['digest']}:"],
    }
    lines = [
        f"hooks = {json.dumps(str(HOOKS))}",
        "generation.with-security-parameters = false",
        "[dictionaries]",
        *(f"{name} = {{values = {json.dumps(words[name])}}}" for name in words),
        "[headers]",
        f"X-Case-Pin = {json.dumps(cast['pin'])}",
        f"Authorization = {json.dumps('Device ' + cast['device'])}",
        "[parameters]",
        *of("path.number", "looked_at", 0.8),
        *of("path.report_id", "report_id", 0.8),
        *of("path.photo_id", "photo_id", 0.2),
        *of("query.category", "category", 0.6),
        *of("query.lat", "lat", 0.8),
        *of("query.lon", "lon", 0.8),
        *of("header.Content-Range", "range", 0.8),
        *of("header.Repr-Digest", "digest", 0.8),
    ]
    for operation in sorted(CALLERS.keys() | CHANGED.keys()):
        lines += ["[[operations]]", f"include-name = {json.dumps(operation)}"]
        if operation in CALLERS:
            scheme, who = CALLERS[operation]
            token = json.dumps(f"{scheme} {cast[who]}")
            lines.append(f"headers = {{Authorization = {token}}}")
        if operation in CHANGED:
            lines.append("[operations.parameters]")
            lines += of("path.number", CHANGED[operation], 0.8)
    return "\n".join(lines)


def of(parameter: str, words: str, probability: float) -> list[str]:
    """Among what the fuzzer makes up itself: so many of these words."""
    return [f'"{parameter}" = {{dictionary = "{words}", probability = {probability}}}']


def fuzzed(server: Server, cast: dict[str, Any], *options: str) -> dict[str, set[int]]:
    """The statuses that each operation answered; nothing else was wrong."""
    folder = server.folder
    (folder / "cast.json").write_text(json.dumps(cast))
    (folder / "schemathesis.toml").write_text(configuration(cast))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", str(DOCUMENT)),
            *("--url", server.url, "--checks", ",".join(CHECKS)),
            *("--generation-database", "none", *options),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    statuses: dict[str, set[int]] = defaultdict(set)
    for line in (folder / "answers.txt").read_text().splitlines():
        operation, status = line.rsplit(" ", 1)
        statuses[operation].add(int(status))
    return statuses


def test_whatever_is_sent_to_what_is_described_the_answer_is_described(
    server: Server, cast: dict[str, Any]
) -> None:
    statuses = fuzzed(
        server, cast, "--max-examples", "12", "--seed", "311", "--phases", "fuzzing"
    )
    # No operation has only ever refused: what does the work was reached.
    refused = {name for name, those in statuses.items() if min(those) >= 300}
    assert refused == set()
    assert len(statuses) == operations()


@pytest.mark.slow
def test_however_much_is_sent_the_answer_is_described(
    server: Server, cast: dict[str, Any]
) -> None:
    statuses = fuzzed(server, cast, "--max-examples", "150", "--seed", "1989")
    assert len(statuses) >= operations()


def operations() -> int:
    document = yaml.safe_load(DOCUMENT.read_text())
    return sum(len(methods) for methods in document["paths"].values())
