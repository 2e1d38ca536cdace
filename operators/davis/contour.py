"""F: how well the outlines of two masks agree (Perazzi et al. 2016, after Martin et al. 2004).

Two masks in -> a number out. A pixel of one outline agrees where the other has one within 0.008 of
the picture's diagonal. An outline is of pixels that differ from the one to their right, below, or
right below; the picture's edge is none.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 0.008  # of the diagonal

Mask = NDArray[np.bool_]


def contour(mask: Mask, truth: Mask) -> float:
    """Harmonic mean of the shares of either outline that the other agrees with, 0 to 1.

    Args:
        mask: `[H, W]`.
        truth: `[H, W]`.

    Returns:
        1 where neither has an outline, 0 where one alone has.

    Raises:
        ValueError: two sizes.
    """
    if mask.shape != truth.shape:
        raise ValueError(f"a mask of {list(mask.shape)} and a truth of {list(truth.shape)}")
    told, true = outline(mask), outline(truth)
    if not told.any() or not true.any():
        return float(told.any() == true.any())
    radius = math.ceil(TOLERANCE * math.hypot(*mask.shape))
    told, true = _around(told | true, told), _around(told | true, true)
    precision = np.count_nonzero(told & within(true, radius)) / np.count_nonzero(told)
    recall = np.count_nonzero(true & within(told, radius)) / np.count_nonzero(true)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def outline(mask: Mask) -> Mask:
    """Pixels that differ from the one to the right, below, or right below, `[H, W]`."""
    padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
    right, below, corner = padded[:-1, 1:], padded[1:, :-1], padded[1:, 1:]
    found: Mask = (mask != right) | (mask != below) | (mask != corner)
    return found


def _around(held: Mask, mask: Mask) -> Mask:
    """The part of a mask that lies in the box around another."""
    rows, columns = np.flatnonzero(held.any(axis=1)), np.flatnonzero(held.any(axis=0))
    return mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def within(mask: Mask, radius: int) -> Mask:
    """Pixels that have one of the mask's in a disk around them.

    Args:
        mask: `[H, W]`.
        radius: of the disk, pixels; its edge counts.
    """
    height, width = mask.shape
    counts = np.cumsum(np.pad(mask, ((radius, radius), (radius + 1, radius))), axis=1)
    found = np.zeros_like(mask)
    for down in range(-radius, radius + 1):
        reach = math.isqrt(radius * radius - down * down)
        rows = counts[radius + down : radius + down + height]
        last, first = radius + reach + 1, radius - reach
        found |= rows[:, last : last + width] > rows[:, first : first + width]
    return found
