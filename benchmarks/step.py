"""What a step of an engine costs beside its model: Python, and nothing else.

    python -m benchmarks.step [--streams 4 64] [--steps 60]

64 frames of some streams, four operators that say one byte of each: 256 records. There is no
decoding, no model, no picture, no JSON of a value and no sink. CPU time of the process, medians:
`launch` settles who is given what, `finish` makes records and keeps ledgers, `commit` seals what
goes to the sink. The digest is of all records and progress, which may not change.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import time
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import torch

from operators.format import Format
from operators.frames import Features, FrameBatch, FrameInfo
from operators.operator import Operator
from operators.result import JSON, Result, canonical_json
from pipeline.engine.batching import Batcher
from pipeline.engine.lane import Lane
from pipeline.engine.observer import StageSeconds
from pipeline.engine.placement import Placement
from pipeline.engine.step import Engine
from pipeline.records.commit import Commit
from pipeline.records.message import Publisher
from pipeline.stream.chunk import Frames
from pipeline.stream.progress import Progress
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec

ROWS, OPERATORS = 64, 4
FPS5 = Sampling("fps", 5)
PERIOD_US = 200_000
TIME_BASE = Fraction(1, 15_360)
SESSION, EPOCH = "6193020b0f10", 3
NOTHING = torch.zeros(1)


class NoBackbone:
    """Sees nothing, at no cost."""

    batch_size, device, dtype = ROWS, torch.device("cpu"), torch.float32

    def __call__(self, batch: FrameBatch) -> Features:
        return Features(batch.infos, NOTHING, NOTHING)


class Byte(Operator):
    """One byte about every frame."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._topics = {name: Format()}

    @property
    def topics(self) -> dict[str, Format]:
        return self._topics

    def __call__(self, features: Features) -> list[Result]:
        return [Result(info, self.name, JSON, b"0") for info in features.infos]


class Steps:
    """An engine and its lanes; every step has the next frames of each."""

    def __init__(self, streams: int) -> None:
        operators = [Byte(f"op{number}") for number in range(OPERATORS)]
        placed = [Placement(one, FPS5, 0, {one.name: "0123456789ab"}) for one in operators]
        names = [f"camera-{number}" for number in range(streams)]
        self._engine = Engine(NoBackbone(), operators)  # type: ignore[arg-type]
        self._lanes = {
            name: Lane(
                StreamSpec(name, "x", session=SESSION),
                Progress("job", name, epoch=EPOCH),
                placed,
                Publisher(name, "job", "model", clock_us=lambda: 0),
            )
            for name in names
        }
        self._pixels = np.zeros((ROWS // streams, 14, 14, 3), np.uint8)
        self._done = 0  # frames of each
        self._said = hashlib.sha256()

    @property
    def digest(self) -> str:
        """Of all records and progress so far, 12 hex."""
        return self._said.hexdigest()[:12]

    def take(self) -> tuple[float, float, float]:
        """One step; CPU seconds of its three parts."""
        batcher, observer = Batcher(ROWS), StageSeconds({})
        for name, lane in self._lanes.items():
            lane.queue.accept([self._frames(name)])
            run = lane.advance()
            assert isinstance(run, Frames)
            batcher.offer(run)
        self._done += len(self._pixels)
        batch = batcher.cut()
        assert batch is not None
        moments_s = [time.process_time()]
        launched = self._engine.launch(batch, self._lanes, observer)
        moments_s.append(time.process_time())
        self._engine.finish(launched, self._lanes, observer)
        moments_s.append(time.process_time())
        commits = [lane.advance() for lane in self._lanes.values()]
        moments_s.append(time.process_time())
        for lane, commit in zip(self._lanes.values(), commits, strict=True):
            assert isinstance(commit, Commit)
            self._note(commit)
            lane.confirm()
        first, second, third, last = moments_s
        return second - first, third - second, last - third

    def _frames(self, stream: str) -> Frames:
        rows = range(self._done, self._done + len(self._pixels))
        infos = tuple(_info(stream, number) for number in rows)
        return Frames(infos, self._pixels, (1,) * len(infos), {}, before=self._done)

    def _note(self, commit: Commit) -> None:
        for one in commit.messages:
            self._said.update(canonical_json([one.topic, one.key, dict(one.headers)]) + one.value)
        self._said.update(commit.progress.to_json())


def _info(stream: str, number: int) -> FrameInfo:
    pts, time_us = number * 3072, number * PERIOD_US
    return FrameInfo(stream, SESSION, str(pts), pts, TIME_BASE, time_us, 0, (360, 640), epoch=EPOCH)


def report(streams: int, steps: int) -> str:
    """A line about steps of so many streams."""
    own = Steps(streams)
    taken = [own.take() for _ in range(steps)]
    parts = dict(zip(("launch", "finish", "commit"), zip(*taken, strict=True), strict=True))
    said = ", ".join(f"{name} {1e3 * statistics.median(one):.2f}" for name, one in parts.items())
    return f"{streams:3} streams: {said} ms per step of {ROWS} frames; digest {own.digest}"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--streams", type=int, nargs="+", default=[4, 64], choices=[1, 2, 4, 8, 16, 32, 64]
    )
    parser.add_argument("--steps", type=int, default=60)
    chosen = parser.parse_args(arguments)
    for streams in chosen.streams:
        print(report(streams, chosen.steps))


if __name__ == "__main__":
    main()
