"""The loop that trains a model's last blocks with its head: windows and tokens in -> its best look.

AdamW, low and constant rates; validation says when it is over. Seeded. Knows nothing of files.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from operators.backbones.thread_pool import ThreadPool
from operators.learn.batches import batches, class_weights
from operators.learn.examples import Examples
from operators.learn.scoring import Scores, head_scores
from operators.learn.tail_model import TailModel
from operators.learn.tail_parts import Tokens
from operators.learn.vector_fit import worth

_BATCH = 16  # windows a step
_PIECES = 8  # of a step: each is one thread's at a time

Tell = Callable[[float, str], None]
"""The share of the most steps that there may be, and how far it is in words."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How fast and how long.

    Attributes:
        block_rate: learning rate of the blocks; low, for they are good already.
        head_rate: of the head's weights, on standardised vectors.
        looks: how often validation is looked at, at most.
        steps: from one look to the next, at least; a pass over the examples where that is more.
        patience: looks without a better one after which it is over.
    """

    block_rate: float = 1e-5
    head_rate: float = 1e-4
    looks: int = 12
    steps: int = 25
    patience: int = 3


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is learnt from.

    Attributes:
        train: windows that weights are fitted to.
        validation: windows of other files, that the end is chosen by.
        tokens: of the frames of both.
        pool: the threads that compute; no result depends on how many there are.
    """

    train: Examples
    validation: Examples
    tokens: Tokens
    pool: ThreadPool


def train_tail(
    model: TailModel,
    lesson: Lesson,
    facts: Mapping[str, Any],
    schedule: Schedule,
    *,
    seed: int,
    tell: Tell,
) -> int:
    """Train until validation gets no better, and leave the model at its best look.

    Best is the highest mean class accuracy, of equals the lowest log loss.

    Args:
        model: what learns.
        lesson: from what.
        facts: of the head that it began with: `vector`, `pooling`.
        schedule: how fast and how long.
        seed: of the order of windows.
        tell: told after every step.

    Returns:
        The steps behind the best look.
    """
    optimiser = torch.optim.AdamW(
        [
            {"params": list(model.parts.blocks.parameters()), "lr": schedule.block_rate},
            {"params": model.head, "lr": schedule.head_rate},
        ]
    )
    count = len(lesson.train.rows)
    order = batches(count, seed, size=_BATCH)
    between = max(schedule.steps, math.ceil(count / _BATCH))
    most = between * schedule.looks
    balance = class_weights(lesson.train)
    best, kept, kept_at, words = (-math.inf, 0.0), deepcopy(model.state_dict()), 0, ""
    for step in range(1, most + 1):
        _step(model, lesson, lesson.train.take(next(order).numpy()), balance)
        optimiser.step()
        tell(step / most, f"fine-tuning, step {step} of at most {most}{words}")
        if step % between:
            continue
        accuracy, loss = worth(validation_scores(model, facts, lesson), lesson.validation)
        words = f", {100 * accuracy:.1f} % on validation"
        if (accuracy, -loss) > best:
            best, kept, kept_at = (accuracy, -loss), deepcopy(model.state_dict()), step
        elif step - kept_at >= schedule.patience * between:
            break
    model.load_state_dict(kept)
    return kept_at


def validation_scores(model: TailModel, facts: Mapping[str, Any], lesson: Lesson) -> Scores:
    """What the model says of the validation part, by the operators' own formulas."""
    seen = model.parts.seen(lesson.validation, lesson.tokens, lesson.pool)
    return head_scores(model.folded(), facts, seen)


def _step(model: TailModel, lesson: Lesson, batch: Examples, balance: Tensor) -> None:
    """Gradients of a batch, added up from its pieces."""
    whole = balance[torch.from_numpy(batch.targets)].sum()
    learning = [one for one in model.parameters() if one.requires_grad]
    windows = [rows for rows in np.array_split(np.arange(len(batch.rows)), _PIECES) if len(rows)]

    def slopes(number: int) -> tuple[Tensor, ...]:
        own, rows = batch.take(windows[number]).alone()
        logits = model(own, [lesson.tokens(int(row)) for row in rows])
        targets = torch.from_numpy(own.targets)
        loss = F.cross_entropy(logits, targets, weight=balance, reduction="sum") / whole
        return torch.autograd.grad(loss, learning)

    each = lesson.pool.map(slopes, range(len(windows)))
    for parameter, *own in zip(learning, *each, strict=True):
        parameter.grad = torch.stack(own).sum(dim=0)
