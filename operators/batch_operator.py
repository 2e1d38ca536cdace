"""Operators that compute on all rows of a batch at once, and then say something of every frame.

What they compute stays on the device until all of them are through, so that a GPU is waited for
once a batch (`operators.fetch`). On a CPU every frame is computed alone, by one thread.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from operators.errors import DinostreamError
from operators.operator import Operator, StreamOperator

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

    from operators.frames import Features, FrameInfo
    from operators.result import Result

    Numbers = tuple[Tensor | NDArray[Any], ...]


DTYPES = ("float32", "uint16", "uint8", "bool")  # that come from a GPU


class BatchOperator(Operator):
    """`compute` on the device, `say` on the host."""

    @abstractmethod
    def compute(self, features: Features, rows: slice) -> Numbers:
        """What is needed of some rows, `[R, ...]` each: tensors on the features' device, or arrays
        that are on the host already, as pixels are.

        Waits for no device: no number is read here. dtypes are of `DTYPES`. Rows of padding may be
        among them; their numbers mean nothing and are told of to nobody, and those at the end may
        be left out.
        """

    @abstractmethod
    def say(self, info: FrameInfo, *numbers: NDArray[Any]) -> list[Result]:
        """Records of one frame.

        Called from several threads at once, but for an operator that remembers: that is called in
        the order of the frames.

        Args:
            info: the frame.
            numbers: its row of each of what `compute` gave; not to be kept.
        """

    def say_all(
        self, infos: Sequence[FrameInfo], numbers: Sequence[Sequence[NDArray[Any]]]
    ) -> list[Result]:
        """Records of frames, in their order.

        Args:
            infos: the frames.
            numbers: of each.
        """
        told = zip(infos, numbers, strict=True)
        return [result for info, row in told for result in self.say(info, *row)]

    def computed(self, features: Features, rows: slice) -> Numbers:
        """What `compute` gives, held to what it may.

        Raises:
            DinostreamError: it is of another dtype.
        """
        found = self.compute(features, rows)
        for one in found:
            if (dtype := str(one.dtype).removeprefix("torch.")) not in DTYPES:
                raise DinostreamError(
                    f"{self.name}: compute gives {dtype}; allowed are {', '.join(DTYPES)}"
                )
        return found

    def shared(self, features: Features, rows: slice) -> Numbers:
        """What `computed` gives, computed once a batch, however many operators ask for it."""
        infos = features.infos[rows]
        key = (self, infos, rows.stop - rows.start)  # padding counts: it is in the numbers too
        if key not in features.memo:
            features.memo[key] = self.computed(features, rows)
        found: Numbers = features.memo[key]
        return found

    def __call__(self, features: Features) -> list[Result]:
        if not features.on_host:  # by itself, and at the shape of every batch
            from operators.fetch import Fetch

            fetch = Fetch(features, [self])
            fetch.wait()
            return fetch.say(self, range(len(features.infos)))

        def numbers(row: int) -> list[NDArray[Any]]:
            return [np.asarray(one[0]) for one in self.shared(features, slice(row, row + 1))]

        if isinstance(self, StreamOperator):
            return self.say_all(features.infos, features.each(numbers))
        said = features.each(lambda row: self.say(features.infos[row], *numbers(row)))
        return [result for own in said for result in own]
