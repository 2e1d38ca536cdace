"""How dense heads are fitted and measured: backbone, size, cache, schedule; and what came out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from operators.learn.dense_training import Schedule

Tell = Callable[[str, int, int], None]
"""What is being done, how much of it is done, of how much."""


@dataclass(frozen=True, slots=True)
class DensePlan:
    """What is the same for every kind of dense head.

    Attributes:
        short_side: of a picture at the backbone, pixels.
        cache: folder of computed features.
        steps: of the training; None: the task's own number.
        rate: learning rate at its start; None: the task's own.
        seed: of the split and of all draws.
        validation: share of files or scenes that are put aside to judge by.
        rendered: the data are scenes: not every class of their labels need occur.
    """

    short_side: int
    cache: Path
    steps: int | None = None
    rate: float | None = None
    seed: int = 0
    validation: float = 0.2
    rendered: bool = False

    def schedule(self, usual: Schedule) -> Schedule:
        """The task's schedule with what the plan says otherwise."""
        return replace(
            usual,
            steps=self.steps or usual.steps,
            rate=self.rate or usual.rate,
            seed=self.seed,
        )


@dataclass(frozen=True, slots=True)
class Fit:
    """A head that was trained.

    Attributes:
        operator: whose head.
        tensors: its weights.
        facts: for the file's header: what it is, what it was trained on, how good it is.
        notes: what a user should be told.
    """

    operator: str
    tensors: Mapping[str, Any]
    facts: Mapping[str, Any]
    notes: tuple[str, ...] = field(default=())
