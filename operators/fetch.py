"""What all operators have computed of a batch on a GPU, brought to the host by one copy.

Waiting for a GPU costs what it could have computed meanwhile; so there is one place that waits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from operators.batch_operator import BatchOperator
from operators.frames import Features
from operators.landing import Landing
from operators.operator import Operator
from operators.result import Result

_NUMPY = {
    torch.float32: np.float32,
    torch.uint16: np.uint16,
    torch.uint8: np.uint8,
    torch.bool: np.bool_,
}  # `DTYPES` of the contract


class Fetch:
    """Of one batch; on the host after `wait`, until `close`."""

    def __init__(
        self,
        features: Features,
        operators: Sequence[BatchOperator],
        landing: Landing | None = None,
    ) -> None:
        """Have everything computed and copied; waits for nothing.

        Args:
            features: on a GPU.
            operators: whose `compute` is asked, of all rows at once: the same shape always.
            landing: where the copy lands, of the features' device; None: one of its own.

        Raises:
            Exception: whatever one of them raises.
        """
        self._infos = features.infos
        every = slice(0, len(features.cls))
        computed = {operator: operator.computed(features, every) for operator in operators}
        self._parts = {
            operator: [(one.dtype, tuple(one.shape)) for one in tensors]
            for operator, tensors in computed.items()
        }
        flat = [_bytes(one) for tensors in computed.values() for one in tensors]
        none = torch.empty(0, dtype=torch.uint8, device=features.cls.device)
        on_device = torch.cat(flat) if flat else none
        self._landing = landing or Landing(on_device.device)
        self._copy = self._landing.bring(on_device)
        self._numbers: dict[Operator, list[NDArray[Any]]] = {}

    def wait(self) -> None:
        """Until all of it is on the host."""
        self._copy.wait()
        data, end = self._copy.on_host.numpy(), 0
        for operator, parts in self._parts.items():
            self._numbers[operator] = []
            for dtype, shape in parts:
                begin, end = end, end + dtype.itemsize * math.prod(shape)
                numbers: NDArray[Any] = data[begin:end].view(_NUMPY[dtype]).reshape(shape)
                self._numbers[operator].append(numbers)

    def say(self, operator: BatchOperator, rows: Sequence[int]) -> list[Result]:
        """What an operator says of some frames, in their order."""
        numbers = self._numbers[operator]
        infos = [self._infos[row] for row in rows]
        return operator.say_all(infos, [[one[row] for one in numbers] for row in rows])

    def close(self) -> None:
        """Nothing more is said of the batch: its memory is the next one's."""
        self._numbers.clear()
        self._landing.give_back(self._copy)


def _bytes(numbers: Tensor) -> Tensor:
    return numbers.contiguous().view(torch.uint8).flatten()
