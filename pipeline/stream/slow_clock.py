"""A live clock that is slow, and how its stream catches up. Pure: local time is a parameter."""

from __future__ import annotations

from fractions import Fraction

MARGIN_S = 0.2  # so far event time keeps behind local time; jitter moves it no more then
LAG_S = 0.3  # a clock that was behind by more, all of a minute long, is slow
CATCH_UP = 20  # a slow clock gains one part in so many


class SlowClock:
    """Finds a live clock that is slow: one that is behind local time all of a minute long."""

    def __init__(self, time_base: Fraction) -> None:
        """`time_base`: seconds per tick."""
        self._minute = int(60 / time_base)
        self._margin = int(Fraction(MARGIN_S) / time_base)
        self._worth = int(Fraction(LAG_S) / time_base)
        self._began: int | None = None
        self._least = 0
        self._owed = 0

    def correction(self, local: int, lag: int, moved: int) -> int:
        """Ticks to add to a frame's elapsed time: little by little, so that nobody sees a gap.

        Args:
            local: local time, ticks.
            lag: how far the frame is behind it.
            moved: how far time moved on with the frame.
        """
        if self._began is None or local - self._began >= self._minute:
            if self._began is not None and self._least > self._worth:
                self._owed = self._least - self._margin
            self._began, self._least = local, lag
        self._least = min(self._least, lag)
        share = max(0, min(self._owed, lag, moved // CATCH_UP))
        self._owed -= share
        return share

    def snapshot(self) -> list[int | None]:
        """State as JSON values."""
        return [self._began, self._least, self._owed]

    def restore(self, state: list[int | None]) -> None:
        """Go on where `snapshot` was taken."""
        self._began, self._least, self._owed = state[0], state[1] or 0, state[2] or 0
