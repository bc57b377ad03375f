"""Whether somebody may try once more now, exactly, however many try at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from typing import Any

from django.db import connection


@dataclass(frozen=True)
class Limit:
    """`times` at once, given back evenly in `seconds`."""

    name: str
    times: int
    seconds: float


class TooMany(Exception):
    """The limit is used up; `retry_after` is in seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"retry after {retry_after} s")
        self.retry_after = retry_after


# The generic cell rate algorithm (ITU-T I.371) in one statement: the row moves only
# while its time is less than a whole period ahead, so that two at once cannot both
# take the last place. The database's clock is the only one.
TAKE = """
    INSERT INTO accounts_allowance AS used (key, free_at)
    VALUES (%(key)s, clock_timestamp() + %(step)s)
    ON CONFLICT (key) DO UPDATE
    SET free_at = greatest(used.free_at, clock_timestamp()) + %(step)s
    WHERE greatest(used.free_at, clock_timestamp()) + %(step)s
          <= clock_timestamp() + %(period)s
    RETURNING true
"""
GIVE_BACK = """
    UPDATE accounts_allowance SET free_at = free_at - %(step)s WHERE key = %(key)s
"""
# A time that has passed says no more than no row at all: what strangers made up does
# not pile up, for every use takes away two such rows.
FORGET = """
    DELETE FROM accounts_allowance WHERE key IN (
        SELECT key FROM accounts_allowance WHERE free_at < statement_timestamp()
        ORDER BY free_at LIMIT 2 FOR UPDATE SKIP LOCKED
    )
"""
WAIT = """
    SELECT extract(epoch FROM free_at + %(step)s - %(period)s - clock_timestamp())
    FROM accounts_allowance WHERE key = %(key)s
"""


def take(limit: Limit, who: str) -> None:
    """Use the limit once. Raises TooMany, with the seconds to wait."""
    values = values_of(limit, who)
    with connection.cursor() as cursor:
        cursor.execute(TAKE, values)
        if cursor.fetchone():
            cursor.execute(FORGET)
            return
        cursor.execute(WAIT, values)
        row = cursor.fetchone()
    raise TooMany(max(1, ceil(row[0] if row else 1)))


def give_back(limit: Limit, who: str) -> None:
    """Undo one `take`: the try was no guess after all."""
    with connection.cursor() as cursor:
        cursor.execute(GIVE_BACK, values_of(limit, who))


def values_of(limit: Limit, who: str) -> dict[str, Any]:
    return {
        "key": f"{limit.name}:{who}",
        "step": timedelta(seconds=limit.seconds / limit.times),
        "period": timedelta(seconds=limit.seconds),
    }
