"""What all operators have computed of a batch on a GPU, brought to the host by one copy.

Waiting for a GPU costs what it could have computed meanwhile; so there is one place that waits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

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


@dataclass(frozen=True, slots=True)
class _OnDevice:
    """What a tensor is that is on its way."""

    dtype: torch.dtype
    shape: tuple[int, ...]

    @classmethod
    def of(cls, numbers: Tensor) -> Self:
        return cls(numbers.dtype, tuple(numbers.shape))

    @property
    def size_bytes(self) -> int:
        return self.dtype.itemsize * math.prod(self.shape)

    def read(self, data: NDArray[np.uint8]) -> NDArray[Any]:
        numbers: NDArray[Any] = data.view(_NUMPY[self.dtype]).reshape(self.shape)
        return numbers


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
        computed = {operator: operator.shared(features, every) for operator in operators}
        self._parts = {
            operator: [id(one) if isinstance(one, Tensor) else one for one in found]
            for operator, found in computed.items()
        }
        every_one = [one for found in computed.values() for one in found]
        # What one operator has of another is on the device once, and comes once.
        tensors = {id(one): one for one in every_one if isinstance(one, Tensor)}
        self._on_device = {key: _OnDevice.of(one) for key, one in tensors.items()}
        flat = [_bytes(one) for one in tensors.values()]
        none = torch.empty(0, dtype=torch.uint8, device=features.cls.device)
        on_device = torch.cat(flat) if flat else none
        self._landing = landing or Landing(on_device.device)
        self._copy = self._landing.bring(on_device)
        self._numbers: dict[Operator, list[NDArray[Any]]] = {}

    def wait(self) -> None:
        """Until all of it is on the host."""
        self._copy.wait()
        data, end = self._copy.on_host.numpy(), 0
        came: dict[int, NDArray[Any]] = {}
        for key, one in self._on_device.items():
            begin, end = end, end + one.size_bytes
            came[key] = one.read(data[begin:end])
        for operator, parts in self._parts.items():  # arrays were on the host already
            self._numbers[operator] = [came[one] if isinstance(one, int) else one for one in parts]

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
