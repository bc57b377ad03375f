"""What is said of a measurement: its spread, what was to be reached, and by how much not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import ceil, isfinite
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Spread:
    """Several repetitions of one measurement: the middle one, the least and the most."""

    middle: float
    least: float
    most: float
    unit: str

    def __str__(self) -> str:
        if self.least == self.most:
            return f"{plain(self.middle)} {self.unit}".strip()
        around = f"{plain(self.least)} to {plain(self.most)}"
        return f"{plain(self.middle)} ({around}) {self.unit}".strip()


def spread(values: Iterable[float], unit: str) -> Spread:
    """Raises ValueError for a figure that is no number: nothing was measured."""
    values = list(values)
    if not values or not all(isfinite(value) for value in values):
        raise ValueError(f"no figures: {values}")
    return Spread(median(values), min(values), max(values), unit)


@dataclass(frozen=True)
class Measured:
    """Who did it (we, a peer, the limit), and how well."""

    who: str
    value: Spread


@dataclass(frozen=True)
class Target:
    """A figure and the bound that it is to keep."""

    what: str
    value: float
    bound: float
    unit: str = ""
    at_least: bool = True

    @property
    def reached(self) -> bool:
        return self.value >= self.bound if self.at_least else self.value <= self.bound

    @property
    def missed_by(self) -> float:
        """How many times better it must become; 1 is just enough."""
        short = (self.bound, self.value) if self.at_least else (self.value, self.bound)
        return short[0] / short[1] if short[1] else float("inf")

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        unit = f" {self.unit}" if self.unit else ""
        said = (
            f"{self.what}: {plain(self.value)}{unit} ({sign} {plain(self.bound)}{unit})"
        )
        if self.reached:
            return f"{said}: reached"
        return f"{said}: MISSED, {plain(self.missed_by)} times too far"


def at_least(what: str, value: float, bound: float, unit: str = "") -> Target:
    return Target(what, value, bound, unit)


def at_most(what: str, value: float, bound: float, unit: str = "") -> Target:
    return Target(what, value, bound, unit, at_least=False)


@dataclass
class Result:
    """What a row found at a size; `notes` say what the figures do not."""

    measured: list[Measured] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, who: str, values: Iterable[float], unit: str) -> Spread:
        value = spread(values, unit)
        self.measured.append(Measured(who, value))
        return value


def result_from(stored: dict[str, Any]) -> Result:
    return Result(
        [Measured(m["who"], Spread(**m["value"])) for m in stored["measured"]],
        [Target(**target) for target in stored["targets"]],
        list(stored["notes"]),
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The value that so many per cent are not above (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, ceil(len(ordered) * share / 100) - 1)]


def plain(value: float) -> str:
    """Three digits that count, as a person writes them."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value else "0"
