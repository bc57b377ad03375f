"""The cases that the heat keeps one by one, of eight days: see `HeatDays`, `HeatTileDays`."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from backend.cases.models import HeatDays, HeatTileDays

# A case's number, as `int8send` writes it; and in a tile, as `int2send` does.
NUMBER, IN_A_TILE = np.dtype(">i8"), np.dtype(">i2")
# How many bits come after the column and the row of a case's cell, and which those are.
X, Y, SIDE = 34, 16, (1 << 18) - 1
# Rows that are written with one statement.
AT_ONCE = 500
Numbers = NDArray[np.int64]
Rows = TypeVar("Rows", HeatDays, HeatTileDays)


class Touched(NamedTuple):
    """A row of which there are to be some numbers more, or fewer."""

    # Its key: of a district's cases, or of a tile's.
    key: dict[str, Any]
    numbers: list[int]
    counts: list[int]
    known: bytes | None


def write(rows: Iterable[Touched]) -> None:
    """Whoever calls it folds alone, in a transaction.

    Raises ValueError if there were to be fewer cases than none.
    """
    rest = iter(rows)
    # PostgreSQL cannot take apart a condition of very many keys, nor need all be in hand.
    while several := list(islice(rest, AT_ONCE)):
        put(HeatDays, [a_districts(row) for row in several if "district" in row.key])
        put(HeatTileDays, [a_tiles(row) for row in several if "tile" in row.key])


def a_districts(row: Touched) -> HeatDays:
    cases = changed(row, NUMBER)
    x, y = cases >> X & SIDE, cases >> Y & SIDE
    return HeatDays(
        **row.key,
        west=int(x.min(initial=SIDE)),
        north=int(y.min(initial=SIDE)),
        east=int(x.max(initial=0)),
        south=int(y.max(initial=0)),
        cases=cases.astype(NUMBER).tobytes(),
    )


def a_tiles(row: Touched) -> HeatTileDays:
    cases = changed(row, IN_A_TILE)
    return HeatTileDays(**row.key, cases=cases.astype(IN_A_TILE).tobytes())


def put(model: type[Rows], several: list[Rows]) -> None:
    """Instead of those that there are; and of those without cases, none."""
    model._default_manager.filter(
        pk__in=[it.pk for it in several if not it.cases]
    ).delete()
    key = [field.name for field in model._meta.pk_fields]
    model._default_manager.bulk_create(
        [row for row in several if row.cases],
        update_conflicts=True,
        unique_fields=key,
        update_fields=[
            field.name for field in model._meta.concrete_fields if field.name not in key
        ],
    )


def changed(row: Touched, kind: np.dtype[Any]) -> Numbers:
    """The numbers that there are from now on, sorted."""
    known = np.frombuffer(row.known or b"", kind).astype(np.int64)
    numbers = np.concatenate([known, np.array(row.numbers, np.int64)])
    counts = np.concatenate([np.ones_like(known), np.array(row.counts, np.int64)])
    different, which = np.unique(numbers, return_inverse=True)
    sums = np.bincount(which, counts, len(different)).astype(np.int64)
    if sums.min(initial=0) < 0:
        raise ValueError(f"fewer cases than none in {row.key}: run rebuild_heat")
    return np.repeat(different, sums)
