"""What records of embeddings hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.client.result import Result
from pipeline.records.record import Message


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Embedding(Result):
    """Attributes: vector: float32 `[dim]`, L2 norm 1."""

    vector: NDArray[np.float32] = field(repr=False)


def embedding(said: Mapping[str, Any], message: Message) -> Embedding:
    """Of a record of topic `embedding`."""
    vector = np.frombuffer(message.value, "<f4").astype(np.float32)
    dim = int(message.headers["ce_dim"])
    if len(vector) != dim:
        raise ValueError(f"a vector of {len(vector)} numbers, its dim is {dim}")
    return Embedding(**said, vector=vector)
