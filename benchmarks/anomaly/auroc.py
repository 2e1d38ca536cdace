"""How well scores tell two kinds apart: the area under the ROC curve, by ranks (Mann-Whitney)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def auroc(usual: NDArray[np.floating], unusual: NDArray[np.floating]) -> float:
    """The chance that something unusual has the higher score; of equal ones half. NaN where there
    is none of a kind.

    Args:
        usual: scores `[n]`.
        unusual: scores `[m]`.
    """
    if not usual.size or not unusual.size:
        return float("nan")
    ordered = np.sort(usual)
    below = ordered.searchsorted(unusual, "left") + ordered.searchsorted(unusual, "right")
    return float(below.mean() / 2 / usual.size)
