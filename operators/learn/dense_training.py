"""The loop that trains a dense head: batches and a loss in -> the weights that validated best.

AdamW with a cosine from the given rate to zero, as DINOv2 trains its dense heads; seeded. Knows no
task.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from operators.errors import DinostreamError
from operators.learn.dense_pictures import Batch, DensePicture, DensePictures, batches
from operators.learn.training_state import TrainingState

Tell = Callable[[int, int], None]
"""Steps done, steps in all."""
Stacked = Callable[[Sequence[DensePicture]], Batch]


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
    loss: Callable[[dict[str, Tensor], Batch], Tensor],
    pictures: DensePictures,
    split: Split,
    stacked: Stacked[Batch],
    *,
    schedule: Schedule,
    tell: Tell,
    checkpoint: Path | None = None,
) -> Fitted:
    """Minimise a loss.

    Args:
        weights: where to begin; not changed.
        loss: of the weights on a batch, a scalar.
        pictures: where the pictures are.
        split: which of them are for what; without a validation part the last weights win.
        stacked: makes a batch of some of them.
        schedule: how long and how fast.
        tell: told of every step.
        checkpoint: file of this very training; written at every check, so that a training that was
            killed goes on from there to the same weights, and removed at the end.

    Raises:
        DinostreamError: the loss is no longer a number.
        OSError: the checkpoint cannot be written.
    """
    state = TrainingState(weights, rate=schedule.rate, decay=schedule.decay, steps=schedule.steps)
    if checkpoint is None or not state.load(checkpoint):
        state.judge(_validation(state.weights, loss, pictures, split.validation, stacked))
    size, seed = schedule.batch, schedule.seed
    feed = batches(pictures, split.train, stacked, size=size, seed=seed, first=state.step)
    every = math.ceil(schedule.steps / schedule.checks)
    while state.step < schedule.steps:
        state.step += 1
        _step(state.optimiser, loss(state.weights, next(feed)))
        state.cosine.step()
        tell(state.step, schedule.steps)
        if state.step % every == 0 or state.step == schedule.steps:
            state.judge(_validation(state.weights, loss, pictures, split.validation, stacked))
            if checkpoint is not None:
                state.save(checkpoint)
    if checkpoint is not None:
        checkpoint.unlink()
    return Fitted(state.kept, tuple(state.losses) if split.validation else ())


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
    loss: Callable[[dict[str, Tensor], Batch], Tensor],
    pictures: DensePictures,
    chosen: Sequence[int],
    stacked: Stacked[Batch],
) -> float:
    """Mean loss over the validation part; below every number before it where there is none."""
    if not chosen:
        return -math.inf
    total = sum(float(loss(weights, stacked([pictures.read(index)]))) for index in chosen)
    return total / len(chosen)
