"""An engine that costs nothing and says something of every frame."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from operators.frames import Features
from operators.operator import Operator
from operators.result import JSON, Result
from pipeline.engine.placement import Placement
from pipeline.engine.step import Engine
from pipeline.stream.sampling import Sampling


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
    """A sampling, and an operator where `mean` will not do -> an engine."""

    def make(rule: Sampling, operator: Operator | None = None) -> Engine:
        operator = operator or Mean()
        return Engine(Blank(), [Placement(operator, rule, 0, {operator.name: "v" * 12})])

    return make
