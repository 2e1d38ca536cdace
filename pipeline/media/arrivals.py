"""A live source that remembers when its bytes came, for containers that carry no clock.

Reads go through; a place in the stream -> the time at which everything up to it was there.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

EARLY_US = 20_000
"""The first picture is put so much earlier than it came. Sampling periods count from it, and at a
rate equal to the camera's every other picture would otherwise fall to either side of a period's
edge as the network pleases: a quarter would not be taken."""
_REMEMBERED = 8192  # reads; probing makes some thousands at most


class _Source(Protocol):
    def read(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


class Arrivals:
    """Implements what libav reads from; cannot be sought."""

    def __init__(self, source: _Source, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            source: what is read through it, from its beginning.
            clock: seconds, monotonic.
        """
        self._source = source
        self._clock = clock
        self._position = 0
        self._reads: deque[tuple[int, float]] = deque(maxlen=_REMEMBERED)  # up to where, when
        self._first_s: float | None = None
        self._last_us = 0  # that was given out

    def read(self, size: int) -> bytes:
        """What has come, up to `size` bytes."""
        data = self._source.read(size)
        self._position += len(data)
        self._reads.append((self._position, self._clock()))
        return data

    def close(self) -> None:
        """Hang up."""
        self._source.close()

    def at_us(self, position: int) -> int:
        """When the bytes in front of `position` were there, microseconds since the first picture's;
        of pictures that came together the later one is a microsecond behind.

        Called with what grows, at least once something was read; `EARLY_US` is in it.
        """
        while len(self._reads) > 1 and self._reads[0][0] < position:
            self._reads.popleft()
        when_s = self._reads[0][1]
        if self._first_s is None:
            self._first_s = when_s
            return 0
        since_us = EARLY_US + round((when_s - self._first_s) * 1_000_000)
        self._last_us = max(since_us, self._last_us + 1)
        return self._last_us
