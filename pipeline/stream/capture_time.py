"""Event time of a live session by its camera's own wall clock. Pure.

Event times are in payloads and in no id. Equal ids have equal ones all the same: each connection is
a session of its own, which clock it goes by is decided before its first frame goes out, and no
frame of it is ever decoded again.
"""

from __future__ import annotations

from fractions import Fraction

from pipeline.stream.timeline import JUMP_S

STEP_US = JUMP_S * 1_000_000  # a clock that is off by more all at once was set; less is corrected


class CaptureTime:
    """Follows the camera's clock, and never goes back. Where that clock steps, event time goes on
    as by arrival, and keeps its distance to the clock until that is back where it was.

    Attributes:
        ahead_us: event time of the last frame less that by arrival.
    """

    def __init__(self, time_base: Fraction, ahead_us: int) -> None:
        """
        Args:
            time_base: seconds per tick of every pts.
            ahead_us: about what the first frame's will be, which may have no pts.
        """
        self._time_base = time_base
        self.ahead_us = ahead_us
        self._shift_us = 0  # from the camera's clock since that stepped
        self._last_us: int | None = None

    def stamp(self, pts: int | None, zero_us: int, arrival_us: int) -> tuple[int, bool]:
        """A frame's event time, microseconds since the epoch, and whether the clock stepped in
        front of it.

        Args:
            pts: as the container says, ticks.
            zero_us: the camera's clock at timestamp 0, as it says by now.
            arrival_us: the frame's event time by arrival (`Stamp.event_time_us`).
        """
        expected_us, stepped = arrival_us + self.ahead_us, False
        event_us = expected_us
        if pts is not None:
            wall_us = wall_time_us(pts, self._time_base, zero_us)
            if _agree(wall_us, expected_us):
                self._shift_us = 0
            elif not _agree(wall_us + self._shift_us, expected_us):
                self._shift_us, stepped = expected_us - wall_us, True
            event_us = wall_us + self._shift_us
        if self._last_us is not None:
            event_us = max(event_us, self._last_us)
        self._last_us, self.ahead_us = event_us, event_us - arrival_us
        return event_us, stepped

    def snapshot(self) -> list[int | None]:
        """State as JSON values."""
        return [self.ahead_us, self._shift_us, self._last_us]

    def restore(self, state: list[int | None]) -> None:
        """Go on where `snapshot` was taken."""
        self.ahead_us, self._shift_us, self._last_us = state[0] or 0, state[1] or 0, state[2]


def wall_time_us(pts: int, time_base: Fraction, zero_us: int) -> int:
    """The wall clock at a timestamp, microseconds since the epoch."""
    return zero_us + int(pts * time_base * 1_000_000)


def _agree(one_us: int, other_us: int) -> bool:
    return abs(one_us - other_us) <= STEP_US
