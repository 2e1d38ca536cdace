"""One number over all rounds of a benchmark, and whether it reaches its goal."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, over all rounds.

    Attributes:
        values: one per round.
        goal: what it must reach; None where it is only reported.
        at_least: whether more is better.
    """

    name: str
    unit: str
    values: tuple[float, ...]
    goal: float | None = None
    at_least: bool = True

    @property
    def median(self) -> float:
        """Half of the rounds are below."""
        return median(self.values)

    @property
    def met(self) -> bool | None:
        """Whether the median reaches the goal; None without a goal."""
        if self.goal is None:
            return None
        return self.median >= self.goal if self.at_least else self.median <= self.goal

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "name": self.name,
            "unit": self.unit,
            "median": self.median,
            "values": list(self.values),
            "goal": self.goal,
            "at_least": self.at_least,
            "met": self.met,
        }
