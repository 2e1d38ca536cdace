"""Frozen patch features of pictures with a truth, mostly one for every pixel, read a few at a time.

What a store of features offers -> mini-batches of one size. Knows no files and no training.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

from operators.frames import CELLS

Batch = TypeVar("Batch")


@dataclass(frozen=True, slots=True)
class DensePicture:
    """One picture.

    Attributes:
        patches: float `[L, h, w, D]`, L blocks of the backbone: before the final norm, but the last
            one after it where a head reads that.
        cls: float `[L, D]`, the class token of each.
        truth: `[H, W]`, pixels at the backbone's size: uint8 class ids, or float32 metres; or the
            boxes of things, as of `operators.learn.things`.
        masks: of those things, bool `[M, H, W]`, pixels likewise; None where they are not read.
    """

    patches: Tensor
    cls: Tensor
    truth: Tensor
    masks: Tensor | None = None

    @property
    def grid(self) -> tuple[int, int]:
        """Patches down and across."""
        return self.patches.shape[1], self.patches.shape[2]


class DensePictures(Protocol):
    """A store of pictures. `read` takes one into memory; nothing else does."""

    @property
    def groups(self) -> Sequence[str]:
        """File or scene of each picture."""
        ...

    @property
    def grids(self) -> Sequence[tuple[int, int]]:
        """Patches down and across of each picture."""
        ...

    def read(self, index: int) -> DensePicture:
        """One picture."""
        ...


@dataclass(frozen=True, slots=True)
class DenseBatch:
    """Pictures of one size: patches `[B, L, h, w, D]`, cls `[B, L, D]`, both float32, and truth
    `[B, h * CELLS, w * CELLS]` at the middle of every cell."""

    patches: Tensor
    cls: Tensor
    truth: Tensor


def batches(
    pictures: DensePictures,
    chosen: Sequence[int],
    stacked: Callable[[Sequence[DensePicture]], Batch],
    *,
    size: int,
    seed: int,
    first: int = 0,
) -> Iterator[Batch]:
    """Batches without end, every picture about equally often.

    Args:
        pictures: where they are.
        chosen: indices that may be drawn.
        stacked: makes a batch of pictures of one size, such as `dense_batch`.
        size: B.
        seed: of the order.
        first: batches of that order that are left out, unread.
    """
    draw = np.random.Generator(np.random.PCG64(seed))
    by_grid: dict[tuple[int, int], list[int]] = defaultdict(list)
    for index in chosen:
        by_grid[pictures.grids[index]].append(index)
    while True:
        order = [
            part
            for indices in by_grid.values()
            for part in _parts(draw.permutation(indices).tolist(), size)
        ]
        for which in draw.permutation(len(order)):
            if first > 0:
                first -= 1
                continue
            yield stacked([pictures.read(index) for index in order[which]])


def dense_batch(pictures: Sequence[DensePicture]) -> DenseBatch:
    """Pictures with a truth for every pixel."""
    return DenseBatch(
        torch.stack([one.patches.float() for one in pictures]),
        torch.stack([one.cls.float() for one in pictures]),
        torch.stack([cell_truth(one.truth, one.grid) for one in pictures]),
    )


def cell_truth(truth: Tensor, grid: tuple[int, int]) -> Tensor:
    """The truth `[H, W]` at the middle of every cell, `[h * CELLS, w * CELLS]`."""
    rows, columns = (
        ((torch.arange(patches * CELLS) + 0.5) * pixels / (patches * CELLS)).long()
        for patches, pixels in zip(grid, truth.shape, strict=True)
    )
    return truth[rows][:, columns]


def _parts(indices: list[int], size: int) -> list[list[int]]:
    return [indices[first : first + size] for first in range(0, len(indices), size)]
