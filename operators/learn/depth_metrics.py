"""What a depth estimate is worth: AbsRel, RMSE and delta1, each picture for itself, then averaged.

That is the order in which the field reports them (Eigen et al. 2014 and after). Metres in ->
estimates out; by scikit-learn. Knows nothing of features or of files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    mean_absolute_percentage_error,
    root_mean_squared_error,
)

from operators.learn.estimate import Estimate, Measure, estimate

_RATIO = 1.25  # delta1: nearer to the truth than by this factor

Metres = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class DepthErrors:
    """Of one picture: mean |error| / truth, root mean square error in metres, share within 1.25."""

    abs_rel: float
    rmse_m: float
    delta1: float


def depth_errors(
    truth_m: Metres, answer_m: Metres, range_m: tuple[float, float]
) -> DepthErrors | None:
    """Errors of one picture; None where no pixel's depth is known.

    Args:
        truth_m: `[H, W]`, 0 or not finite where unknown.
        answer_m: of the same size, above 0.
        range_m: truth outside does not count, as in the benchmarks.
    """
    known = known_depth(truth_m, range_m)
    if not known.any():
        return None
    truth, answer = truth_m[known].astype(np.float64), answer_m[known].astype(np.float64)
    near = np.maximum(truth / answer, answer / truth) < _RATIO
    return DepthErrors(
        float(mean_absolute_percentage_error(truth, answer)),
        float(root_mean_squared_error(truth, answer)),
        float(accuracy_score(np.ones_like(near), near)),
    )


def known_depth(truth_m: Metres, range_m: tuple[float, float]) -> NDArray[np.bool_]:
    """Where the truth is known and within the range, ends included."""
    known: NDArray[np.bool_] = (truth_m >= range_m[0]) & (truth_m <= range_m[1])
    return known & (truth_m > 0)


@dataclass(frozen=True, slots=True)
class DepthScores:
    """abs_rel, rmse_m and delta1, means over pictures.

    Attributes:
        estimates: name -> number with its interval.
        measures: what the estimates are of, for changes of them.
        groups: files or scenes behind it.
    """

    estimates: dict[str, Estimate]
    measures: Mapping[str, Measure]
    groups: int


def depth_scores(
    errors: Sequence[DepthErrors], groups: Sequence[str], *, seed: int = 0
) -> DepthScores:
    """What some pictures' errors come to.

    Args:
        errors: one per picture.
        groups: file or scene of each picture.
        seed: of the bootstrap.
    """
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    pictures = np.bincount(member)

    def mean(name: str) -> Measure:
        sums = np.bincount(member, weights=[getattr(one, name) for one in errors])
        return lambda weights: weights @ sums / (weights @ pictures)

    measures = {name: mean(name) for name in ("abs_rel", "rmse_m", "delta1")}
    estimates = {name: estimate(one, len(names), seed=seed) for name, one in measures.items()}
    return DepthScores(estimates, measures, len(names))
