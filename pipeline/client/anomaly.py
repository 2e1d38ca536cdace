"""What records of anomaly hold: how unlike the usual each patch is, and a frame as a whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.client.result import Result
from pipeline.records.payloads import anomaly_map
from pipeline.records.record import Message


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Anomaly(Result):
    """Attributes: distances: float32 `[h, w]`, 0 to 2, one per patch; larger is less usual."""

    distances: NDArray[np.float32] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AnomalySummary(Result):
    """How unusual a frame is for its camera.

    Attributes:
        score: of the frame, 0 to 2.
        threshold: above which a frame is over, and a patch.
        over: the score is.
        highest: the largest distance of any patch.
        patches: how many are over.
        box: left, top, right, bottom around the largest part that is over, and at least half as far
            as the highest, pixels of the source; right and bottom lie just outside. None where no
            patch is over.
    """

    score: float
    threshold: float
    over: bool
    highest: float
    patches: int
    box: tuple[int, int, int, int] | None


def anomaly(said: Mapping[str, Any], message: Message) -> Anomaly:
    """Of a record of topic `anomaly`."""
    distances = anomaly_map(message)
    if distances.ndim != 2:
        raise ValueError(f"a picture of shape {distances.shape}, not [h, w]")
    return Anomaly(**said, distances=distances)


def anomaly_summary(said: Mapping[str, Any], message: Message) -> AnomalySummary:
    """Of a record of topic `anomaly.summary`."""
    data = json.loads(message.value)
    return AnomalySummary(
        **said,
        score=float(data["score"]),
        threshold=float(data["threshold"]),
        over=data["over"],
        highest=float(data["highest"]),
        patches=int(data["patches"]),
        box=data["largest"] and _box(*data["largest"]["box"]),
    )


def _box(left: int, top: int, right: int, bottom: int) -> tuple[int, int, int, int]:
    return int(left), int(top), int(right), int(bottom)
