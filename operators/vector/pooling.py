"""Frames of a window -> one vector: their mean, one after the other, or weighed by a query.

`[T, F]` in -> `[F]` or `[T F]` out, always computed at one shape. Knows nothing of windows.
"""

from __future__ import annotations

import torch
from torch import Tensor

POOLINGS = ("mean", "concat", "attention")
QUERY = "pool.query"


def pooled_width(pooling: str, frames: int, width: int) -> int:
    """How many numbers come out, for T frames of F numbers each."""
    return width * (frames if pooling == "concat" else 1)


def pool(vectors: Tensor, pooling: str, frames: int, query: Tensor | None = None) -> Tensor:
    """One vector for a window.

    Args:
        vectors: `[t, F]` float32, 1 <= t <= T: a short window has fewer frames.
        pooling: one of `POOLINGS`.
        frames: T.
        query: `[F]`, for attention.
    """
    present = len(vectors)
    if pooling == "concat":  # a short window goes on with its last frame
        return vectors[[min(step, present - 1) for step in range(frames)]].flatten()
    padded = vectors.new_zeros((frames, vectors.shape[1]))
    padded[:present] = vectors
    if pooling == "mean":
        return padded.sum(dim=0) / present
    assert query is not None
    match: Tensor = padded @ query / vectors.shape[1] ** 0.5
    match[present:] = -torch.inf
    weighed: Tensor = (padded * match.softmax(dim=0)[:, None]).sum(dim=0)
    return weighed
