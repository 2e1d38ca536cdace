"""What one browser is to be sent next: of each stream that it watches the newest picture, no more.

Records that come -> the ones to send. A stream whose last picture is not drawn yet waits, and what
came meanwhile but for the newest is left out and counted.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

PICTURES = ("frames", "depth", "segmentation", "pca")  # the first that a stream has is shown
LEAST_S = 0.2  # between two pictures of a stream
STALE_S = 5.0  # after which another topic's records are shown
PENDING_S = 10.0  # a picture that nobody said was drawn is taken for drawn


@dataclass(slots=True)
class _Slot:
    offset: int = 0
    topic: str = ""
    heard_s: float = float("-inf")
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
        clock: seconds, monotonic.
    """

    left_out: int = 0
    clock: Callable[[], float] = time.monotonic
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

    def begin_anew(self) -> None:
        """Offsets are those of another database now."""
        with self._lock:
            self._watched = {name: _Slot() for name in self._watched}

    def watched(self) -> list[str]:
        """Now."""
        with self._lock:
            return list(self._watched)

    def hear(self, stream: str, topic: str, offset: int) -> None:
        """A record came. One of a topic that is worse to show counts where none of the better one
        came for a while."""
        if topic not in PICTURES:
            return
        with self._lock:
            slot, now_s = self._watched.get(stream), self.clock()
            if slot is None:
                return
            stale = now_s - slot.heard_s > STALE_S
            if slot.topic and _rank(topic) > _rank(slot.topic) and not stale:
                return
            if slot.pending and slot.offset > slot.sent_offset and topic == slot.topic:
                self.left_out += 1
            slot.topic, slot.offset, slot.heard_s = topic, max(offset, slot.offset), now_s

    def drawn(self, stream: str) -> None:
        """The browser has drawn what it was sent."""
        with self._lock:
            if slot := self._watched.get(stream):
                slot.pending = False

    def due(self) -> list[Due]:
        """What is to be sent now; taken for sent."""
        found, now_s = [], self.clock()
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
