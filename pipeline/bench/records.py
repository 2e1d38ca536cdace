"""`dinostream bench records`: the CPU time that a frame's records take, without backbone and heads.

Settings in -> a report as JSON values out. What operators compute of a rendered clip is computed
once, with the weights that ship: maps of random ones are noise, which no picture format likes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.batch_operator import BatchOperator
from operators.bench.figure import Figure
from operators.bench.provenance import load, provenance
from operators.errors import UsageError
from operators.frames import FrameBatch, FrameInfo
from operators.operator import StreamOperator
from operators.result import Result
from operators.weights.backbone_choice import DEMO
from pipeline.bench.clip import bench_clip
from pipeline.bench.parts import decoded_frames, full_batches
from pipeline.bench.soundness import require_the_same, said
from pipeline.bench.workload import Workload
from pipeline.configuration.config import OPERATORS, Config, OperatorConfig, SamplingConfig
from pipeline.configuration.streams import stream_specs
from pipeline.engine.assembly import assemble
from pipeline.engine.step import Engine

FORMAT = 1
SIZE_WH = (360, 360)  # frames of a square clip are exactly square in the model
SHORT_SIDE = 224
MOST_MS = 0.4  # of the default operators' records of a frame, on one core

Tell = Callable[[str], None]
Computed = dict[BatchOperator, list[list[NDArray[Any]]]]
"""Operator -> the numbers of every frame."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How much is measured.

    Attributes:
        clips: where clips are kept.
        seconds: length of the clip, of which five frames a second are taken.
    """

    clips: Path
    seconds: float = 6.4
    rounds: int = 9

    def __post_init__(self) -> None:
        if self.rounds < 1 or self.seconds <= 0:
            raise UsageError(
                f"rounds must be at least 1 and seconds above 0, got {self.rounds}, {self.seconds}"
            )


def measure(settings: Settings, tell: Tell) -> dict[str, Any]:
    """Run everything; `pipeline.bench.record_report` makes a table of it.

    Raises:
        GateRed: records differ between rounds; there are no figures then.
    """
    origin = provenance()
    workload = Workload("square", size_wh=SIZE_WH, seconds=settings.seconds)
    clip = bench_clip(workload, settings.clips, tell)
    config = Config(
        sources=[str(clip)],
        weights=DEMO,
        operators={name: OperatorConfig() for name in OPERATORS},
        sampling=SamplingConfig(fps=workload.fps),
        short_side=SHORT_SIDE,
        runtime="inline",
    )
    (spec,) = stream_specs(config, live=False)
    frames = decoded_frames(spec)
    engine = assemble(config).engine
    try:
        tell(f"computing {len(frames.infos)} frames, once")
        computed = _computed(engine, frames)
        results, cpu_s = _rounds(computed, frames.infos, settings.rounds, tell)
    finally:
        engine.close()
    return {
        "benchmark": "records",
        "format": FORMAT,
        **origin,
        "load_after": load(),
        "rounds": settings.rounds,
        "frames": len(frames.infos),
        "model_hw": list(frames.pixels.shape[1:3]),
        "records": {name: _sizes(one) for name, one in results.items()},
        "figures": [one.to_json() for one in _figures(cpu_s, len(frames.infos))],
    }


def _computed(engine: Engine, frames: FrameBatch) -> Computed:
    chosen = [one for one in engine.operators if isinstance(one, BatchOperator)]
    found: Computed = {one: [] for one in chosen}
    for batch in full_batches(frames, engine.batch_size):
        features = engine.backbone(batch)
        for operator, numbers in found.items():
            for row in range(len(batch.infos)):
                own = operator.compute(features, slice(row, row + 1))
                numbers.append([one[0].cpu().numpy().copy() for one in own])
    return found


def _rounds(
    computed: Computed, infos: Sequence[FrameInfo], rounds: int, tell: Tell
) -> tuple[dict[str, list[Result]], dict[str, list[float]]]:
    """What operators say, and the CPU seconds that each took in every round but the first."""
    first: dict[str, list[Result]] = {}
    cpu_s: dict[str, list[float]] = {one.name: [] for one in computed}
    for number in range(rounds + 1):
        tell(f"round {number} of {rounds}" if number else "gate")
        for operator, numbers in computed.items():
            began_s = time.process_time()
            results = operator.say_all(infos, numbers)
            cpu_s[operator.name].append(time.process_time() - began_s)
            if isinstance(operator, StreamOperator):
                operator.reset(infos[0].stream, "end")
            first.setdefault(operator.name, results)
            require_the_same(operator.name, said(first[operator.name]), said(results))
    return first, {name: seconds[1:] for name, seconds in cpu_s.items()}


def _sizes(results: Sequence[Result]) -> dict[str, Any]:
    """How many records, and their mean size by topic."""
    sizes: dict[str, list[int]] = {}
    for one in results:
        sizes.setdefault(one.operator, []).append(len(one.data))
    return {
        topic: {"records": len(own), "bytes": float(np.mean(own))} for topic, own in sizes.items()
    }


def _figures(cpu_s: dict[str, list[float]], frames: int) -> list[Figure]:
    per_frame_ms = {name: [1e3 * one / frames for one in own] for name, own in cpu_s.items()}
    whole = tuple(map(sum, zip(*per_frame_ms.values(), strict=True)))
    return [
        *(Figure(name, "ms/frame", tuple(own)) for name, own in per_frame_ms.items()),
        Figure("all of them", "ms/frame", whole, MOST_MS, at_least=False),
    ]
