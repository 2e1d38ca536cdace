"""Fills batches across streams: runs of frames in, batches of one picture size out.

Pure: no clock, no threads, no Ray; time is an argument. Every run it holds belongs to another
stream, so a batch never holds two runs of one stream and the end of a run is always the end of a
batch. Which frames share a batch decides when they are computed, and no result.

What one frame costs grows with the logarithm of the number of streams (benchmarks/LOG.md).
"""

from __future__ import annotations

import heapq
import math
from bisect import insort
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count

import numpy as np

from operators.frames import FrameBatch
from pipeline.stream.chunk import Frames

Size = tuple[int, int]
SPARE = 64  # moments of runs that are done, beyond which they are cleared away


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

    def halves(self) -> tuple[Batch, Batch]:
        """Its first frames and the others; of a batch of two or more."""
        middle = len(self.taken) // 2
        first, rest = slice(middle), slice(middle, None)
        return self._part(first), self._part(rest)

    def _part(self, part: slice) -> Batch:
        frames = FrameBatch(self.frames.infos[part], self.frames.pixels[part])
        return Batch(frames, self.taken[part])


@dataclass(slots=True, eq=False)
class _Run:
    frames: Frames
    order: tuple[int, float, int]  # higher priority first, then the earlier deadline
    used: int = 0

    @property
    def left(self) -> int:
        return len(self.frames.infos) - self.used

    @property
    def size(self) -> Size:
        return self.frames.size_hw


class _Moments:
    """A heap of moments, one per run by its number; those of runs that are done are passed over.
    It holds no frames."""

    def __init__(self, runs: Mapping[int, _Run]) -> None:
        self._runs = runs
        self._heap: list[tuple[float, int]] = []

    def add(self, moment_s: float, number: int) -> None:
        heapq.heappush(self._heap, (moment_s, number))
        if len(self._heap) > 2 * len(self._runs) + SPARE:
            self._heap = [one for one in self._heap if one[1] in self._runs]
            heapq.heapify(self._heap)

    def pop(self) -> int:
        return heapq.heappop(self._heap)[1]

    @property
    def first_s(self) -> float:
        while self._heap and self._heap[0][1] not in self._runs:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else math.inf


class _Bucket:
    """Runs of one picture size."""

    def __init__(self, runs: Mapping[int, _Run]) -> None:
        self.runs: list[_Run] = []  # in their order
        self.frames = 0  # that are left in them
        self.deadlines = _Moments(runs)


class Batcher:
    """Holds at most one run of frames per stream and cuts batches from them: first what is due,
    then what fills a batch; runs of one size by priority, then in the order of their deadlines."""

    def __init__(self, batch_size: int) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        self._batch_size = batch_size
        self._buckets: dict[Size, _Bucket] = {}
        self._runs: dict[int, _Run] = {}
        self._numbers: dict[str, int] = {}  # of each stream's run
        self._arrivals = _Moments(self._runs)  # of every run's next frame
        self._count = count()

    @property
    def due_s(self) -> float:
        """The earliest deadline of the frames that wait for a batch; infinite where none do."""
        return min((one.deadlines.first_s for one in self._buckets.values()), default=math.inf)

    def offer(self, frames: Frames, due_s: float = math.inf, priority: int = 0) -> None:
        """Add a stream's next run. Its previous run must have been cut whole.

        Args:
            frames: the run.
            due_s: when it stops waiting for batch mates.
            priority: of runs of its size, those with a higher one go first.
        """
        assert frames.stream not in self._numbers
        number = self._numbers[frames.stream] = next(self._count)
        run = self._runs[number] = _Run(frames, (-priority, due_s, number))
        bucket = self._buckets.setdefault(run.size, _Bucket(self._runs))
        insort(bucket.runs, run, key=lambda one: one.order)
        bucket.frames += run.left
        if due_s < math.inf:
            bucket.deadlines.add(due_s, number)
        if frames.arrived_s:
            self._arrivals.add(frames.arrived_s[0], number)

    def cut(
        self, may_come: Callable[[Size], bool] = lambda _: False, now_s: float = -math.inf
    ) -> Batch | None:
        """The next batch, or None where waiting fills it better.

        Args:
            may_come: whether more frames of a size may come without any batch being cut. A batch
                that is not full is cut only when none may, or one of its runs is due.
            now_s: on the clock of the deadlines. Of the sizes of which something is due, the one
                whose first run has the highest priority and is the longest overdue goes first.
        """
        due = [size for size, bucket in self._buckets.items() if bucket.deadlines.first_s <= now_s]
        if due:
            return self._cut(min(due, key=lambda size: self._buckets[size].runs[0].order))
        for size, bucket in self._buckets.items():
            if bucket.frames >= self._batch_size:
                return self._cut(size)
        for size in self._buckets:
            if not may_come(size):
                return self._cut(size)
        return None

    def expire(self, oldest_s: float) -> list[tuple[str, tuple[int, ...]]]:
        """Take out the frames that are in no batch yet and arrived before that moment.

        Returns:
            Per run that lost some, its stream and which rules took each of them.
        """
        gone = []
        while self._arrivals.first_s < oldest_s:
            number = self._arrivals.pop()
            run = self._runs[number]
            late = run.frames.older_than(oldest_s) - run.used
            if late > 0:
                gone.append((run.frames.stream, self._drop(run, late)))
            if run.left:
                self._arrivals.add(run.frames.arrived_s[run.used], number)
        return gone

    def discard(self, stream: str) -> tuple[int, ...]:
        """Take out all frames of a stream that are in no batch yet; which rules took each."""
        if stream not in self._numbers:
            return ()
        run = self._runs[self._numbers[stream]]
        return self._drop(run, run.left)

    def _drop(self, run: _Run, frames: int) -> tuple[int, ...]:
        taken = run.frames.taken[run.used : run.used + frames]
        self._use(run, frames)
        if not run.left:
            self._buckets[run.size].runs.remove(run)
            self._keep(run.size)
        return taken

    def _cut(self, size: Size) -> Batch:
        runs = self._buckets[size].runs
        parts = []
        room = self._batch_size
        for run in runs:
            frames = min(room, run.left)
            parts.append((run.frames, slice(run.used, run.used + frames)))
            self._use(run, frames)
            room -= frames
            if not room:
                break
        del runs[: sum(not run.left for run in runs[: len(parts)])]
        self._buckets[size] = self._buckets.pop(size)  # to the back: no size starves another
        self._keep(size)
        return Batch(
            FrameBatch(
                tuple(info for frames, part in parts for info in frames.infos[part]),
                np.concatenate([frames.pixels[part] for frames, part in parts]),
            ),
            tuple(mask for frames, part in parts for mask in frames.taken[part]),
        )

    def _use(self, run: _Run, frames: int) -> None:
        run.used += frames
        self._buckets[run.size].frames -= frames
        if not run.left:
            del self._runs[self._numbers.pop(run.frames.stream)]

    def _keep(self, size: Size) -> None:
        if not self._buckets[size].runs:
            del self._buckets[size]
