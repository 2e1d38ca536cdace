"""Keeps what a live connection begins with until it is known how old that is.

Items in -> the same items out, a little later, their event times counted from the right moment.
Thread-safe.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from pipeline.decode.arrival import Arrival
from pipeline.decode.collector import Item
from pipeline.decode.track import Glimpse, Sample, Track

BACKLOG_US = 60_000_000  # a connection does not begin with frames that are older


class Settling:
    """The beginning of one connection; what comes later goes through."""

    def __init__(self, track: Track, opened_us: int, behind_us: int) -> None:
        """
        Args:
            track: of the connection; counted from a moment that is early enough, for now.
            opened_us: when it was up, microseconds since the epoch.
            behind_us: how much older than that its first frame is, as its source says; 0: it
                does not say.
        """
        self._track = track
        self._latest_us = opened_us - behind_us if behind_us else None
        self._provisional_us = opened_us - behind_us - BACKLOG_US
        self._arrival: Arrival | None = Arrival()
        self._kept: list[Item] = []
        self._lock = threading.Lock()  # whoever stops the stream may take the rest
        track.anchor(self._provisional_us)

    def through(self, items: Sequence[Item], now_us: int, *, frame: bool) -> list[Item]:
        """Take the next items; what is ready.

        Args:
            items: in order; none at a step that has nothing.
            now_us: the time.
            frame: the track has followed a frame with them.
        """
        with self._lock:
            self._kept += items
            arrival = self._arrival
            if arrival is not None:
                known = frame and arrival.see(self._track.elapsed_us, now_us)
                if known or arrival.is_late(now_us):
                    self._settle(arrival)
                elif any(isinstance(item, Sample | Glimpse) for item in self._kept):
                    return []
            return self._taken()

    def rest(self) -> list[Item]:
        """All there is, where nobody waits for more."""
        with self._lock:
            if self._arrival:
                self._settle(self._arrival)
            return self._taken()

    @property
    def is_over(self) -> bool:
        """Everything goes through."""
        return self._arrival is None

    def _taken(self) -> list[Item]:
        kept, self._kept = self._kept, []
        return kept

    def _settle(self, arrival: Arrival) -> None:
        self._arrival = None
        if arrival.anchor_us is None:
            return
        anchor_us = arrival.anchor_us
        if self._latest_us is not None:
            anchor_us = min(anchor_us, self._latest_us)
        self._track.anchor(anchor_us)
        later_us = anchor_us - self._provisional_us
        self._kept = [
            _later(item, later_us) if isinstance(item, Sample | Glimpse) else item
            for item in self._kept
        ]


def _later(frame: Sample | Glimpse, by_us: int) -> Sample | Glimpse:
    info = frame.info
    return replace(frame, info=replace(info, event_time_us=info.event_time_us + by_us))
