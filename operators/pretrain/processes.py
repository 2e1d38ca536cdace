"""Who trains a student: one process here; several, that share it, in `operators.pretrain.sharded`.

A loop and its objectives ask this for all that differs, so that they are written once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from operators.errors import UsageError
from operators.pretrain.step import Step
from operators.pretrain.trainee import Trainee


class Processes:
    """One, that trains alone; also what several are asked.

    Attributes:
        rank: this one's number.
        count: how many they are.
        group: that they talk in; None where there is one.
    """

    rank: int = 0
    count: int = 1
    group: dist.ProcessGroup | None = None

    def part(self, pictures: int) -> slice:
        """Which pictures of a step are this one's.

        Args:
            pictures: of the whole step.

        Raises:
            UsageError: they cannot be parted.
        """
        return slice(0, pictures)

    def own(self, draw: torch.Generator) -> torch.Generator:
        """What decides what this one draws for its pictures alone.

        Args:
            draw: in the same state in all of them.
        """
        return draw

    def share(self, trainee: Trainee, dtype: torch.dtype) -> None:
        """Keep a part of its parameters, in place; they come together where they are computed with.

        Args:
            trainee: the same in all of them.
            dtype: that parameters have meanwhile; what is kept stays float32.
        """

    def mean(self, step: Step) -> Step:
        """With losses of the whole step, without gradients; the rest is of this one's pictures."""
        return step.detached

    def agreed(self, word: bool) -> bool:
        """What the first of them says. All have to call."""
        return word

    def whole(self, state: Any) -> Any:
        """A state of modules or optimisers with what is shared in one piece. All have to call.

        Args:
            state: dicts and lists of tensors and plain values.

        Returns:
            In the first process; nobody else should use it.
        """
        return state

    def parts(
        self, state: Mapping[str, Tensor], like: Mapping[str, Tensor]
    ) -> Mapping[str, Tensor]:
        """Of whole tensors what this one keeps.

        Args:
            state: by name.
            like: tensors or parameters of this process, by the same names.
        """
        return state


def equal_parts(pictures: int, count: int) -> int:
    """How many of a step's pictures each process has. Their losses are means, and only with equal
    parts is the mean of these the loss of the step.

    Args:
        pictures: of the step.
        count: of processes.

    Raises:
        UsageError: there are no such parts.
    """
    each = pictures // count
    if each * count != pictures or each < _LEAST:
        raise UsageError(
            f"a step of {pictures} pictures has no equal parts of {_LEAST} or more for {count} "
            "processes; take another batch or another number of processes"
        )
    return each


_LEAST = 2  # class tokens are compared with those of other pictures

ALONE = Processes()
