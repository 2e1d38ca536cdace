"""What is given up, step by step, while an engine is too slow for its cameras. Pure.

That it is too slow is seen in frames that come out later than their stream's latency allows. A step
is taken when many batches of late have such frames, and taken back after a longer time without any;
one that had to be taken again soon afterwards is kept for twice as long.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

RISE_S = 2.0  # that is looked at before a step, and between two
FEWEST = 4  # batches that are looked at: some take seconds
SHARE = 0.25  # of them that have to be late
FALL_S = 20.0  # without any that is late before a step is taken back
LONGEST_FALL_S = 600.0


class Overload:
    """Of one engine."""

    def __init__(self, steps: Sequence[str]) -> None:
        """
        Args:
            steps: what is given up, in this order; none: nothing ever is.
        """
        self._steps = tuple(steps)
        self._level = 0
        self._batches: deque[tuple[float, bool]] = deque()  # when it was done, and late
        self._late_s = self._changed_s = self._fell_s = -math.inf
        self._fall_s = FALL_S

    @property
    def given_up(self) -> tuple[str, ...]:
        """The steps that are taken."""
        return self._steps[: self._level]

    def see(self, late: bool, now_s: float) -> bool:
        """A batch was computed; whether `given_up` has changed.

        Args:
            late: some frame of it came out later than its stream's latency allows.
            now_s: on a clock that never goes back.
        """
        self._batches.append((now_s, late))
        if not late:
            return self.rest(now_s)
        self._late_s = now_s
        return self._rise(now_s)

    def rest(self, now_s: float) -> bool:
        """There was none to compute; whether `given_up` has changed."""
        since_s = max(self._late_s, self._changed_s)
        if not self._level or now_s - since_s < self._fall_s:
            return False
        self._fell_s = now_s
        self._change(-1, now_s)
        return True

    def _rise(self, now_s: float) -> bool:
        if self._level == len(self._steps) or not self._is_slow(now_s):
            return False
        soon = now_s - self._fell_s < self._fall_s
        self._fall_s = min(2 * self._fall_s, LONGEST_FALL_S) if soon else FALL_S
        self._change(+1, now_s)
        return True

    def _is_slow(self, now_s: float) -> bool:
        batches = self._batches
        while len(batches) > FEWEST and batches[1][0] <= now_s - RISE_S:
            batches.popleft()
        seen = len(batches) >= FEWEST and batches[0][0] <= now_s - RISE_S
        return seen and sum(late for _, late in batches) >= SHARE * len(batches)

    def _change(self, steps: int, now_s: float) -> None:
        self._level += steps
        self._changed_s = now_s
        self._batches.clear()
