"""Fills batches across streams: runs of frames in, batches of one picture size out.

Pure: no clock, no threads, no Ray; time is an argument. Every run it holds belongs to another
stream, so a batch never holds two runs of one stream and the end of a run is always the end of a
batch. Which frames share a batch decides when they are computed, and no result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass

import numpy as np

from operators.frames import FrameBatch
from pipeline.stream.chunk import Frames

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Batch:
    """Frames for one backbone pass.

    Attributes:
        frames: at most `batch_size` of them.
        taken: per frame, which sampling rules take it (`Frames.taken`).
    """

    frames: FrameBatch
    taken: tuple[int, ...]

    @property
    def streams(self) -> tuple[str, ...]:
        """Streams in the batch, each once, in order."""
        return tuple(dict.fromkeys(info.stream for info in self.frames.infos))


@dataclass(slots=True)
class _Run:
    frames: Frames
    due_s: float
    used: int = 0

    @property
    def left(self) -> int:
        return len(self.frames.infos) - self.used


class Batcher:
    """Holds at most one run of frames per stream and cuts batches from them: first what is due,
    then what fills a batch; runs of one size in the order of their deadlines."""

    def __init__(self, batch_size: int) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        self._batch_size = batch_size
        self._runs: dict[Size, list[_Run]] = {}

    @property
    def due_s(self) -> float:
        """The earliest deadline of the frames that wait for a batch; infinite where none do."""
        return min((runs[0].due_s for runs in self._runs.values()), default=math.inf)

    def offer(self, frames: Frames, due_s: float = math.inf) -> None:
        """Add a stream's next run. Its previous run must have been cut whole.

        Args:
            frames: the run.
            due_s: when it stops waiting for batch mates.
        """
        runs = self._runs.setdefault(_size(frames), [])
        assert all(
            run.frames.stream != frames.stream for runs in self._runs.values() for run in runs
        )
        runs.append(_Run(frames, due_s))
        runs.sort(key=lambda run: run.due_s)

    def cut(self, awaited: Collection[Size | None], now_s: float = -math.inf) -> Batch | None:
        """The next batch, or None where waiting fills it better.

        Args:
            awaited: sizes of frames that may still come without any batch being cut, None for a
                size not known yet. A batch that is not full is cut only when nothing awaited
                could fill it, or one of its runs is due.
            now_s: on the clock of the deadlines. What is due goes before fuller batches, the
                longest overdue first, so that no run starves another, whatever their sizes.
        """
        if self.due_s <= now_s:
            return self._cut(min(self._runs, key=lambda size: self._runs[size][0].due_s))
        for size, runs in self._runs.items():
            if sum(run.left for run in runs) >= self._batch_size:
                return self._cut(size)
        for size in self._runs:
            if size not in awaited and None not in awaited:
                return self._cut(size)
        return None

    def discard(self, doomed: Callable[[Frames], int]) -> list[tuple[str, tuple[int, ...]]]:
        """Take frames out that are in no batch yet.

        Args:
            doomed: how many of a run's first frames have to go.

        Returns:
            Per run that lost some, its stream and which rules took each of them.
        """
        gone = []
        for size, runs in list(self._runs.items()):
            for run in runs:
                first, run.used = run.used, max(run.used, doomed(run.frames))
                if run.used > first:
                    gone.append((run.frames.stream, run.frames.taken[first : run.used]))
            if left := [run for run in runs if run.left]:
                self._runs[size] = left
            else:
                del self._runs[size]
        return gone

    def _cut(self, size: Size) -> Batch:
        runs = self._runs[size]
        parts = []
        room = self._batch_size
        for run in runs:
            count = min(room, run.left)
            parts.append((run.frames, slice(run.used, run.used + count)))
            run.used += count
            room -= count
            if not room:
                break
        self._keep(size, [run for run in runs if run.left])
        return Batch(
            FrameBatch(
                tuple(info for frames, part in parts for info in frames.infos[part]),
                np.concatenate([frames.pixels[part] for frames, part in parts]),
            ),
            tuple(mask for frames, part in parts for mask in frames.taken[part]),
        )

    def _keep(self, size: Size, runs: list[_Run]) -> None:
        del self._runs[size]  # and to the back of the line, so that no size starves another
        if runs:
            self._runs[size] = runs


def _size(frames: Frames) -> Size:
    height, width = frames.pixels.shape[1:3]
    return height, width
