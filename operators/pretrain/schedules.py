"""What changes in the course of a training, as functions of the step alone.

So a training that goes on has the same numbers as one that never stopped.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Linear:
    """From `start` at step 0 to `end` at step `steps`, and so on from there.

    Raises:
        ValueError: a negative number of steps.
    """

    start: float
    end: float
    steps: int

    def __post_init__(self) -> None:
        if self.steps < 0:
            raise ValueError(f"steps must be 0 or more, got {self.steps}")

    def at(self, step: int) -> float:
        """Its value at a step, from 0."""
        return self.end if step >= self.steps else _between(self.start, self.end, step / self.steps)


@dataclass(frozen=True, slots=True)
class Cosine:
    """Half a cosine from `start` to `end`, after a linear way up to `start`.

    `warmup_from` is at step 0, `start` at step `warmup`, `end` at step `steps` and from there on;
    the last step is `steps - 1`. Upstream's way up is one step shorter.

    Raises:
        ValueError: a negative number of steps, or a warmup that is no part of them.
    """

    start: float
    end: float
    steps: int
    warmup: int = 0
    warmup_from: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.warmup <= self.steps:
            raise ValueError(
                f"warmup must be from 0 to the {self.steps} steps in all, got {self.warmup}"
            )

    def at(self, step: int) -> float:
        """Its value at a step, from 0."""
        if step >= self.steps:
            return self.end
        if step < self.warmup:
            return _between(self.warmup_from, self.start, step / self.warmup)
        share = (step - self.warmup) / (self.steps - self.warmup)
        return _between(self.end, self.start, 0.5 * (1 + math.cos(math.pi * share)))


def _between(one: float, other: float, share: float) -> float:
    return one * (1 - share) + other * share  # exactly one and the other at both ends
