"""How far masks cover each other: pixels of guesses and of things in -> shares out.

By COCO's rules, as `operators.learn.detection_metrics` measures with them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from operators.learn.estimate import Floats

Masks = NDArray[np.bool_]


def mask_overlaps(guesses: Masks, things: Masks, lax: NDArray[np.bool_]) -> Floats:
    """Intersection over union `[N, M]`; over the guess alone where a thing does not count.

    Args:
        guesses: `[N, H, W]`.
        things: `[M, H, W]`.
        lax: which things are neither learnt nor missed `[M]`.
    """
    # Counts of pixels are exact in float32: a picture has far fewer than 2^24.
    pixels = guesses.shape[1] * guesses.shape[2]
    first, second = (one.reshape(-1, pixels).astype(np.float32) for one in (guesses, things))
    common = (first @ second.T).astype(np.float64)
    own, other = first.sum(axis=1)[:, None], second.sum(axis=1)
    whole = np.where(lax, own, own + other - common)
    shares: Floats = common / np.maximum(whole, 1)
    return shares


def boxed_masks(boxes: NDArray[np.floating], size_hw: tuple[int, int]) -> Masks:
    """Boxes as masks: the pixels whose middles are in them.

    Args:
        boxes: left, top, right, bottom `[M, 4]`, shares of the picture.
        size_hw: of the picture.

    Returns:
        `[M, H, W]`.
    """
    down, across = ((np.arange(side) + 0.5) / side for side in size_hw)
    left, top, right, bottom = (edge[:, None] for edge in boxes.T)
    rows, columns = (down >= top) & (down < bottom), (across >= left) & (across < right)
    inside: Masks = rows[:, :, None] & columns[:, None, :]
    return inside
