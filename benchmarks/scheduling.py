"""What an engine's loop itself costs per frame, by the number of cameras.

    python -m benchmarks.scheduling [--streams 10 100 1000] [--frames 20000] [--rounds 5]

There is no decoding, no model, no operator and no sink. Every camera has a chunk of one frame
whenever it is asked, as at two frames a second; batches are full. CPU time of the process, medians:
of the whole loop with its commits, and of the batcher alone.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
import torch

from operators.frames import Features, FrameBatch, FrameInfo
from pipeline.engine.batching import Batcher
from pipeline.engine.lane import Lane
from pipeline.engine.shard import Shard
from pipeline.engine.step import Engine
from pipeline.records.commit import Commit
from pipeline.records.message import Publisher
from pipeline.records.record import Message
from pipeline.sinks.sink import Receipt
from pipeline.stream.chunk import Chunk, End, Frames
from pipeline.stream.progress import Progress
from pipeline.stream.spec import StreamSpec

PIXELS = np.zeros((1, 14, 14, 3), np.uint8)
NOTHING = torch.zeros(1)


class NoBackbone:
    """Sees nothing, at no cost."""

    batch_size, device, dtype = 8, torch.device("cpu"), torch.float32

    def __call__(self, batch: FrameBatch) -> Features:
        return Features(batch.infos, NOTHING, NOTHING)

    def close(self) -> None:
        """Nothing is held."""


class Cameras:
    """Every one has its next frame when it is asked; after so many of all they end."""

    def __init__(self, frames: int) -> None:
        self._left = frames
        self._asked: list[str] = []
        self._numbers: dict[str, int] = {}

    def open(self, spec: StreamSpec) -> None:
        self._numbers[spec.stream] = 0

    def request(self, stream: str) -> None:
        self._asked.append(stream)

    def wait(self, timeout_s: float) -> list[Chunk]:
        asked, self._asked = self._asked, []
        return [Chunk((self._next(stream),)) for stream in asked]

    def stop(self, stream: str) -> None:
        """They end by themselves."""

    def close(self) -> None:
        """Nothing is held."""

    def _next(self, stream: str) -> Frames | End:
        if self._left <= 0:
            return End(stream, "stopped")
        self._left -= 1
        number = self._numbers[stream] = self._numbers[stream] + 1
        info = FrameInfo(
            stream, "s", str(number), number, Fraction(1, 2), number * 500_000, 0, (14, 14)
        )
        return Frames((info,), PIXELS, (1,), {}, arrived_s=(time.monotonic(),))


class NoSink:
    """Takes everything and keeps nothing."""

    def claim(self, jobs: Mapping[str, str], *, fresh: bool = False) -> dict[str, Progress]:
        return {stream: Progress(job, stream, epoch=1) for stream, job in jobs.items()}

    def commit(self, commits: Sequence[Commit]) -> Receipt:
        return Receipt()

    def publish(self, messages: Sequence[Message]) -> Receipt:
        return Receipt()

    def interrupt(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is held."""


def lane(spec: StreamSpec, claimed: Progress) -> Lane:
    return Lane(spec, claimed, (), Publisher(claimed.stream, "job", "model"))


def batcher_us(streams: int, frames: int) -> float:
    """CPU time of offering a frame and having it cut, microseconds, where all have one."""
    feed, batcher = Cameras(frames), Batcher(NoBackbone.batch_size)
    for number in range(streams):
        feed.open(StreamSpec(f"camera-{number}", "x", live=True))
        feed.request(f"camera-{number}")
    spent_s, done = 0.0, 0
    while done < frames:
        runs = [entry for chunk in feed.wait(0.0) for entry in chunk.entries]
        began_s = time.process_time()
        for run in runs:
            if isinstance(run, Frames):
                batcher.offer(run, run.arrived_s[0] + 0.2)
        while batch := batcher.cut():
            done += len(batch.taken)
            for stream in batch.streams:
                feed.request(stream)
        spent_s += time.process_time() - began_s
    return spent_s / frames * 1e6


def loop_us(streams: int, frames: int) -> float:
    """CPU time of a shard's loop and its committer per frame, microseconds."""
    names = [f"camera-{number}" for number in range(streams)]
    shard = Shard(Engine(NoBackbone(), ()), Cameras(frames), NoSink(), lane)  # type: ignore[arg-type]
    began_s = time.process_time()
    tally = shard.run(
        dict.fromkeys(names, "job"), [StreamSpec(name, "x", live=True) for name in names]
    )
    spent_s = time.process_time() - began_s
    assert tally.frames == frames
    return spent_s / frames * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--streams", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--frames", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    rounds = [
        {streams: (loop_us(streams, chosen.frames), batcher_us(streams, chosen.frames))}
        for _ in range(chosen.rounds)
        for streams in chosen.streams
    ]
    for streams in chosen.streams:
        figures = [one[streams] for one in rounds if streams in one]
        loop, batcher = (statistics.median(column) for column in zip(*figures, strict=True))
        print(f"{streams:6} streams: {loop:6.1f} us per frame, of them the batcher {batcher:5.1f}")


if __name__ == "__main__":
    main()
