"""Mean and deviation of every channel of frozen features: training sees them on one scale.

Pictures in -> statistics out; folded into a head afterwards, which then reads raw features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from operators.learn.dense_pictures import DensePictures

_MOST = 400  # pictures that are looked at: their patches are 50 000 and more
_SMALLEST = 1e-6


@dataclass(frozen=True, slots=True)
class Channels:
    """Of channels `[C]`: mean and standard deviation, float32, the deviation above 0."""

    mean: Tensor
    std: Tensor

    def standardise(self, values: Tensor) -> Tensor:
        """`(values - mean) / std` along the last dimension."""
        return (values - self.mean) / self.std


def patch_and_class_channels(
    pictures: DensePictures, chosen: Sequence[int], *, seed: int
) -> tuple[Channels, Channels]:
    """Statistics of patches and of class tokens, blocks one after the other `[L * D]`.

    Args:
        pictures: where they are.
        chosen: indices to look at; a seeded few of them where they are many.
        seed: of that choice.
    """
    draw = np.random.Generator(np.random.PCG64(seed))
    few = draw.permutation(np.asarray(chosen))[:_MOST].tolist()
    of_patches, of_cls = _Sums(), _Sums()
    for index in few:
        picture = pictures.read(index)
        blocks, h, w, width = picture.patches.shape
        of_patches.add(picture.patches.permute(1, 2, 0, 3).reshape(h * w, blocks * width))
        of_cls.add(picture.cls.reshape(1, -1))
    return of_patches.channels(), of_cls.channels()


class _Sums:
    """Sums in float64: means of many squares lose digits in float32."""

    def __init__(self) -> None:
        self._count = 0
        self._sum: Tensor | float = 0.0
        self._squares: Tensor | float = 0.0

    def add(self, rows: Tensor) -> None:
        exact = rows.double()
        self._count += len(rows)
        self._sum = self._sum + exact.sum(dim=0)
        self._squares = self._squares + exact.square().sum(dim=0)

    def channels(self) -> Channels:
        mean = torch.as_tensor(self._sum) / self._count
        variance = torch.as_tensor(self._squares) / self._count - mean.square()
        return Channels(mean.float(), variance.clamp_min(_SMALLEST).sqrt().float())
