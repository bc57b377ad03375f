"""A little work for a machine before it may go on."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from altcha.v1 import solve_challenge
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from backend.accounts.limits import LONGEST_PROOF_SECONDS, ProofRequired
from backend.accounts.proofs import (
    CHALLENGE_SECONDS,
    HASHES_AT_MOST,
    key_of_proof,
    new_challenge,
)


def solved(challenge: dict[str, Any], /, **otherwise: Any) -> str:
    """The answer as a phone writes it."""
    solution = solve_challenge(
        challenge["challenge"],
        challenge["salt"],
        challenge["algorithm"],
        challenge["maxnumber"],
    )
    assert solution is not None
    return written(
        {
            **{name: challenge[name] for name in ("algorithm", "challenge")},
            **{name: challenge[name] for name in ("salt", "signature")},
            "number": solution.number,
            **otherwise,
        }
    )


def written(answer: Any) -> str:
    return base64.b64encode(json.dumps(answer).encode()).decode()


def test_a_solved_challenge_is_a_proof():
    challenge = new_challenge()
    assert challenge["algorithm"] == "SHA-256"
    assert challenge["maxnumber"] == HASHES_AT_MOST
    assert key_of_proof(solved(challenge)) == challenge["challenge"]


def test_no_two_challenges_are_the_same():
    made = [new_challenge() for _ in range(5)]
    for name in ("challenge", "salt", "signature"):
        assert len({challenge[name] for challenge in made}) == 5


def test_the_same_proof_written_otherwise_is_the_same_proof():
    challenge = new_challenge()
    bare = challenge["salt"].removesuffix("&")
    for other in (
        solved(challenge, took=1234),
        solved(challenge, salt=bare),
        solved(challenge, salt=f"{bare}&"),
    ):
        assert key_of_proof(other) == challenge["challenge"]


def test_a_proof_comes_too_late_after_a_while():
    now = timezone.now()
    just = new_challenge(now - timedelta(seconds=CHALLENGE_SECONDS - 30))
    key_of_proof(solved(just))
    late = new_challenge(now - timedelta(seconds=CHALLENGE_SECONDS + 1))
    with pytest.raises(ProofRequired):
        key_of_proof(solved(late))


def test_a_proof_is_remembered_longer_than_it_is_good():
    assert CHALLENGE_SECONDS < LONGEST_PROOF_SECONDS


def test_a_challenge_of_another_server_is_none(settings):
    challenge = new_challenge()
    answer = solved(challenge)
    settings.SECRET_KEY = "another-another-another-another-another"
    with pytest.raises(ProofRequired):
        key_of_proof(answer)


def test_a_later_end_cannot_be_written_into_it():
    late = new_challenge(timezone.now() - timedelta(days=1))
    (end,) = [part for part in late["salt"].split("&") if "expires=" in part]
    moved = late["salt"].replace(end, end[:-10] + "9999999999")
    with pytest.raises(ProofRequired):
        key_of_proof(solved(late, salt=moved))


@pytest.mark.parametrize(
    "otherwise",
    [
        {"number": -1},
        {"number": True},
        {"number": "5"},
        {"number": 5.0},
        {"number": 10**30},
        {"number": None},
        {"salt": 5},
        {"salt": None},
        {"salt": ""},
        {"challenge": ["x"]},
        {"challenge": "0" * 64},
        {"signature": {}},
        {"signature": "0" * 64},
        {"algorithm": "SHA-1"},
        {"algorithm": "MD5"},
        {"algorithm": None},
    ],
)
def test_a_proof_with_anything_else_in_it_is_none(otherwise):
    with pytest.raises(ProofRequired):
        key_of_proof(solved(new_challenge(), **otherwise))


@pytest.mark.parametrize("wrap", [str, float, lambda number: [number]])
def test_the_right_number_is_a_number(wrap):
    answer = json.loads(base64.b64decode(solved(new_challenge())))
    with pytest.raises(ProofRequired):
        key_of_proof(written({**answer, "number": wrap(answer["number"])}))


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "x", "á", "====", "AAAA\n", "null", "MQ==", "bnVsbA==", "W10="),
        base64.b64encode(b"[" * 700).decode(),
        base64.b64encode(b'{"algorithm":' * 50).decode(),
        base64.b64encode(b"\xff\xfe").decode(),
        "A" * 100_000,
        written({}),
        written({"algorithm": "SHA-256"}),
    ],
)
def test_what_is_no_proof_is_refused(text):
    with pytest.raises(ProofRequired):
        key_of_proof(text)


@given(st.text(max_size=50) | st.binary(max_size=60).map(lambda b: written(b.hex())))
def test_no_text_makes_it_fall_over(text):
    with pytest.raises(ProofRequired):
        key_of_proof(text)
