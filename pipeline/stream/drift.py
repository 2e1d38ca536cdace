"""How fast a camera's clock runs against this machine's, from when its frames come in. Pure.

A frame may come late and never early, so of many the earliest says when they were taken. After
Paxson, "On calibrating measurements of packet transit times" (SIGMETRICS 1998): the earliest of
each window of time, and a robust line through those. The line is Theil and Sen's, the median of
the slopes between any two, which a minute of congestion does not turn.
"""

from __future__ import annotations

from itertools import combinations
from statistics import median
from typing import NamedTuple

POINTS = 64  # windows that are remembered; 2,016 slopes take half a millisecond
SHORTEST_US = 1_000_000  # a window at first: something is to be known soon
LONGEST_US = 64_000_000  # in the end, so that the present counts and not a summer: 64 are 68 min
LEAST_US = 30_000_000  # nothing is said of less: a millisecond of jitter in that is 33 ppm


class Drift(NamedTuple):
    """
    Attributes:
        ppm: by how many millionths the camera's clock is fast; below 0 it is slow.
        over_s: of how many seconds that was measured.
    """

    ppm: float
    over_s: float


class DriftMeter:
    """Of one connection, however long: what it remembers is bounded.

    Attributes:
        drift: as of the last window that is over; None: nobody knows, or not yet.
    """

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """What follows is another clock's."""
        self.drift: Drift | None = None
        self._window_us = SHORTEST_US
        self._points: list[tuple[int, int]] = []  # of each window that is over, as below
        self._earliest: tuple[int, int] | None = None  # arrival, and that minus media time
        self._opened_us = 0
        self._media_us: int | None = None  # of the last frame

    def see(self, media_us: int, arrived_us: int) -> None:
        """Take the next frame.

        Args:
            media_us: by the camera's clock, from wherever it counts. One that does not move on
                says nothing.
            arrived_us: by this machine's, which is never set.
        """
        if self._media_us is not None and media_us <= self._media_us:
            return
        self._media_us = media_us
        if self._earliest is not None and arrived_us - self._opened_us >= self._window_us:
            self._close_window(self._earliest)
        if self._earliest is None:
            self._opened_us = arrived_us
        lag_us = arrived_us - media_us
        if self._earliest is None or lag_us < self._earliest[1]:
            self._earliest = (arrived_us, lag_us)

    def _close_window(self, earliest: tuple[int, int]) -> None:
        self._earliest = None
        self._points.append(earliest)
        if len(self._points) > POINTS:
            self._make_room()
        over_us = self._points[-1][0] - self._points[0][0]
        if over_us >= LEAST_US:
            # A fast camera's media time gains on arrivals, so the lag shrinks.
            self.drift = Drift(-1_000_000 * _slope(self._points), over_us / 1_000_000)

    def _make_room(self) -> None:
        """Two windows become one, until they are long enough; then the oldest goes."""
        if self._window_us >= LONGEST_US:
            del self._points[0]
            return
        self._window_us *= 2
        pairs = zip(self._points[::2], self._points[1::2], strict=False)  # the newest has no other
        self._points = [*(min(pair, key=_lag_us) for pair in pairs), self._points[-1]]


def _lag_us(point: tuple[int, int]) -> int:
    return point[1]


def _slope(points: list[tuple[int, int]]) -> float:
    return median((b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(points, 2))
