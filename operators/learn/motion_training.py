"""Training a head for motion: windows over cells of frames in -> a head's tensors out.

AdamW with dropout. Knows nothing of files.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from operators.errors import UsageError
from operators.learn.batches import batches, class_weights
from operators.learn.classifiers import Candidate
from operators.learn.examples import Examples
from operators.vector.motion import (
    CELL_BIAS,
    CELL_WEIGHT,
    HIDDEN_WIDTH,
    hidden_vectors,
    marked_cells,
    motion_layout,
)
from operators.vector.vector_head import BIAS, WEIGHT, linear_layout

BATCH = 32
_RATE = 3e-3
_WEIGHT_DECAY = 0.05
_DROPOUT = 0.2
_SMOOTHING = 0.05
_WARM_UP = 0.1  # share of the steps
_STEPS = 300
_EPOCHS = 24
_MOST_STEPS = 4000
_FLOOR = 1e-3  # of the mean deviation: features that hardly vary are not blown up


def motion_head(examples: Examples, *, seed: int = 0) -> Candidate:
    """One head; classes weigh the same however many windows they have.

    Args:
        examples: the training part, with cells.
        seed: of the first weights, the order of examples and what is dropped.

    Raises:
        UsageError: windows of one frame, or examples without cells.
    """
    if examples.frames < 2 or examples.cells is None:
        raise UsageError(
            "the classifier motion matches patches of two frames or more; published embeddings "
            "and single pictures have none: take another --classifier"
        )
    cells = torch.from_numpy(examples.cells)
    mean, deviation = _scale(cells)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tensors = _first_tensors(cells.shape[2], examples)
        _descend(tensors, examples, (mean, deviation), seed)
    # Folded: the head reads cells as they come.
    weight = tensors[CELL_WEIGHT] / deviation
    tensors |= {CELL_WEIGHT: weight, CELL_BIAS: tensors[CELL_BIAS] - weight @ mean}
    tensors = {name: tensor.detach().clone() for name, tensor in tensors.items()}
    return Candidate("matched cells", tensors, {"classifier": "motion", "pooling": "concat"})


def _first_tensors(width: int, examples: Examples) -> dict[str, Tensor]:
    """As torch's own layers begin."""
    last = linear_layout(HIDDEN_WIDTH, len(examples.labels))
    layout = {**motion_layout(width, examples.frames), **last}
    tensors = {}
    for name, shape in layout.items():
        sources = layout[name.replace("bias", "weight")][1:]
        bound = math.prod(sources) ** -0.5
        tensors[name] = torch.empty(shape).uniform_(-bound, bound).requires_grad_()
    return tensors


def _descend(
    tensors: dict[str, Tensor], examples: Examples, scale: tuple[Tensor, Tensor], seed: int
) -> None:
    assert examples.cells is not None
    mean, deviation = scale
    rows, targets = torch.from_numpy(examples.rows), torch.from_numpy(examples.targets)
    balance = class_weights(examples)
    steps = min(max(_STEPS, _EPOCHS * len(targets) // BATCH), _MOST_STEPS)
    optimiser = torch.optim.AdamW(list(tensors.values()), _RATE, weight_decay=_WEIGHT_DECAY)
    for step, batch in zip(range(steps), batches(len(targets), seed, size=BATCH), strict=False):
        optimiser.param_groups[0]["lr"] = _RATE * _height(step / steps)
        own = torch.from_numpy(examples.cells[rows[batch].numpy()]).float()
        windows = marked_cells(tensors, (own - mean) / deviation).flatten(1)
        hidden = hidden_vectors(tensors, windows, _DROPOUT)
        logits = F.linear(hidden, tensors[WEIGHT], tensors[BIAS])
        loss = F.cross_entropy(logits, targets[batch], weight=balance, label_smoothing=_SMOOTHING)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(tensors.values(), 1.0)
        optimiser.step()


def _height(share: float) -> float:
    """Of the learning rate: linear up, cosine down."""
    if share < _WARM_UP:
        return share / _WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (share - _WARM_UP) / (1 - _WARM_UP)))


def _scale(cells: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of every channel, float32 `[D]`."""
    every = max(1, len(cells) // 2000)
    some = cells[::every].float().flatten(0, 1)
    deviation = some.std(dim=0)
    return some.mean(dim=0), deviation.clamp_min(float(deviation.mean()) * _FLOOR)
