"""An engine that costs nothing and says something of every frame."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from operators.frames import Features
from operators.operator import Operator
from operators.result import JSON, Result
from pipeline.engine.lane import Lane
from pipeline.engine.placement import Placement
from pipeline.engine.step import Engine
from pipeline.records.message import Publisher
from pipeline.stream.progress import Progress
from pipeline.stream.sampling import Sampling
from pipeline.stream.spec import StreamSpec


class Blank:
    """A backbone that costs nothing."""

    batch_size, device, dtype = 8, torch.device("cpu"), torch.float32

    def __call__(self, batch) -> Features:
        cls = torch.from_numpy(batch.pixels.mean((1, 2, 3), dtype="float32"))[:, None]
        return Features(batch.infos, cls, cls[:, None])


class Mean(Operator):
    """One record per frame: its mean colour."""

    name = "mean"

    def __call__(self, features: Features) -> list[Result]:
        return [
            Result(info, self.name, JSON, str(float(features.cls[row, 0])).encode())
            for row, info in enumerate(features.infos)
        ]


@pytest.fixture
def engine_of() -> Callable[..., Engine]:
    """An operator where `mean` will not do -> an engine."""

    def make(operator: Operator | None = None) -> Engine:
        return Engine(Blank(), [operator or Mean()])

    return make


@pytest.fixture
def lanes_of() -> Callable[..., Callable[[StreamSpec, Progress], Lane]]:
    """An engine and a sampling -> what makes the lanes of streams that have that one rule."""

    def lanes(engine: Engine, rule: Sampling) -> Callable[[StreamSpec, Progress], Lane]:
        placements = [Placement(one, rule, 0, {one.name: "v" * 12}) for one in engine.operators]

        def make(spec: StreamSpec, progress: Progress) -> Lane:
            publisher = Publisher(spec.stream, progress.job, "blank-0", clock_us=lambda: 0)
            return Lane(spec, progress, placements, publisher)

        return make

    return lanes
