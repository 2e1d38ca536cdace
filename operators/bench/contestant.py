"""One way to get the tokens of some frames, ready to be timed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Contestant:
    """Weights, frames and everything compiled are in place: `run` computes and nothing else.

    Attributes:
        run: one pass over all frames; what it gives is for `tokens`.
        tokens: that as tokens `[B, N, D]` after the final norm; not timed.
        dtype: of its matrix products, for the gate.
        close: ends its threads.
    """

    name: str
    run: Callable[[], Any]
    tokens: Callable[[Any], Tensor]
    dtype: torch.dtype
    close: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Absent:
    """One that cannot run here.

    Attributes:
        why: in words.
    """

    name: str
    why: str
