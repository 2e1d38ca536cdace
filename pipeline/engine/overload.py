"""What is given up, step by step, while an engine is too slow for its cameras. Pure.

That it is too slow is seen in frames that come out later than their stream's latency allows, unless
the stream waited for the sink meanwhile: to give up operators makes no sink faster. A step is taken
when many batches of late have such frames, and taken back after a longer time in which few had; one
that had to be taken again soon afterwards is kept for twice as long.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

RISE_S = 2.0  # that is looked at before a step, and between two
FEWEST = 4  # batches that are looked at: some take seconds
LULL_S = 5.0  # between two; what was before it is forgotten
SHARE, LEAST = 0.25, 2  # of them, and batches, that have to be late
FALL_S = 20.0  # without so many before a step is taken back
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
        self._slow_s = self._changed_s = self._fell_s = -math.inf
        self._fall_s = FALL_S

    @property
    def given_up(self) -> tuple[str, ...]:
        """The steps that are taken."""
        return self._steps[: self._level]

    def see(self, late: bool, now_s: float) -> bool:
        """A batch was computed; whether `given_up` has changed.

        Args:
            late: some frame of it came out later than its stream's latency allows, and the
                engine is why.
            now_s: on a clock that never goes back.
        """
        self._forget(now_s)
        batches = self._batches
        batches.append((now_s, late))
        while len(batches) > FEWEST and batches[1][0] <= now_s - RISE_S:
            batches.popleft()
        lates = sum(one for _, one in batches)
        if lates < max(LEAST, SHARE * len(batches)):
            return self._fall(now_s)
        self._slow_s = now_s
        whole = len(batches) >= FEWEST and batches[0][0] <= now_s - RISE_S
        return late and whole and self._rise(now_s)

    def rest(self, now_s: float) -> bool:
        """There was none to compute; whether `given_up` has changed."""
        self._forget(now_s)
        return self._fall(now_s)

    def _forget(self, now_s: float) -> None:
        """After a pause nothing is known: what waited through it comes out late for once."""
        if self._batches and now_s - self._batches[-1][0] > LULL_S:
            self._batches.clear()

    def _rise(self, now_s: float) -> bool:
        if self._level == len(self._steps):
            return False
        if self._changed_s == self._fell_s:  # the last change, if any, was a step taken back
            soon = now_s - self._fell_s < self._fall_s
            self._fall_s = min(2 * self._fall_s, LONGEST_FALL_S) if soon else FALL_S
        self._change(+1, now_s)
        return True

    def _fall(self, now_s: float) -> bool:
        if not self._level or now_s - max(self._slow_s, self._changed_s) < self._fall_s:
            return False
        self._fell_s = now_s
        self._change(-1, now_s)
        return True

    def _change(self, steps: int, now_s: float) -> None:
        self._level += steps
        self._changed_s = now_s
        self._batches.clear()
