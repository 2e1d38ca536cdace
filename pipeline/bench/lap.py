"""One lap: every batch of a clip through the backbone, then through every operator, timed apart.

Engine and frames in memory -> who took how long and said what. Operators take turns at being first
behind the backbone, which leaves its features in the caches; those that read what others compute
come last. Knows nothing of figures and goals.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import torch

from operators.frames import Features, FrameBatch
from operators.operator import StreamOperator
from operators.result import Result
from pipeline.engine.step import Engine

BACKBONE = "backbone"
READERS = ("zones", "track")  # of what others compute of a batch; before them they would pay for it

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Lap:
    """What one lap took and gave.

    Attributes:
        wall_s: `backbone` or operator -> seconds by the clock.
        cpu_s: the same -> seconds of CPU time of this process, all its threads.
        results: operator -> what it said, the last words of its memory included.
    """

    wall_s: Mapping[str, float]
    cpu_s: Mapping[str, float]
    results: Mapping[str, Sequence[Result]]


def run_lap(
    engine: Engine,
    batches: Sequence[FrameBatch],
    *,
    turn: int = 0,
    inspect: Callable[[Features], None] | None = None,
) -> Lap:
    """Run every batch once; memories are empty before and after.

    Args:
        engine: backbone and operators.
        batches: of one stream, in its order.
        turn: which operator is first behind the backbone in the first batch.
        inspect: given the features of every batch, outside of every time.

    Raises:
        DinostreamError: whatever an operator raises.
    """
    watch = _Stopwatch()
    results: dict[str, list[Result]] = {one.name: [] for one in engine.operators}
    readers = [one for one in engine.operators if one.name in READERS]
    others = [one for one in engine.operators if one.name not in READERS]
    for number, batch in enumerate(batches, turn):
        features = watch.time(BACKBONE, _settled, engine, batch)
        if inspect:
            inspect(features)
        first = number % len(others)
        for one in (*others[first:], *others[:first], *readers):
            results[one.name] += watch.time(one.name, one, features)
    for one in engine.operators:
        if isinstance(one, StreamOperator):
            results[one.name] += one.reset(batches[0].infos[0].stream, "end")
    return Lap(dict(watch.wall_s), dict(watch.cpu_s), results)


def _settled(engine: Engine, batch: FrameBatch) -> Features:
    """A GPU answers before it has computed; operators end with bytes on the host."""
    features = engine.backbone(batch)
    if engine.backbone.device.type == "cuda":
        torch.cuda.synchronize(engine.backbone.device)
    return features


class _Stopwatch:
    def __init__(self) -> None:
        self.wall_s: dict[str, float] = defaultdict(float)
        self.cpu_s: dict[str, float] = defaultdict(float)

    def time(self, name: str, work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        done = work(*arguments, **options)
        self.wall_s[name] += time.perf_counter() - wall_s
        self.cpu_s[name] += time.process_time() - cpu_s
        return done
