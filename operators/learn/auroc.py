"""How well scores tell two kinds apart: the area under the ROC curve, by ranks (Mann-Whitney)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from operators.learn.estimate import Estimate, Floats, estimate


def auroc(usual: NDArray[np.floating], unusual: NDArray[np.floating]) -> float:
    """The chance that something unusual has the higher score; of equal ones half. NaN where there
    is none of a kind.

    Args:
        usual: scores `[n]`.
        unusual: scores `[m]`.
    """
    if not usual.size or not unusual.size:
        return float("nan")
    return _won(np.sort(usual), unusual) / usual.size / unusual.size


def auroc_over_files(
    usual: Sequence[NDArray[np.floating]], unusual: Sequence[NDArray[np.floating]], *, seed: int = 0
) -> Estimate:
    """The same of all scores of some files, with its interval over these.

    Args:
        usual: of each file that shows nothing else, scores `[n]`.
        unusual: of each other file, scores `[m]`.
        seed: of the bootstrap.
    """
    won = np.array([[_won(np.sort(one), other) for other in unusual] for one in usual])
    sizes = [np.array([len(one) for one in files], np.float64) for files in (usual, unusual)]

    def measure(weights: Floats) -> Floats:
        mine, others = weights[:, : len(usual)], weights[:, len(usual) :]
        pairs = (mine @ sizes[0]) * (others @ sizes[1])
        above = ((mine @ won.reshape(len(usual), len(unusual))) * others).sum(axis=1)
        known: Floats = np.divide(above, pairs, out=np.full_like(pairs, np.nan), where=pairs > 0)
        return known

    return estimate(measure, len(usual) + len(unusual), seed=seed)


def mean_over(numbers: Sequence[float], *, seed: int = 0) -> Estimate:
    """The mean of one number per camera, with its interval; NaN are left out."""
    known = np.array([one for one in numbers if np.isfinite(one)])
    if not known.size:
        return Estimate(float("nan"), None, None)
    return estimate(lambda weights: weights @ known / weights.sum(axis=1), len(known), seed=seed)


def _won(ordered: NDArray[np.floating], unusual: NDArray[np.floating]) -> float:
    """Pairs in which the unusual one is higher; of equal ones half."""
    below = ordered.searchsorted(unusual, "left") + ordered.searchsorted(unusual, "right")
    return float(below.sum() / 2)
