"""Timestamps as cameras send them -> timestamps that a container takes. Pure.

A film has to play; what the camera really sent stands in the tape's journal.
"""

from __future__ import annotations

from fractions import Fraction

FARTHEST_S = 10  # from one packet to the next; farther is another clock


class FilmClock:
    """Of one film: decoding times rise, no picture is shown before it is decoded, no leaps."""

    def __init__(self, time_base: Fraction) -> None:
        """`time_base`: seconds per tick."""
        self._farthest = int(FARTHEST_S / time_base)
        self._offset = 0
        self._last: int | None = None
        self._step = 1

    def place(self, pts: int | None, dts: int | None) -> tuple[int, int]:
        """The next packet's pts and dts in the film; its own may be missing, ticks."""
        own = pts if dts is None else dts
        last = self._last
        if own is None:
            decoded = 0 if last is None else last + self._step
        elif last is None:
            self._offset, decoded = -own, 0
        else:
            decoded = own + self._offset
            if not 0 < decoded - last <= self._farthest:
                self._offset += last + self._step - decoded
                decoded = last + self._step
            self._step = decoded - last
        self._last = decoded
        shown = decoded if pts is None else pts + self._offset
        return max(decoded, min(shown, decoded + self._farthest)), decoded
