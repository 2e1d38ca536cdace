"""What a stream's decode processes have handed over and nobody has asked for yet.

It outlives the process that it came from, so that the next connection need not wait for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from pipeline.chunk import CHUNK_FRAMES, Entry, Frames
from pipeline.decode.spec import StreamSpec
from pipeline.dropped import Dropped


class Backlog:
    """Entries in order. Of a live stream no more frames than it may buffer, and none too old."""

    def __init__(self, spec: StreamSpec) -> None:
        self._live = spec.live
        self._room = spec.buffer_frames
        self._max_age_s = spec.max_age_s
        self._entries: deque[Entry] = deque()
        self._dropped = Dropped(spec.stream, len(spec.samplings))  # before the first entry

    def __bool__(self) -> bool:
        return bool(self._entries or self._dropped)

    def add(self, entries: Iterable[Entry], now_s: float) -> None:
        """Put the newest in."""
        self._entries += entries
        if self._live:
            self._drop(max(0, self._frames - self._room), "full")
            self._expire(now_s)

    def take(self, now_s: float) -> tuple[Entry, ...]:
        """The oldest, for one chunk."""
        if self._live:
            self._expire(now_s)
        taken: list[Entry] = list(self._dropped.take())
        frames = 0
        while self._entries and frames < CHUNK_FRAMES:
            entry = self._entries.popleft()
            frames += len(entry.infos) if isinstance(entry, Frames) else 0
            taken.append(entry)
        return tuple(taken)

    @property
    def _frames(self) -> int:
        return sum(len(entry.infos) for entry in self._entries if isinstance(entry, Frames))

    def _expire(self, now_s: float) -> None:
        oldest_s = now_s - self._max_age_s
        runs = (entry for entry in self._entries if isinstance(entry, Frames))
        self._drop(sum(run.older_than(oldest_s) for run in runs), "late")

    def _drop(self, frames: int, cause: str) -> None:
        """The oldest frames go; what stands between them stays."""
        kept: deque[Entry] = deque()
        while frames:
            entry = self._entries.popleft()
            if not isinstance(entry, Frames):
                kept.append(entry)
                continue
            count = min(frames, len(entry.infos))
            frames -= count
            self._dropped.add(cause, entry.taken[:count])
            if count < len(entry.infos):
                kept.append(entry.without(count))
        self._entries = kept + self._entries
