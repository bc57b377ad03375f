"""Whether somebody may try once more now, exactly, however many try at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

HOUR = 3600.0  # seconds


@dataclass(frozen=True)
class Limit:
    """`times` at once, given back evenly in `seconds`.

    With `calm`, only so many of them at once are free: who wants more shows a proof of
    work (see `proofs.py`), and so all of them.
    """

    name: str
    times: int
    seconds: float
    calm: int | None = None

    def times_in(self, share: int) -> timedelta:
        """How long so many times take to come back; never a microsecond too long."""
        return timedelta(microseconds=int(share * self.seconds / self.times * 1e6))


def wider(times: int) -> int:
    """So many times here, where limits may be as many times wider as is set."""
    factor: float = settings.LIMITS_FACTOR
    return max(1, round(times * factor))


class Use(NamedTuple):
    """One use of a limit by somebody, of `amount` times."""

    limit: Limit
    who: str
    amount: int = 1

    @property
    def key(self) -> str:
        return f"{self.limit.name}:{self.who}"

    @property
    def step(self) -> timedelta:
        return self.limit.times_in(self.amount)


class TooMany(Exception):
    """The limit is used up; `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"retry after {retry_after} s")
        self.retry_after = retry_after


class ProofRequired(Exception):
    """Only with a proof of work, and a new one."""


# Each proof counts once, for as long as any proof could be asked to: the second use is
# no matter of waiting, so there would be room for it.
LONGEST_PROOF_SECONDS = 1800
PROOF_USED = Limit("proof", times=2, seconds=2 * LONGEST_PROOF_SECONDS, calm=1)

# The generic cell rate algorithm (ITU-T I.371): a row is the time until which somebody
# has used their limit up, and may be at most a period ahead. The database's clock is
# the only one. The function is of migration 0003.
TAKE = """
    SELECT seconds, hot FROM accounts_take(
        %(keys)s::text[], %(steps)s::interval[],
        %(rooms)s::interval[], %(periods)s::interval[]
    )
"""
GIVE_BACK = """
    UPDATE accounts_allowance AS used SET free_at = used.free_at - held.step
    FROM (
        SELECT key, asked.step
        FROM unnest(%(keys)s::text[], %(steps)s::interval[]) AS asked (key, step)
        JOIN accounts_allowance AS locked USING (key)
        ORDER BY key FOR UPDATE OF locked
    ) AS held
    WHERE used.key = held.key
"""


def take(limit: Limit, who: str) -> None:
    """Use the limit once. Raises TooMany, with the seconds to wait."""
    take_all([Use(limit, who)])


def take_all(uses: Sequence[Use], proof: str = "") -> None:
    """Use all of these limits or none, in one statement.

    `proof` is the key of a proof of work that was checked (see `proofs.py`). Not inside
    a transaction, or all others of the same limit wait for its end.
    Raises TooMany, with the seconds to wait, and ProofRequired.
    """
    rooms = [room_of(use.limit, bool(proof)) for use in uses]
    if proof:
        uses = [*uses, Use(PROOF_USED, proof)]
        rooms.append(room_of(PROOF_USED, proven=False))
    values = {
        **asked(uses),
        "rooms": rooms,
        "periods": [use.limit.times_in(use.limit.times) for use in uses],
    }
    with connection.cursor() as cursor:
        cursor.execute(TAKE, values)
        seconds, hot = cursor.fetchone()
    if seconds > 0:
        raise TooMany(max(1, ceil(seconds)))
    if hot:
        raise ProofRequired


def room_of(limit: Limit, proven: bool) -> timedelta:
    free = limit.times if proven or limit.calm is None else limit.calm
    return limit.times_in(free)


def give_back(limit: Limit, who: str) -> None:
    """Undo one `take`: the try was no guess after all."""
    give_all_back([Use(limit, who)])


def give_all_back(uses: Sequence[Use]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(GIVE_BACK, asked(uses))


def asked(uses: Sequence[Use]) -> dict[str, Any]:
    return {"keys": [use.key for use in uses], "steps": [use.step for use in uses]}
