"""Training, validation and test parts, by whole groups: windows of one file never part.

Groups and targets in -> indices of each part out, or why there is no such split. Seeded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operators.errors import UsageError

TEST_FROM = 5  # groups of every class: with fewer, a test part would be one or none
_SHARE = 0.2  # of the groups of a class, for validation and for test each
_TRIES = 500

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Parts:
    """Indices of windows.

    Attributes:
        train: what weights are fitted to.
        validation: what settings and thresholds are chosen by.
        test: what nothing was chosen by; empty where there are too few groups.
    """

    train: Rows
    validation: Rows
    test: Rows

    @property
    def judged(self) -> tuple[str, Rows]:
        """The part that quality is told of, and its name."""
        return ("test", self.test) if len(self.test) else ("validation", self.validation)


def split(
    groups: Sequence[str],
    targets: Rows,
    labels: Sequence[str],
    *,
    seed: int = 0,
    kind: str = "file",
) -> Parts:
    """Divide windows so that every class is in every part.

    Args:
        groups: what each window belongs to.
        targets: class ids `[M]`.
        labels: names of the classes.
        seed: of the draws.
        kind: what a group is, for texts: file or day.

    Raises:
        UsageError: a class in fewer than two groups, or no split has every class in every part.
    """
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    holds = np.zeros((len(names), len(labels)), dtype=bool)
    holds[member, targets] = True
    counts = holds.sum(axis=0)
    few = [f"{labels[i]} ({counts[i]})" for i in range(len(labels)) if counts[i] < 2]
    if few:
        raise UsageError(
            f"every class needs examples from two {kind}s or more, one to learn from and one to "
            f"judge by; too few {kind}s: {', '.join(few)}"
        )
    parts = 3 if counts.min() >= TEST_FROM else 2
    draw = np.random.Generator(np.random.PCG64(seed))
    for _ in range(_TRIES):
        part = _drawn(holds, parts, draw)
        if all(holds[part == number].any(axis=0).all() for number in range(parts)):
            return Parts(*(np.flatnonzero(part[member] == number) for number in range(3)))
    raise UsageError(
        f"no way was found to have every class in training and in validation by whole {kind}s; "
        f"more {kind}s with the rarest classes would help"
    )


def _drawn(holds: NDArray[np.bool_], parts: int, draw: np.random.Generator) -> NDArray[np.intp]:
    """Part of every group: class by class, the rarest first, its share into each held-out part."""
    part = np.zeros(len(holds), dtype=np.intp)
    free = np.ones(len(holds), dtype=bool)
    for label in np.argsort(holds.sum(axis=0), kind="stable"):
        own = np.flatnonzero(holds[:, label])
        wanted = max(1, round(_SHARE * len(own)))
        for number in range(1, parts):
            open_ = draw.permutation(own[free[own]])
            lacking = wanted - int((part[own] == number).sum())
            chosen = open_[: max(0, min(lacking, len(open_) - 1))]
            part[chosen] = number
            free[chosen] = False
    return part
