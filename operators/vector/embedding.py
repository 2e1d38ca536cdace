"""The class token as a vector of length one, for search, grouping and comparison.

Features in -> little-endian float32 out. Has no head.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from operators.finite import require_finite
from operators.format import BUILT_IN
from operators.frames import Features
from operators.operator import Operator
from operators.result import OCTETS, Result
from operators.settings import Settings
from operators.weights.head_request import HeadRequest


class Embedding(Operator):
    """The direction of every frame's class token after the final norm."""

    name = "embedding"
    topics = BUILT_IN["embedding"]

    def __call__(self, features: Features) -> list[Result]:
        tokens = features.cls[: len(features.infos)].float().cpu().numpy().astype(np.float64)
        lengths = np.sqrt((tokens * tokens).sum(axis=1, keepdims=True))
        with np.errstate(divide="ignore", invalid="ignore"):
            vectors = tokens / lengths
        require_finite(vectors, features.infos, operator=self.name)
        return [
            Result(
                info, self.name, OCTETS, vector.astype("<f4").tobytes(), {"dim": str(len(vector))}
            )
            for info, vector in zip(features.infos, vectors, strict=True)
        ]


def build_embedding(settings: Mapping[str, Any], request: HeadRequest) -> Embedding:
    """The embedding; it has no settings.

    Raises:
        UsageError: a setting was given.
    """
    Settings("embedding", settings, ())
    return Embedding()
