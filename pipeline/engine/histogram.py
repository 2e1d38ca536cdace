"""Durations, counted in classes that are the same everywhere. Pure."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field

BOUNDS_S = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0)


@dataclass(slots=True)
class Histogram:
    """Durations in classes.

    Attributes:
        counts: durations up to each of BOUNDS_S and above the bound before it; the last: above all.
        sum_s: of all durations.
    """

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    sum_s: float = 0.0

    def add(self, seconds: float) -> None:
        """Another one."""
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.sum_s += seconds

    def __add__(self, other: Histogram) -> Histogram:
        counts = [one + more for one, more in zip(self.counts, other.counts, strict=True)]
        return Histogram(counts, self.sum_s + other.sum_s)

    def __sub__(self, earlier: Histogram) -> Histogram:
        """What came after an earlier look at the same."""
        counts = [one - less for one, less in zip(self.counts, earlier.counts, strict=True)]
        return Histogram(counts, self.sum_s - earlier.sum_s)

    def copy(self) -> Histogram:
        """Another one that stays as this is now."""
        return Histogram([*self.counts], self.sum_s)

    def quantile(self, part: float) -> float | None:
        """Seconds that this part of them, 0 to 1, did not exceed: within its class on a straight
        line, above the last bound that bound, as Prometheus' `histogram_quantile` has it; None
        where there are none."""
        wanted = part * sum(self.counts)
        if not wanted:
            return None
        reached, below_s = 0, 0.0
        for count, bound_s in zip(self.counts, BOUNDS_S, strict=False):
            if count and reached + count >= wanted:
                return below_s + (bound_s - below_s) * (wanted - reached) / count
            reached, below_s = reached + count, bound_s
        return below_s
