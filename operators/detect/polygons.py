"""Polygons as the pixels that they are of, bit for bit as pycocotools draws them.

Corners in -> a mask out. A side is walked in fifths of a pixel; where the walk passes the middle of
a column of pixels, everything below in that column changes sides.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_FINE = 5  # steps of the walk to a pixel

Numbers = NDArray[np.float64]


def polygons_mask(
    polygons: Sequence[Sequence[float]], size_hw: tuple[int, int]
) -> NDArray[np.bool_]:
    """All pixels that are in one polygon at least, `[H, W]`; what is outside of these is cut off.

    Args:
        polygons: of each x, y, x, y, ... of its corners, pixels.
        size_hw: H and W.
    """
    mask = np.zeros(size_hw, dtype=bool)
    for one in polygons:
        mask |= _polygon(np.asarray(one, dtype=np.float64).reshape(-1, 2), size_hw)
    return mask


def _polygon(corners: Numbers, size_hw: tuple[int, int]) -> NDArray[np.bool_]:
    height, width = size_hw
    x, y = _walk(np.trunc(corners * _FINE + 0.5))
    moved = np.flatnonzero(x[1:] != x[:-1])
    # Of the two columns of fine steps the left one; of their rows the upper one.
    column = (np.minimum(x[moved], x[moved + 1]) + 0.5) / _FINE - 0.5
    row = (np.minimum(y[moved], y[moved + 1]) + 0.5) / _FINE - 0.5
    middle = (column == np.floor(column)) & (column >= 0) & (column <= width - 1)
    down = np.ceil(row[middle].clip(0, height)).astype(np.intp)
    places = column[middle].astype(np.intp) * height + down
    changes = np.bincount(places, minlength=height * width)[: height * width]
    inside: NDArray[np.bool_] = np.cumsum(changes) % 2 == 1
    return inside.reshape(size_hw, order="F")


def _walk(corners: Numbers) -> tuple[Numbers, Numbers]:
    """x and y of every step along the sides, from each corner to the next and back to the first."""
    begin, end = corners, np.roll(corners, -1, axis=0)
    steps = np.abs(end - begin)
    flat = steps[:, 0] >= steps[:, 1]
    long = np.where(flat, 0, 1)
    every = np.arange(len(begin))
    # Walked the same way whichever corner comes first, so that rounding is the same.
    turned = begin[every, long] > end[every, long]
    first, last = (np.where(turned[:, None], b, a) for a, b in ((begin, end), (end, begin)))
    count = steps.max(axis=1).astype(np.intp)
    with np.errstate(invalid="ignore"):
        slope = (last - first)[every, 1 - long] / count  # not a number where both are one corner
    side = np.repeat(every, count + 1)
    at = np.arange(len(side)) - np.repeat(np.cumsum(count + 1) - count - 1, count + 1)
    at = np.where(turned[side], count[side] - at, at)
    along = first[side, long[side]] + at
    across = np.trunc(first[side, 1 - long[side]] + np.nan_to_num(slope)[side] * at + 0.5)
    return np.where(flat[side], along, across), np.where(flat[side], across, along)
