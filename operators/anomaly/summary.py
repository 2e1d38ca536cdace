"""A map of distances in a few numbers, for consumers that need no picture.

The published map in -> JSON values out, so that whoever has the map gets the same numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from operators.segmentation.regions import connected_regions
from operators.segmentation.summary import source_box

STEP = 0.0001  # of a distance, from one value of the map to the next
_TOP = 100  # one patch in so many makes the frame's score
_STRONG = 0.5  # of the highest distance: one thing changes what a backbone sees all around it
_DECIMALS = 4  # as many as STEP has


def to_steps(distances: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Distances from 0 to 2 as they are published."""
    steps: NDArray[np.uint16] = np.rint(distances / np.float32(STEP)).astype(np.uint16)
    return steps


def frame_score(steps: NDArray[np.uint16]) -> float:
    """Mean of the highest hundredth of all patches' distances, of fewer than 100 the highest one
    (AnomalyDINO, arXiv 2405.14529).

    Args:
        steps: the map as published, `[h, w]`.
    """
    highest = np.sort(steps, axis=None)[-max(1, steps.size // _TOP) :]
    return round(float(highest.mean()) * STEP, _DECIMALS)


def anomaly_summary(
    steps: NDArray[np.uint16], threshold: float, source_hw: tuple[int, int]
) -> dict[str, Any]:
    """Score, whether it is over the threshold, and the largest part of the picture that is.

    Args:
        steps: the map as published, uint16 `[h, w]`.
        threshold: of a frame's score, and of each of its patches.
        source_hw: size of the source as displayed, pixels.

    Returns:
        `{"score", "threshold", "over", "highest", "patches", "largest"}`: `highest` is the largest
        distance, `patches` how many are over the threshold, and `largest` the box (left, top,
        right, bottom in source pixels, right and bottom just outside) and the number of those that
        hang together and are at least half as far as the highest; None where none is over.
    """
    score, over = frame_score(steps), np.round(steps * STEP, _DECIMALS) > threshold
    strong = over & (steps >= _STRONG * steps.max())
    parts = connected_regions(strong.astype(np.uint8))
    largest = next((part for part in parts if part.class_id), None)
    box = largest and source_box(largest.box, steps.shape, source_hw)
    return {
        "score": score,
        "threshold": threshold,
        "over": score > threshold,
        "highest": round(float(steps.max()) * STEP, _DECIMALS),
        "patches": int(over.sum()),
        "largest": largest and {"box": box, "patches": largest.cells},
    }
