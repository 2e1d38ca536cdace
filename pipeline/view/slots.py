"""What one browser is to be sent next: of each stream that it watches the newest picture, no more.

Records that come -> the ones to send. A stream whose last picture is not drawn yet waits, and what
came meanwhile but for the newest is left out and counted.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, field

PICTURES = ("frames", "depth", "segmentation", "pca")  # the first that a stream has is shown
LEAST_S = 0.2  # between two pictures of a stream
PENDING_S = 10.0  # a picture that nobody said was drawn is taken for drawn


@dataclass(slots=True)
class _Slot:
    offset: int = 0
    topic: str = ""
    sent_offset: int = 0
    sent_s: float = float("-inf")
    pending: bool = False
    looked_for: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """A record whose picture is to be sent now."""

    stream: str
    topic: str
    offset: int


@dataclass(slots=True)
class Slots:
    """Of one browser. From any thread.

    Attributes:
        left_out: pictures that came and went while the one before was not drawn; counted until it
            is taken.
    """

    left_out: int = 0
    _watched: dict[str, _Slot] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def watch(self, streams: Collection[str]) -> None:
        """These and no others."""
        with self._lock:
            self._watched = {name: self._watched.get(name) or _Slot() for name in streams}

    def unseen(self) -> list[str]:
        """Those that are watched and of which nothing came; each is told once."""
        with self._lock:
            found = [name for name, one in self._watched.items() if not one.looked_for]
            for name in found:
                self._watched[name].looked_for = True
            return found

    def look_again(self, stream: str) -> None:
        """It could not be looked at: `unseen` tells it once more."""
        with self._lock:
            if slot := self._watched.get(stream):
                slot.looked_for = False

    def watched(self) -> list[str]:
        """Now."""
        with self._lock:
            return list(self._watched)

    def hear(self, stream: str, topic: str, offset: int) -> None:
        """A record came."""
        if topic not in PICTURES:
            return
        with self._lock:
            slot = self._watched.get(stream)
            if slot is None or (slot.topic and _rank(topic) > _rank(slot.topic)):
                return
            if slot.pending and slot.offset > slot.sent_offset and topic == slot.topic:
                self.left_out += 1
            slot.topic, slot.offset = topic, max(offset, slot.offset)

    def drawn(self, stream: str) -> None:
        """The browser has drawn what it was sent."""
        with self._lock:
            if slot := self._watched.get(stream):
                slot.pending = False

    def due(self, now_s: float) -> list[Due]:
        """What is to be sent at this time of a monotonic clock; taken for sent."""
        found = []
        with self._lock:
            for stream, slot in self._watched.items():
                waits = slot.pending and now_s - slot.sent_s < PENDING_S
                if waits or slot.offset <= slot.sent_offset or now_s - slot.sent_s < LEAST_S:
                    continue
                slot.pending, slot.sent_s, slot.sent_offset = True, now_s, slot.offset
                found.append(Due(stream, slot.topic, slot.offset))
        return found

    def take_left_out(self) -> int:
        """How many since it was asked last."""
        with self._lock:
            count, self.left_out = self.left_out, 0
            return count


def _rank(topic: str) -> int:
    return PICTURES.index(topic)
