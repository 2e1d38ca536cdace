"""In which order examples are learnt from, and what each class weighs. A seed decides."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from operators.learn.examples import Examples

BATCH = 128


def batches(count: int, seed: int, *, size: int = BATCH) -> Iterator[Tensor]:
    """Row numbers without end, `size` at a time: each comes once before any comes again."""
    draw = torch.Generator().manual_seed(seed)
    order = torch.empty(0, dtype=torch.long)
    while True:
        if len(order) < min(size, count):
            order = torch.cat([order, torch.randperm(count, generator=draw)])
        yield order[:size]
        order = order[size:]


def class_weights(examples: Examples) -> Tensor:
    """Weight of every class `[K]`: all weigh the same together, however many windows they have."""
    counts = torch.bincount(torch.from_numpy(examples.targets), minlength=len(examples.labels))
    return len(examples.targets) / len(examples.labels) / counts.float().clamp_min(1)
