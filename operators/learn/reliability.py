"""Whether a head is as sure as it is right: confidence in bins against the share that is right.

Knows nothing of classes or pictures.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operators.learn.estimate import Measure

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
    sure, bins = _binned(confidence)
    counts = np.bincount(bins, minlength=BINS)
    held = counts > 0
    mean, accuracy = (
        np.bincount(bins, weights=of, minlength=BINS)[held] / counts[held] for of in (sure, right)
    )
    return Reliability(mean, accuracy, counts[held] / len(sure))


def calibration_error(
    confidence: Floats, right: NDArray[np.bool_], member: NDArray[np.intp], groups: int
) -> Measure:
    """Expected calibration error: |confidence - accuracy| over bins, weighted by their share.

    Args:
        confidence, right: see `reliability`.
        member: group of each answer, `[M]`.
        groups: G.
    """
    sure, bins = _binned(confidence)
    excess = np.bincount(member * BINS + bins, weights=sure - right, minlength=groups * BINS)
    counts = np.bincount(member, minlength=groups)

    def measured(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        misses: NDArray[np.float64] = np.abs(weights @ excess.reshape(groups, BINS)).sum(axis=1)
        return misses / (weights @ counts)

    return measured


def _binned(confidence: Floats) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Confidences within 0 to 1 and the bin of each."""
    sure = np.clip(confidence.astype(np.float64), 0.0, 1.0)
    return sure, np.searchsorted(np.linspace(0.0, 1.0, BINS + 1)[1:-1], sure)
