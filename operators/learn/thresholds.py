"""From which score on a label is said: so that a head may say nothing.

Scores and truth of the validation part in -> one threshold per class out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve

_DECIMALS = 6
NEVER = 1.1  # above any score: a class that validation never found


def thresholds(scores: NDArray[np.floating], targets: NDArray[np.integer]) -> list[float]:
    """Per class the threshold with the best F1, in the middle of the scores that share it.

    The middle, because between the highest score of another class and the lowest of this one any
    threshold is as good on validation, and neither edge is as good elsewhere.

    Args:
        scores: probabilities `[M, K]`.
        targets: class ids `[M]`.
    """
    return [
        round(_best(scores[:, label].astype(np.float64), targets == label), _DECIMALS)
        for label in range(scores.shape[1])
    ]


def _best(scores: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    if not right.any():
        return NEVER
    precision, recall, cuts = precision_recall_curve(right, scores)
    total = precision[:-1] + recall[:-1]
    f1 = 2 * precision[:-1] * recall[:-1] / np.where(total > 0, total, 1)
    if not f1.max() > 0:
        return NEVER
    best = int(np.flatnonzero(f1 == f1.max())[-1])
    below = scores[scores < cuts[best]]
    return float((cuts[best] + (below.max() if below.size else 0.0)) / 2)
