"""What of a playlist has been shown, in a form that outlives the connection and its process."""

from __future__ import annotations

import zlib
from collections import deque

from pipeline.media.picture import Mark

REMEMBERED = 8  # segments; a live playlist is begun three before its end


class Shown:
    """Which segments were shown, if only in part: goes into marks and comes back out of one.

    A segment is told by its number and its bytes: an encoder that was started anew counts from 0
    again, and one that stands still gives the same bytes under the same number.
    """

    def __init__(self, mark: Mark | None, *, finite: bool) -> None:
        """
        Args:
            mark: of the last picture that was given out before; None where there was none.
            finite: the playlist is a recording.
        """
        _, was_finite, *pairs = mark or [None, int(finite)]
        self.finite = finite and bool(was_finite)  # a live one that ended is no recording
        self.number = pairs[-2] if pairs else None  # of the last one
        self._before = set(zip(pairs[::2], pairs[1::2], strict=True))
        self._now: deque[tuple[int, int]] = deque(maxlen=REMEMBERED)

    def add(self, number: int, data: bytes) -> bool:
        """The next segment; whether it was shown before."""
        pair = (number, zlib.crc32(data))
        self._now.append(pair)
        return pair in self._before

    def mark(self, number: int, pts: int | None) -> Mark:
        """Of a picture in this segment: its pts, whether all is a recording, and the segments up to
        its own as pairs of number and checksum."""
        pairs = [pair for pair in self._now if pair[0] <= number]
        return [pts, int(self.finite), *(value for pair in pairs for value in pair)]
