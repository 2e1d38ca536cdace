"""What a vector head says of many windows at once, by the operators' own formulas.

A head's tensors and windows in -> probabilities out; tests hold it to `operators.action`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.learn.examples import Examples, gathered, presence
from operators.vector.frame_vector import FrameVector
from operators.vector.motion import hidden_vectors, marked_cells
from operators.vector.pooling import QUERY
from operators.vector.vector_head import BIAS, EXAMPLE_CLASSES, EXAMPLES, WEIGHT

_TOGETHER = 1024  # windows at a time, so that memory is bounded

Scores = NDArray[np.float32]


def head_scores(
    tensors: Mapping[str, Tensor], facts: Mapping[str, Any], examples: Examples
) -> Scores:
    """Probabilities of the classes, float32 `[M, classes]`.

    Args:
        tensors: of a head file.
        facts: its header: `vector`, `pooling`, and for nearest neighbours `k` and `temperature`.
        examples: the windows.
    """
    vectors = _vectors(tensors, facts, examples)
    pieces = []
    for first in range(0, len(examples.rows), _TOGETHER):
        some = examples.take(range(first, min(first + _TOGETHER, len(examples.rows))))
        pooled = pooled_windows(vectors, some, facts["pooling"], tensors.get(QUERY))
        pieces.append(_scores(tensors, facts, pooled, len(examples.labels)))
    scores: Scores = torch.cat(pieces).numpy()
    return scores


def _vectors(tensors: Mapping[str, Tensor], facts: Mapping[str, Any], examples: Examples) -> Tensor:
    """Of all frames, as the head reads them, `[n, F]`."""
    if facts.get("classifier") != "motion":
        return examples.vectors(FrameVector.from_json(facts["vector"]))
    assert examples.cells is not None
    pieces = [
        marked_cells(tensors, torch.from_numpy(examples.cells[first : first + _TOGETHER]).float())
        for first in range(0, len(examples.cells), _TOGETHER)
    ]
    return torch.cat(pieces)


def pooled_windows(
    vectors: Tensor, examples: Examples, pooling: str, query: Tensor | None = None
) -> Tensor:
    """Windows as the classifier sees them, `[M, F]` or `[M, T F]`.

    Args:
        vectors: of all frames, `[n, F]`.
        examples: the windows.
        pooling: mean, concat or attention.
        query: `[1, F]`, for attention.
    """
    if pooling != "attention":
        return gathered(vectors, examples, pooling)
    assert query is not None
    own = vectors[torch.from_numpy(examples.rows)]
    match = own @ query[0] / vectors.shape[1] ** 0.5
    weights = match.masked_fill(presence(examples) == 0, -torch.inf).softmax(dim=1)
    pooled: Tensor = (own * weights[:, :, None]).sum(dim=1)
    return pooled


def _scores(
    tensors: Mapping[str, Tensor], facts: Mapping[str, Any], pooled: Tensor, classes: int
) -> Tensor:
    kind = facts.get("classifier", "linear")
    if kind != "knn":
        seen = hidden_vectors(tensors, pooled) if kind == "motion" else pooled
        logits: Tensor = seen @ tensors[WEIGHT].T + tensors[BIAS]
        return logits.softmax(dim=1)
    likeness: Tensor = pooled / pooled.norm(dim=1, keepdim=True) @ tensors[EXAMPLES].T
    order = likeness.argsort(dim=1, descending=True, stable=True)[:, : facts["k"]]
    votes = (likeness.gather(1, order) / facts["temperature"]).softmax(dim=1)
    own = tensors[EXAMPLE_CLASSES][order]
    return torch.zeros(len(pooled), classes).scatter_add_(1, own, votes)
