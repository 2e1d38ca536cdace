"""Which threshold tells copies from other pictures: cosines of pairs with known truth -> precision
and recall of every threshold, and a choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Cosines = NDArray[np.float64]

Counts = NDArray[np.int64]

STEPS = 100  # thresholds of a whole cosine
THRESHOLDS = np.arange(-STEPS, STEPS + 1) / STEPS


@dataclass(frozen=True, slots=True)
class Point:
    """One threshold.

    Attributes:
        threshold: pairs whose cosine is at least this are taken for copies.
        precision: share of those that are; 1 where there is none.
        recall: share of all copies that are among them.
        false: how many are none.
    """

    threshold: float
    precision: float
    recall: float
    false: int


def reached(cosines: Cosines) -> Counts:
    """How many cosines are at least each of `THRESHOLDS`, `[201]`: counts of parts add up."""
    behind: Counts = len(cosines) - np.searchsorted(np.sort(cosines), THRESHOLDS)
    return behind


def curve(copies: Cosines, others: Counts) -> list[Point]:
    """Precision and recall at every hundredth from -1 to 1.

    Args:
        copies: of pairs that are copies, one at least.
        others: of pairs that are not, from `reached`.
    """
    points = []
    for threshold, right, wrong in zip(THRESHOLDS, reached(copies), others, strict=True):
        precision = right / (right + wrong) if right + wrong else 1.0
        recall = float(right / len(copies))
        points.append(Point(float(threshold), float(precision), recall, int(wrong)))
    return points


def chosen(points: Sequence[Point], precision: float) -> Point | None:
    """The lowest threshold with that precision that finds something; None: there is none.

    Args:
        points: from `curve`.
        precision: wanted.
    """
    good = [one for one in points if one.precision >= precision and one.recall > 0]
    return min(good, key=lambda one: one.threshold, default=None)


def most_precise(points: Sequence[Point]) -> Point:
    """Of those that find something the most precise one, and of equals the lowest threshold."""
    finding = [one for one in points if one.recall > 0]
    return max(finding, key=lambda one: (one.precision, -one.threshold))
