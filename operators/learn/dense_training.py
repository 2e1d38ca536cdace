"""The loop that trains a dense head: batches and a loss in -> the weights that validated best.

AdamW with a cosine from the given rate to zero, as DINOv2 trains its dense heads; seeded. Knows no
task.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from operators.errors import DinostreamError
from operators.learn.dense_pictures import DenseBatch, DensePictures, batches

Tell = Callable[[int, int], None]
"""Steps done, steps in all."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast.

    Attributes:
        steps: of the optimiser.
        batch: pictures a step.
        rate: learning rate at the start.
        decay: of the weights.
        checks: how often the validation part is looked at.
        seed: of the order of pictures.
    """

    steps: int = 1500
    batch: int = 8
    rate: float = 5e-3
    decay: float = 1e-4
    checks: int = 6
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.steps, self.batch, self.checks) < 1 or not 0 < self.rate < 1:
            raise ValueError(f"want steps, batch, checks >= 1 and 0 < rate < 1, got {self}")


@dataclass(frozen=True, slots=True)
class Split:
    """Pictures to learn from, and pictures of other files to choose by (may be none)."""

    train: Sequence[int]
    validation: Sequence[int]


@dataclass(frozen=True, slots=True)
class Fitted:
    """The best weights, and the validation losses on the way, from before the first step on."""

    weights: dict[str, Tensor]
    losses: tuple[float, ...]


def train(
    weights: dict[str, Tensor],
    loss: Callable[[dict[str, Tensor], DenseBatch], Tensor],
    pictures: DensePictures,
    split: Split,
    *,
    schedule: Schedule,
    tell: Tell,
) -> Fitted:
    """Minimise a loss.

    Args:
        weights: where to begin; not changed.
        loss: of the weights on a batch, a scalar.
        pictures: where the pictures are.
        split: which of them are for what; without a validation part the last weights win.
        schedule: how long and how fast.
        tell: told of every step.

    Raises:
        DinostreamError: the loss is no longer a number.
    """
    own = {name: tensor.clone().requires_grad_() for name, tensor in weights.items()}
    optimiser = torch.optim.AdamW(own.values(), lr=schedule.rate, weight_decay=schedule.decay)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, schedule.steps)
    feed = batches(pictures, split.train, size=schedule.batch, seed=schedule.seed)
    kept, losses = _copy(own), [_validation(own, loss, pictures, split.validation)]
    best = losses[0]
    every = math.ceil(schedule.steps / schedule.checks)
    for step in range(1, schedule.steps + 1):
        _step(optimiser, loss(own, next(feed)))
        cosine.step()
        tell(step, schedule.steps)
        if step % every == 0 or step == schedule.steps:
            losses.append(_validation(own, loss, pictures, split.validation))
            if losses[-1] <= best:
                best, kept = losses[-1], _copy(own)
    return Fitted(kept, tuple(losses) if split.validation else ())


def _step(optimiser: torch.optim.Optimizer, value: Tensor) -> None:
    if not torch.isfinite(value):
        raise DinostreamError(
            "training went astray: the loss is no longer a number; are the features sound? "
            "A smaller --rate may help"
        )
    optimiser.zero_grad()
    value.backward()  # type: ignore[no-untyped-call]
    optimiser.step()


@torch.no_grad()
def _validation(
    weights: dict[str, Tensor],
    loss: Callable[[dict[str, Tensor], DenseBatch], Tensor],
    pictures: DensePictures,
    chosen: Sequence[int],
) -> float:
    """Mean loss over the validation part; below every number before it where there is none."""
    if not chosen:
        return -math.inf
    total = sum(float(loss(weights, batch)) for batch in _once(pictures, chosen))
    return total / len(chosen)


def _once(pictures: DensePictures, chosen: Sequence[int]) -> Iterator[DenseBatch]:
    for index in chosen:
        yield next(batches(pictures, [index], size=1, seed=0))


def _copy(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in weights.items()}
