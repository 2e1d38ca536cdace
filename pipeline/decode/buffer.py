"""Frames of a live stream that wait, beside the thread that decodes them. Thread-safe."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from pipeline.decode.collector import Item, Told, entries
from pipeline.decode.lineup import MOST_SHOTS, Lineup
from pipeline.decode.shots import Shots
from pipeline.decode.stillness import Stillness
from pipeline.decode.track import Sample
from pipeline.stream.chunk import CHUNK_FRAMES, Entry
from pipeline.stream.dropped import Dropped
from pipeline.stream.spec import StreamSpec


class Buffer:
    """Keeps the newest frames, so many and so old at most; what is dropped becomes Gaps.

    Attributes:
        taken: frames that were put in: which rules took them -> how many.
        closed: nothing more is put in.
    """

    def __init__(self, spec: StreamSpec, *, clock: Callable[[], float] = time.monotonic) -> None:
        """
        Args:
            spec: the stream: how many frames there is room for, and how long; a chunk waits
                `chunk_ms` for more, counted from its first item.
            clock: seconds, monotonic.
        """
        self._room = spec.room
        self._max_age_s = spec.max_age_s
        self._chunk_s = spec.chunk_ms / 1000
        self._clock = clock
        self._shots = Shots(spec)  # of what is put in
        self._stillness = Stillness(spec)  # of what is handed out
        self._items: Lineup[Sample] = Lineup(None if spec.drop == "block" else MOST_SHOTS)
        self._frames = 0
        self._dropped = Dropped(spec.stream, len(spec.samplings))  # before the first item
        self._since_s = 0.0
        self.taken: Counter[int] = Counter()
        self.closed = False
        self._changed = threading.Condition()

    def put(self, item: Item, *, patient: bool = False) -> None:
        """Add the newest item; without effect once closed. A `patient` frame is never too old."""
        with self._changed:
            if self.closed:
                return
            for told in self._shots.judge(item):
                self._add(told, patient=patient)
            self._expire()
            self._changed.notify_all()

    def wait_for_room(self, timeout_s: float) -> bool:
        """Until one more frame would drop none, or the buffer is closed; whether that is so in
        time."""
        with self._changed:
            return self._changed.wait_for(
                lambda: self._frames < self._room or self.closed, timeout_s
            )

    def close(self) -> None:
        """Nothing more will be put in. So the session is over, and with it its last shot: whoever
        goes on with the stream begins another."""
        with self._changed:
            for shot in [] if self.closed else self._shots.rest():
                self._add(shot, patient=True)
            self.closed = True
            self._changed.notify_all()

    def _add(self, item: Told, *, patient: bool) -> None:
        if not self._items:
            self._since_s = self._clock()
        if isinstance(item, Sample):
            self._frames += 1
            self.taken[item.taken] += 1
            item = item if patient else replace(item, arrived_s=self._clock())
        self._items.add(item)
        while self._frames > self._room:
            self._drop("full")

    def take(self, timeout_s: float) -> tuple[Entry, ...] | None:
        """The next chunk's entries; None where it is not full in time, () at the very end."""
        deadline_s = self._clock() + timeout_s
        with self._changed:
            while not (self._ready() or self.closed):
                left_s = deadline_s - self._clock()
                if left_s <= 0:
                    return None
                late_s = self._since_s + self._chunk_s - self._clock()
                self._changed.wait(min(left_s, max(late_s, 0.001)) if self._items else left_s)
            items = self._next()
        return entries([self._stillness.judge(item) for item in items])

    def _ready(self) -> bool:
        if not self._items:
            return False
        late = self._clock() - self._since_s >= self._chunk_s
        return late or self._frames >= min(CHUNK_FRAMES, self._room)

    def _next(self) -> list[Told]:
        self._expire()
        items: list[Told] = list(self._dropped.take())
        frames = 0
        while self._items and frames < CHUNK_FRAMES:
            items += self._items.pop()
            frames += isinstance(items[-1], Sample)
        self._frames -= frames
        self._since_s = self._clock()
        self._changed.notify_all()
        return items

    def _expire(self) -> None:
        oldest_s = self._clock() - self._max_age_s
        while (arrived_s := self._arrived_s()) is not None and arrived_s < oldest_s:
            self._drop("late")

    def _arrived_s(self) -> float | None:
        """When the oldest frame arrived."""
        return self._items.first.arrived_s if self._items.first else None

    def _drop(self, cause: str) -> None:
        """The oldest frame goes."""
        assert self._items.first
        self._dropped.add(cause, (self._items.first.taken,))
        self._items.drop()
        self._frames -= 1
