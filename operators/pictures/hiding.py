"""What a picture must not show, made unrecognisable.

Pixels and where something was found in -> pixels out. Whole numbers only, so that every machine
makes the same of them. Must not know what was found.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

MOST_BLOCKS = 16  # along the short side: a larger picture has larger blocks, not more of them


def hide(pixels: NDArray[np.uint8], found: NDArray[np.bool_], patch: int) -> NDArray[np.uint8]:
    """Put the mean of nine blocks where a block has something to hide, or a neighbour has.

    Args:
        pixels: uint8 RGB `[h * patch, w * patch, 3]`.
        found: bool `[h * n, w * n]`, n cells per side of a patch.
        patch: its side, pixels.

    Returns:
        Pixels of the same shape; the same ones where nothing was found.
    """
    if not found.any():
        return pixels
    height, width, _ = pixels.shape
    short = min(height, width) // patch
    per_block = -(-short // MOST_BLOCKS)  # patches
    side = per_block * patch
    cells = per_block * (len(found) * patch // height)
    touched = _by_block(np.logical_or, found, cells)
    hidden = _around(touched).max(axis=(-2, -1))
    total = _around(_by_block(np.add, pixels.astype(np.int64), side)).sum(axis=(-2, -1))
    count = _around(_by_block(np.add, np.ones((height, width, 1), np.int64), side))
    means = (total // count.sum(axis=(-2, -1))).astype(np.uint8)
    bare = pixels.copy()
    for row, column in np.argwhere(hidden) * side:
        bare[row : row + side, column : column + side] = means[row // side, column // side]
    return bare


def _by_block(join: np.ufunc, values: NDArray[Any], side: int) -> NDArray[Any]:
    """All values of each block, joined; the last blocks may be smaller."""
    rows, columns = (np.arange(0, length, side) for length in values.shape[:2])
    return join.reduceat(join.reduceat(values, rows, axis=0), columns, axis=1)


def _around(blocks: NDArray[Any]) -> NDArray[Any]:
    """Each block with its eight neighbours, `[..., 3, 3]`; nothing lies outside."""
    nothing = [(1, 1), (1, 1), *[(0, 0)] * (blocks.ndim - 2)]
    return sliding_window_view(np.pad(blocks, nothing), (3, 3), axis=(0, 1))
