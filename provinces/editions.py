"""Which boundaries and which rules are in force, each by a number.

What a process makes of them it may keep in its memory under these numbers: whoever asks
for the edition first learns of every change that has been committed.
"""

from __future__ import annotations

from typing import NamedTuple

from django.db import connection

# The rules' number is another after any change of them: see migration 0003.
IN_FORCE = """
    SELECT (SELECT id FROM provinces_generation WHERE is_active), version
    FROM provinces_rulesversion
"""


class Edition(NamedTuple):
    boundaries: int | None  # the generation's key; none before any were loaded
    rules: int  # who answers for what; a floor above may add tables of its own


def edition_in_force() -> Edition:
    with connection.cursor() as cursor:
        cursor.execute(IN_FORCE)
        return Edition(*cursor.fetchone())
