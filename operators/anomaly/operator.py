"""What has not been seen at its place before: patches of a frame in -> a map and a summary out.

The head is a memory of one still camera's normal footage (`dinostream fit anomaly`). Nothing is
remembered from frame to frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.anomaly.memory import Memory, memory_layout
from operators.anomaly.summary import anomaly_summary, to_steps
from operators.backbones.architectures import Architecture
from operators.batch_operator import BatchOperator
from operators.finite import finite_rows, require_finite
from operators.format import BUILT_IN
from operators.frames import Features, FrameInfo
from operators.png import grey16_png
from operators.result import JSON, PNG, Result, canonical_json
from operators.settings import Settings
from operators.weights.head_request import HeadRequest
from operators.weights.heads import Head, random_head, trained_head

_RANDOM_PROTOTYPES, _RANDOM_THRESHOLD = 8, 0.9


class Anomaly(BatchOperator):
    """How unlike the usual at its place every patch of a frame is, as a map and as a summary."""

    name = "anomaly"
    topics = BUILT_IN["anomaly"]

    def __init__(self, head: Head, arch: Architecture, *, threshold: float) -> None:
        """
        Args:
            head: as `Memory` reads it.
            arch: the backbone's sizes.
            threshold: score above which a frame is told as over.

        Raises:
            WeightsError: the head does not fit the backbone.
        """
        self._memory = Memory(head, arch)
        self._threshold = threshold
        self.untrained = head.untrained
        self.head_sha256 = head.sha256

    def settings(self) -> Mapping[str, Any]:
        return {"threshold": self._threshold}

    def load(self, device: torch.device, dtype: torch.dtype) -> None:
        """Prototypes stay float32 whatever the backbone runs in: they are few."""
        self._memory.load(device)

    def compute(self, features: Features, rows: slice) -> tuple[Tensor, ...]:
        distances = self._memory.distances(features.patches[rows])
        return distances, finite_rows(distances)

    def say(self, info: FrameInfo, *numbers: NDArray[Any]) -> list[Result]:
        distances, finite = numbers
        require_finite(finite, info, operator=self.name)
        steps = to_steps(distances)
        summary = canonical_json(anomaly_summary(steps, self._threshold, info.source_hw))
        return [
            Result(info, self.name, PNG, grey16_png(steps)),
            Result(info, f"{self.name}.summary", JSON, summary),
        ]


def build_anomaly(settings: Mapping[str, Any], request: HeadRequest) -> Anomaly:
    """The operator as a user configured it.

    Args:
        settings: `threshold`, in place of the head's.
        request: the head that was chosen.

    Raises:
        MissingHead: no head.
        UsageError: a setting or the head does not do.
    """
    given, arch = Settings("anomaly", settings, ("threshold",)), request.architecture
    if request.wants_random:
        layout = memory_layout(arch, 1, 1, _RANDOM_PROTOTYPES)
        head = random_head(request, layout, {"threshold": _RANDOM_THRESHOLD})
    else:
        head = trained_head(request)
    threshold = given.number("threshold", _threshold(head), low=0, high=2)
    return Anomaly(head, arch, threshold=threshold)


def _threshold(head: Head) -> float:
    said = head.facts.get("threshold")
    if isinstance(said, bool) or not isinstance(said, int | float) or not 0 <= said <= 2:
        raise head.wrong(f"threshold in its header must be a number from 0 to 2, got {said!r}")
    return float(said)
