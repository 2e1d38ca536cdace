"""When which stream is to be looked at, whatever comes of it until then. Pure."""

from __future__ import annotations

import heapq
import math


class Alarms:
    """At most one per stream counts: the earliest.

    One that is put off goes off at the earlier moment all the same, and whoever hears it sets it
    anew: of a camera that is alive it is put off with every message.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, str]] = []
        self._set: dict[str, float] = {}

    @property
    def next_s(self) -> float:
        """When one may go off; infinite where none is set."""
        return self._heap[0][0] if self._heap else math.inf

    def set(self, stream: str, wake_s: float | None) -> None:
        """Look at a stream then, or earlier; None: there is no need."""
        if wake_s is not None and wake_s < self._set.get(stream, math.inf):
            self._set[stream] = wake_s
            heapq.heappush(self._heap, (wake_s, stream))

    def drop(self, stream: str) -> None:
        """It is gone."""
        self._set.pop(stream, None)

    def due(self, now_s: float) -> list[str]:
        """Streams whose alarm goes off; each has none then."""
        streams = []
        while self.next_s <= now_s:
            wake_s, stream = heapq.heappop(self._heap)
            if self._set.get(stream) == wake_s:
                del self._set[stream]
                streams.append(stream)
        return streams
