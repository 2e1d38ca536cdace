"""What of a playlist has been shown, in a form that outlives the connection and its process."""

from __future__ import annotations

import zlib
from collections import deque

from pipeline.media.picture import Mark

REMEMBERED = 8  # segments; a live playlist is begun three before its end
_TURN = 1 << 33  # ticks of 90 kHz; after so many a transport stream counts from 0 again


class Shown:
    """Which segments were shown, and how far the last one: goes into marks and comes back out of
    one.

    A segment is told by its number and its bytes: an encoder that was started anew counts from 0
    again, and one that stands still gives the same bytes under the same number.

    Attributes:
        finite: all of it is a recording, and was one before.
        number: of the segment of the marked picture; None where there was none.
        met: the marked picture has come again, so that what follows goes on behind it.
        awaits: it has not come yet, and is in what is decoded now.
    """

    def __init__(self, mark: Mark | None, *, finite: bool) -> None:
        """
        Args:
            mark: of the last picture that was given out before; None where there was none.
            finite: the playlist is a recording.
        """
        self._pts, was_finite, *pairs = mark or [None, int(finite)]
        self.finite = finite and bool(was_finite)  # a live one that ended is no recording
        self.number = pairs[-2] if pairs else None
        self.met = self.awaits = False
        self._before = list(zip(pairs[::2], pairs[1::2], strict=True))
        self._now: deque[tuple[int, int]] = deque(maxlen=REMEMBERED)
        self._now_pts: int | None = None

    def add(self, number: int, data: bytes) -> bool:
        """The next segment; whether all of it was shown before."""
        pair = (number, zlib.crc32(data))
        self._now.append(pair)
        self.awaits = self.awaits or pair in self._before[-1:]
        return pair in self._before[:-1]

    def has(self, number: int, pts: int | None) -> bool:
        """Whether the next picture was shown before: of the marked picture's segment all up to it.

        Args:
            number: the segment it came in.
            pts: ticks of 90 kHz.
        """
        if not self.awaits or self.number is None or number < self.number:
            return False
        self.met = number == self.number and pts == self._pts
        self.awaits = number == self.number and not self.met and not self.ticks_after(pts)
        return self.awaits or self.met

    def mark(self, number: int, pts: int | None) -> Mark:
        """Of a picture in this segment: its pts (else the last one's), whether all is a recording,
        and the segments up to its own as pairs of number and checksum."""
        self._now_pts = self._now_pts if pts is None else pts
        pairs = [pair for pair in self._now if pair[0] <= number]
        return [self._now_pts, int(self.finite), *(value for pair in pairs for value in pair)]

    def ticks_after(self, pts: int | None) -> int:
        """How far behind the marked picture a time is, ticks of 90 kHz; 0 where it is not. The
        counter may have turned in between."""
        if pts is None or self._pts is None:
            return 0
        ahead = (pts - self._pts) % _TURN
        return ahead if ahead < _TURN // 2 else 0
