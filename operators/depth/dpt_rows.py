"""Frames of a batch through a DPT decoder, some at a time: fine maps of all take tens of gigabytes.

Must not know what the decoder reads, or what its numbers mean.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from operators.backbones.precision import Precision
from operators.depth.dpt import Dpt
from operators.frames import Features

SLICE_BYTES = 1 << 30
"""What a slice of rows may take: a sixteenth of a card of 16 GiB, 16 rows of 224 pixels or more. No
tensor comes near the 2**31 numbers from where on kernels count otherwise. Other slices may give
other bits: whoever changes it raises the version of those who read."""

Read = Callable[[slice], Sequence[tuple[Tensor, Tensor]]]
"""Rows of a batch -> what `Dpt` is called with."""


def decoded(dpt: Dpt, read: Read, features: Features, rows: slice) -> Tensor:
    """Fine maps of the frames among some rows, as `Dpt` gives them; padding behind them has none.

    On a GPU each slice has the same number of rows, whatever the batch holds, so that no frame's
    bits depend on its mates. On a CPU a frame is decoded alone, because oneDNN sums otherwise where
    there are more, and in float32 whatever the backbone's products are.

    Args:
        dpt: the decoder, on the features' device.
        read: gives what it reads of some rows.
        features: of the batch.
        rows: of it.
    """
    frames = range(len(features.infos))[rows]
    batch, *grid = features.patches.shape[:3]
    size, precision = 1, Precision.FLOAT32
    if not features.on_host:
        precision = features.precision or precision
        size = slice_rows(batch, dpt.row_bytes(grid, precision))
    maps = []
    for begin in range(frames.start, frames.stop, size):
        first = min(begin, batch - size)  # the last slice reaches back: it is as long as the others
        maps.append(dpt(read(slice(first, first + size)), precision)[begin - first :])
    return torch.cat(maps)[: len(frames)]


def slice_rows(batch: int, row_bytes: int) -> int:
    """Rows of a slice: as few slices as `SLICE_BYTES` allows, and those alike.

    Args:
        batch: rows in all.
        row_bytes: that one takes; where it is more than there may be, rows go one by one.
    """
    most = max(1, SLICE_BYTES // row_bytes)
    return -(-batch // -(-batch // most))
