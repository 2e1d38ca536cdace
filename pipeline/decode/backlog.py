"""What a stream's decode processes have handed over and nobody has asked for yet.

It outlives the process that it came from, so that the next connection need not wait for it.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.decode.lineup import MOST_SHOTS, Lineup
from pipeline.stream.chunk import CHUNK_FRAMES, Entry, Frames
from pipeline.stream.dropped import Dropped
from pipeline.stream.spec import StreamSpec


class Backlog:
    """Entries in order. Of a live stream no more frames and shots than there is room for, and no
    frames too old; of one that waits, and of a recording, all."""

    def __init__(self, spec: StreamSpec) -> None:
        self._drops = spec.live and spec.drop != "block"
        self._room = spec.room
        self._max_age_s = spec.max_age_s
        self._entries: Lineup[Frames] = Lineup(MOST_SHOTS if self._drops else None)
        self._dropped = Dropped(spec.stream, len(spec.samplings))  # before the first entry

    def __bool__(self) -> bool:
        return bool(self._entries or self._dropped)

    def add(self, entries: Iterable[Entry], now_s: float) -> None:
        """Put the newest in."""
        for entry in entries:
            self._entries.add(entry)
        if self._drops:
            self._drop(max(0, self._frames - self._room), "full")
            self._expire(now_s)

    def take(self, now_s: float) -> tuple[Entry, ...]:
        """The oldest, for one chunk."""
        if self._drops:
            self._expire(now_s)
        taken: list[Entry] = list(self._dropped.take())
        frames = 0
        while self._entries and frames < CHUNK_FRAMES:
            taken += self._entries.pop()
            frames += len(taken[-1].infos) if isinstance(taken[-1], Frames) else 0
        return tuple(taken)

    @property
    def _frames(self) -> int:
        return sum(len(run.infos) for run in self._entries)

    def _expire(self, now_s: float) -> None:
        oldest_s = now_s - self._max_age_s
        self._drop(sum(run.older_than(oldest_s) for run in self._entries), "late")

    def _drop(self, frames: int, cause: str) -> None:
        """The oldest frames go; what is told between them stays."""
        while frames:
            run = self._entries.first
            assert run
            count = min(frames, len(run.infos))
            frames -= count
            self._dropped.add(cause, run.taken[:count])
            if count < len(run.infos):
                self._entries.shorten(run.without(count))
            else:
                self._entries.drop()
