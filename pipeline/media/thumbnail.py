"""A picture's brightness in a few cells: enough to see whether anything moves.

Whole numbers only, so that every processor gives the same cells.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

CELLS = 27  # along the short side
LARGEST_SIDE = 4 * CELLS  # cells along the long one, of pictures that are no video
_LUMA = np.array([77, 150, 29], np.uint64)  # of red, green and blue, in 256ths (BT.601)


def luma_cells(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The mean luma of each cell of a picture, rounded down.

    Args:
        pixels: uint8 RGB `[H, W, 3]`.

    Returns:
        uint8 `[rows, columns]`; 27 along the short side where that has as many pixels, and as many
        along the other as make them square.
    """
    height, width, _ = pixels.shape
    rows, columns = _edges(height, min(height, width)), _edges(width, min(height, width))
    lines = pixels.reshape(height, -1)
    bands = [lines[top:end] for top, end in pairwise([*rows, height])]
    summed = np.stack([band.sum(axis=0, dtype=np.uint32) for band in bands])  # reduceat takes 3x
    sums = np.add.reduceat(summed.reshape(len(rows), width, 3), columns, axis=1)
    counts = np.outer(np.diff(rows, append=height), np.diff(columns, append=width))
    luma = (sums @ _LUMA) // (256 * counts.astype(np.uint64))
    return luma.astype(np.uint8)


def _edges(side: int, short_side: int) -> NDArray[np.intp]:
    """Where the cells along a side begin."""
    cells = min(side, LARGEST_SIDE, max(1, round(min(CELLS, short_side) * side / short_side)))
    return np.arange(cells) * side // cells
