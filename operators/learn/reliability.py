"""Whether a head is as sure as it is right: confidence in bins against the share that is right.

Knows nothing of classes or pictures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve

BINS = 15  # as usual since Guo et al. 2017, "On Calibration of Modern Neural Networks"

Floats = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Reliability:
    """Bins that hold something, from unsure to sure.

    Attributes:
        confidence: mean confidence, `[n]`.
        accuracy: share that is right, `[n]`.
        share: of all answers, `[n]`; adds up to 1.
    """

    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]
    share: NDArray[np.float64]


def reliability(confidence: Floats, right: NDArray[np.bool_]) -> Reliability:
    """Equal bins of confidence.

    Args:
        confidence: of each answer, 0 to 1, `[M]`.
        right: whether it was, `[M]`.
    """
    sure = np.clip(confidence.astype(np.float64), 0.0, 1.0)
    accuracy, mean = calibration_curve(right, sure, pos_label=True, n_bins=BINS)
    # The edges that scikit-learn bins by, so that counts and means are of the same bins.
    edges = np.linspace(0.0, 1.0, BINS + 1)
    counts = np.bincount(np.searchsorted(edges[1:-1], sure), minlength=BINS)
    return Reliability(mean, accuracy, counts[counts > 0] / len(sure))


def calibration_error(
    confidence: Floats, right: NDArray[np.bool_], weights: NDArray[np.float64]
) -> float:
    """Expected calibration error: |confidence - accuracy| over bins, weighted by their share.

    Args:
        confidence, right: see `reliability`.
        weights: how often each answer counts, whole numbers `[M]`.
    """
    times = weights.astype(np.intp)
    bins = reliability(np.repeat(confidence, times), np.repeat(right, times))
    return float((bins.share * np.abs(bins.confidence - bins.accuracy)).sum())
