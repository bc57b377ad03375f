"""A little work for a machine before it may go on: ALTCHA's, made and checked here.

Who has solved a challenge has tried some ten thousand numbers; to make or to check one
takes two hashes and remembers nothing. That each counts once is for `limits.py`.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime, timedelta
from typing import Any

import orjson
from altcha.v1 import SHA256, ChallengeOptions, create_challenge, verify_solution
from django.utils import timezone

from backend.accounts.encryption import fingerprint_of
from backend.accounts.limits import LONGEST_PROOF_SECONDS, ProofRequired

# An old phone tries some 40,000 numbers a second; on average it needs half of these.
HASHES_AT_MOST = 75_000
# Time to solve it on a bad day, and to find the network again.
CHALLENGE_SECONDS = LONGEST_PROOF_SECONDS / 3
LONGEST_PROOF = 1024
TEXTS = ("challenge", "salt", "signature")


def new_challenge(at: datetime | None = None) -> dict[str, Any]:
    """What a phone is to solve, as ALTCHA's clients read it."""
    made = create_challenge(
        ChallengeOptions(
            algorithm=SHA256,
            max_number=HASHES_AT_MOST,
            hmac_key=key(),
            expires=(at or timezone.now()) + timedelta(seconds=CHALLENGE_SECONDS),
        )
    )
    return {
        "algorithm": made.algorithm,
        "challenge": made.challenge,
        "salt": made.salt,
        "signature": made.signature,
        "maxnumber": made.max_number,
    }


def key_of_proof(text: str) -> str:
    """Which challenge a phone has solved, from its answer (JSON in base64).

    Raises ProofRequired when it is no answer to a challenge of ours, or comes late.
    """
    answer = read(text)
    right, _why = verify_solution(answer, key())
    if not right:
        raise ProofRequired
    return str(answer["challenge"])


def read(text: str) -> Any:
    """The answer's fields, of the kinds that they must be. Raises ProofRequired."""
    if len(text) > LONGEST_PROOF:
        raise ProofRequired
    try:
        answer = orjson.loads(base64.b64decode(text.encode("ascii"), validate=True))
    except (ValueError, binascii.Error) as broken:
        raise ProofRequired from broken
    if (
        not isinstance(answer, dict)
        or answer.get("algorithm") != SHA256
        or type(answer.get("number")) is not int
        or not all(isinstance(answer.get(name), str) for name in TEXTS)
    ):
        raise ProofRequired
    return answer


def key() -> str:
    return fingerprint_of("challenge", "proof-of-work")
