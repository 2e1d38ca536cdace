"""The things of pictures, as boxes and masks: what a detector learns from and is measured on.

One row a thing in -> tensors out. Knows no files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from operators.detect.boxes import centred
from operators.frames import CELLS
from operators.learn.dense_pictures import DensePicture

COLUMNS = 6
"""Of a truth, float32 `[M, COLUMNS]`: class id, left, top, right, bottom in shares of the picture,
and 1 where it only says that something is there: neither learnt nor missed."""


@dataclass(frozen=True, slots=True)
class Things:
    """Of one picture.

    Attributes:
        labels: class ids, int64 `[M]`.
        boxes: centre x, y, width, height `[M, 4]`, shares of the picture.
        masks: share of every cell that is inside, `[M, CELLS * h, CELLS * w]`, empty of a thing
            without a mask; None where no thing of the data has one.
    """

    labels: Tensor
    boxes: Tensor
    masks: Tensor | None = None

    @classmethod
    def of(cls, truth: Tensor, masks: Tensor | None = None) -> Things:
        """Those that can be learnt.

        Args:
            truth: `[M, COLUMNS]`.
            masks: of cells, likewise.
        """
        counts = truth[:, 5] == 0
        own = truth[counts]
        kept = None if masks is None else masks[counts]
        return cls(own[:, 0].long(), centred(own[:, 1:5]), kept)

    def repeated(self, times: int) -> Things:
        """Each so many times, as boxes alone."""
        return Things(self.labels.repeat(times), self.boxes.repeat(times, 1))


@dataclass(frozen=True, slots=True)
class ThingBatch:
    """Pictures of one size: blocks side by side `[B, h, w, F]`, and the things of each."""

    blocks: Tensor
    things: tuple[Things, ...]


def thing_batch(pictures: Sequence[DensePicture]) -> ThingBatch:
    """Pictures that hold one layer `[1, h, w, F]` and a truth of things."""
    return ThingBatch(
        torch.stack([one.patches[0].float() for one in pictures]),
        tuple(Things.of(one.truth, _cells(one)) for one in pictures),
    )


def truth_of(rows: Sequence[Sequence[float]]) -> NDArray[np.float32]:
    """Things as the array that is kept, also where there are none."""
    return np.asarray(rows, dtype=np.float32).reshape(-1, COLUMNS)


def _cells(picture: DensePicture) -> Tensor | None:
    """Masks of pixels as shares of cells."""
    if picture.masks is None:
        return None
    down, across = picture.grid
    masks = picture.masks[:, None].float()
    return F.adaptive_avg_pool2d(masks, (CELLS * down, CELLS * across))[:, 0]
