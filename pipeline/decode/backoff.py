"""How long to wait before the next try: exponential, with full jitter above a floor."""

from __future__ import annotations

from random import Random

FIRST_S = 0.5
LONGEST_S = 30.0
DOUBLINGS = 10  # far enough to reach the longest, and no overflow after a week of failures


class Backoff:
    """Delays of one stream. Cameras that went down together must not come back together."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._failures = 0

    def next_s(self) -> float:
        """The wait after one more failure: between half and all of 0.5, 1, 2, ... 30 s."""
        ceiling_s = min(LONGEST_S, FIRST_S * float(1 << min(self._failures, DOUBLINGS)))
        self._failures += 1
        return ceiling_s * self._rng.uniform(0.5, 1.0)

    def reset(self) -> None:
        """It worked: the next failure is the first."""
        self._failures = 0
