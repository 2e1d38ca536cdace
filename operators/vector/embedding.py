"""The class token as a vector of length one, for search, grouping and comparison.

Features in -> little-endian float32 out. Has no head.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from operators.batch_operator import BatchOperator
from operators.finite import require_finite
from operators.format import BUILT_IN
from operators.frames import Features, FrameInfo
from operators.result import OCTETS, Result
from operators.settings import Settings
from operators.weights.head_request import HeadRequest


class Embedding(BatchOperator):
    """The direction of every frame's class token after the final norm."""

    name = "embedding"
    topics = BUILT_IN["embedding"]

    def compute(self, features: Features, rows: slice) -> tuple[Tensor, ...]:
        return (features.cls[rows].float(),)

    def say(self, info: FrameInfo, *numbers: NDArray[Any]) -> list[Result]:
        (token,) = numbers
        vector = unit_length(token)
        require_finite(vector, info, operator=self.name)
        data = vector.astype("<f4").tobytes()
        return [Result(info, self.name, OCTETS, data, {"dim": str(len(vector))})]


def unit_length(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    """A vector `[F]` divided by its length."""
    exact = vector.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        unit: NDArray[np.float32] = (exact / np.sqrt((exact * exact).sum())).astype(np.float32)
    return unit


def build_embedding(settings: Mapping[str, Any], request: HeadRequest) -> Embedding:
    """The embedding; it has no settings.

    Raises:
        UsageError: a setting was given.
    """
    Settings("embedding", settings, ())
    return Embedding()
