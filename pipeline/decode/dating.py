"""Keeps what a live connection begins with until its camera has told what time it is there.

Items whose event times go by arrival in -> the same items out, a little later, dated by the
camera's own clock; by arrival still where that cannot be had, which is said. Thread-safe.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

from operators.frames import FrameInfo
from operators.moment import rfc3339
from pipeline.decode.collector import Item
from pipeline.decode.track import Glimpse, Sample, Track
from pipeline.media.sender_clock import SenderClock
from pipeline.stream.capture_time import CaptureTime, wall_time_us
from pipeline.stream.chunk import Fault

LONGEST_US = 6_000_000  # that a report is waited for; cameras send one in 5 s (RFC 3550, 6.2)
MOST_BYTES = 96 << 20  # of pixels that wait for it; the process may not have much more
FARTHEST_US = 86_400_000_000  # that a clock may be off: one that nobody has set says 1970


class Dating:
    """The beginning of one connection; what comes later goes through.

    Attributes:
        full: it was decided on because the frames that waited took too much memory.
    """

    def __init__(
        self,
        stream: str,
        track: Track,
        sender: SenderClock | None,
        began_us: int,
        was_full: Callable[[], bool] | None = None,
    ) -> None:
        """
        Args:
            stream: its id.
            track: of the connection; will go by the camera's clock once that is known.
            sender: which tells that; None: nobody does.
            began_us: when it was up, microseconds since the epoch.
            was_full: of a tape: whether the run that taped it was `full` by now. What is kept here
                does not count then, because a replay may take other frames. None: it is no tape.
        """
        self._stream = stream
        self._track = track
        self._sender = sender
        self._began_us = began_us
        self._was_full = was_full
        self.full = False
        self._kept: list[Item] = []
        self._decided = False
        self._lock = threading.Lock()  # whoever stops the stream may take the rest

    def through(self, items: Sequence[Item], now_us: int, *, settled: bool = True) -> list[Item]:
        """Take the next items, dated by arrival until they are decided on; what is ready.

        Args:
            items: in order.
            now_us: the time.
            settled: nobody before this one holds frames back, which would come undated.
        """
        with self._lock:
            self._kept += items
            # By frames, whichever are sampled: a tape is played with other rules, too.
            if not self._decided and self._track.decoded:
                if not settled or not self._is_due(now_us):
                    return []
                self._decide(now_us)
            return self._taken()

    def rest(self, items: Sequence[Item]) -> list[Item]:
        """These and all there is, where nobody waits for more; nothing is decided on any more."""
        with self._lock:
            self._kept += items
            self._decided = True
            return self._taken()

    @property
    def is_over(self) -> bool:
        """Everything goes through."""
        return self._decided

    @property
    def _bytes(self) -> int:
        return sum(item.pixels.nbytes for item in self._kept if isinstance(item, Sample))

    def _is_due(self, now_us: int) -> bool:
        if self._sender is None or not self._sender.reports:
            return True
        if self._sender.zero_us is not None and self._track.pts is not None:
            return True
        if now_us - self._began_us >= LONGEST_US:
            return True
        self.full = self._was_full() if self._was_full else self._bytes >= MOST_BYTES
        return self.full

    def _taken(self) -> list[Item]:
        kept, self._kept = self._kept, []
        return kept

    def _decide(self, now_us: int) -> None:
        self._decided = True
        pts, time_base = self._track.pts, self._track.time_base
        zero_us = self._sender.zero_us if self._sender else None
        if zero_us is None or pts is None:
            self._refuse(self._why_unknown(now_us - self._began_us))
            return
        wall_us = wall_time_us(pts, time_base, zero_us)
        ahead_us = wall_us - self._track.by_arrival_us
        if abs(ahead_us) > FARTHEST_US:
            self._refuse(f"the camera's clock says {rfc3339(wall_us)}, which is over a day off")
            return
        capture, of_all = CaptureTime(time_base, ahead_us), CaptureTime(time_base, ahead_us)
        kept: list[Item] = []
        for item in self._kept:
            if isinstance(item, Sample):
                info = _dated(item.info, capture, zero_us)
                item = replace(item, info=info, ahead_us=capture.ahead_us)
            elif isinstance(item, Glimpse):  # of all frames, whichever of them are sampled
                item = replace(item, info=_dated(item.info, of_all, zero_us))
            kept.append(item)
        self._kept = kept
        self._track.date_by(capture)

    def _why_unknown(self, waited_us: int) -> str:
        if self._sender is None:
            return "nothing tells the camera's clock here"
        if not self._sender.reports:
            return f"its container ({self._sender.kind}) does not tell when it began"
        return f"no RTCP sender report came in {waited_us / 1_000_000:.1f} s"

    def _refuse(self, why: str) -> None:
        """Behind the frames: an event is of the session of those before it."""
        self._kept.append(Fault(self._stream, "arrival", f"{why}; event time goes by arrival"))


def _dated(info: FrameInfo, capture: CaptureTime, zero_us: int) -> FrameInfo:
    # Whether the clock steps here is told by a gap between the samples already.
    event_time_us, _ = capture.stamp(info.pts, zero_us, info.event_time_us)
    return replace(info, event_time_us=event_time_us, clock="capture")
