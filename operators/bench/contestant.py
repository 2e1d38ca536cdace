"""One way to get the tokens of some frames, ready to be timed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

# Measured with seeded weights on frames of noise (benchmarks/LOG.md), and some room.
ROUNDED_COSINE = {torch.float32: 0.9999, torch.bfloat16: 0.998}
# Of a float32 stream with bfloat16 products on a GPU, whose weights are a `Task`'s: by the kernels'
# float32 twins 0.999998 (S) and 0.999995 (B); all in bfloat16 it is 0.99995 for both.
STREAM_COSINE = 0.99997
# transformers resizes positional embeddings by another rule than upstream: 0.9999 at 224 px, 0.999
# at 28; where nothing is resized, at 518 px, it says the same.
PEER_COSINE = 0.998
INT8_COSINE = 0.99


@dataclass(frozen=True, slots=True)
class Contestant:
    """Weights, frames and everything compiled are in place: `run` computes and nothing else.

    Attributes:
        run: one pass over all frames; what it gives is for `tokens`.
        tokens: that as tokens `[B, N, D]` after the final norm; not timed.
        dtype: of its matrix products.
        least_cosine: that a token may have with the plain float32 model's.
        close: ends its threads.
    """

    name: str
    run: Callable[[], Any]
    tokens: Callable[[Any], Tensor]
    dtype: torch.dtype
    least_cosine: float
    close: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Absent:
    """One that cannot run here.

    Attributes:
        why: in words.
    """

    name: str
    why: str
