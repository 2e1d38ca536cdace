"""Sums over time in bins, few of them however long the time is: they widen as it goes on. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

MOST = 120
MOST_FRAMES = 1 << 53  # that anybody can have counted
_WIDTHS_S = (1, 5, 10, 30, 60, 300, 600, 1800, 3600, 10_800, 21_600, 43_200, 86_400)

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Span:
    """Bins one after another.

    Attributes:
        first_s: where they begin, seconds since the epoch.
        width_s: of each.
        count: of them.
    """

    first_s: int
    width_s: int
    count: int

    @property
    def end_s(self) -> int:
        return self.first_s + self.count * self.width_s


class Bins(Generic[K]):
    """Amounts by what they are of, over time. Order does not matter, and a time is any time: they
    are `MOST` bins at most, each a round number of seconds wide."""

    def __init__(self) -> None:
        self._width_s = _WIDTHS_S[0]
        self._first = self._last = 0
        self._sums: dict[K, dict[int, float]] = {}

    def add(self, key: K, time_us: int, amount: float = 1) -> None:
        """Another amount at a moment, microseconds since the epoch."""
        at = time_us // 1_000_000 // self._width_s
        if not self._sums:
            self._first = self._last = at
        self._first, self._last = min(self._first, at), max(self._last, at)
        sums = self._sums.setdefault(key, {})
        sums[at] = sums.get(at, 0) + amount
        while self._last - self._first >= MOST:
            self._widen()

    def rename(self, key: K, other: K) -> None:
        """Count what is of one as another's."""
        there = self._sums.setdefault(other, {})
        for at, amount in self._sums.pop(key).items():
            there[at] = there.get(at, 0) + amount

    def __iter__(self) -> Iterator[K]:
        """Of what there is something."""
        return iter(list(self._sums))

    @property
    def span(self) -> Span | None:
        """From the first amount to the last; None where there is none."""
        if not self._sums:
            return None
        count = self._last - self._first + 1
        return Span(self._first * self._width_s, self._width_s, count)

    def values(self, key: K) -> list[float]:
        """A sum per bin of the span, 0 where there was nothing."""
        sums = self._sums.get(key, {})
        return [sums.get(at, 0) for at in range(self._first, self._last + 1)]

    def total(self, key: K) -> float:
        """Over all time."""
        return sum(self._sums.get(key, {}).values())

    def _widen(self) -> None:
        wider_s = next((one for one in _WIDTHS_S if one > self._width_s), 2 * self._width_s)
        by = wider_s // self._width_s
        for key, sums in self._sums.items():
            merged: dict[int, float] = {}
            for at, amount in sums.items():
                merged[at // by] = merged.get(at // by, 0) + amount
            self._sums[key] = merged
        self._first, self._last, self._width_s = self._first // by, self._last // by, wider_s
