"""How dense heads are fitted and measured: backbone, size, cache, schedule; and what came out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
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
        schedule: of the training; None: the task's own.
        seed: of the split and of all draws.
        validation: share of files or scenes that are put aside to judge by.
        rendered: the data are scenes: not every class of their labels need occur.
    """

    short_side: int
    cache: Path
    schedule: Schedule | None = None
    seed: int = 0
    validation: float = 0.2
    rendered: bool = False


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
