"""Candidates in waves, within a budget of time: the best so far runs along in each.

So only what ran side by side is compared, and whoever stops early has a winner. Must not know what
the candidates are.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class Field(Generic[T]):
    """Who competes with whom.

    Attributes:
        waiting: those that did not run yet, the most promising first.
        best: so far; whoever runs a wave says it.
    """

    waiting: list[T]
    best: T | None = None

    def wave(self, many: int) -> list[T]:
        """The best so far and so many of those that wait."""
        called, self.waiting = self.waiting[:many], self.waiting[many:]
        return called if self.best is None else [self.best, *called]


F = TypeVar("F", bound=Field[Any])


def waves(fields: Sequence[F], many: int, budget_s: float) -> Iterator[tuple[F, list[Any]]]:
    """Who runs next, and in which field; fields take turns.

    Ends when nobody waits, or when a wave as long as the longest would not be over in time.

    Args:
        fields: the most important first.
        many: of those that wait, in each wave.
        budget_s: seconds for all; the first wave runs whatever it is.
    """
    began_s, longest_s = time.monotonic(), 0.0
    while any(field.waiting for field in fields):
        for field in [one for one in fields if one.waiting]:
            started_s = time.monotonic()
            if longest_s and started_s - began_s + longest_s > budget_s:
                return
            yield field, field.wave(many)
            longest_s = max(longest_s, time.monotonic() - started_s)
