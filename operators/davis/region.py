"""J: how much of two masks is the same, intersection over union (Perazzi et al. 2016).

Two masks in -> a number out. Knows no films.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def region(mask: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Intersection over union, 0 to 1; 1 where both are empty.

    Args:
        mask: `[H, W]`.
        truth: `[H, W]`.

    Raises:
        ValueError: two sizes.
    """
    if mask.shape != truth.shape:
        raise ValueError(f"a mask of {list(mask.shape)} and a truth of {list(truth.shape)}")
    union = int(np.count_nonzero(mask | truth))
    return np.count_nonzero(mask & truth) / union if union else 1.0
