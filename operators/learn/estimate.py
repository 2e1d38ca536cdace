"""A number and how sure it is: bootstrap over whole files, never over pixels or windows.

A measure of weighted groups in -> its value and a 95 % interval out. Knows nothing of what is
measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 500
CONFIDENCE = 0.95

Weights = NDArray[np.float64]
Measure = Callable[[Weights], float]
"""Weights of the groups `[G]` (how often each counts) in -> the number out; NaN: undefined."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its confidence interval.

    Attributes:
        value: of all the data.
        low, high: 95 % interval; None where one group alone cannot tell.
    """

    value: float
    low: float | None
    high: float | None

    def plain(self) -> dict[str, float | None]:
        """`{"value", "low", "high"}` as JSON values, six decimals."""
        said = {"value": self.value, "low": self.low, "high": self.high}
        return {name: _rounded(number) for name, number in said.items()}


def estimate(
    measure: Measure, groups: int, *, seed: int = 0, resamples: int = RESAMPLES
) -> Estimate:
    """Measure, and measure again on groups drawn with replacement (percentile bootstrap, Efron).

    Args:
        measure: called with how often each group counts.
        groups: G, files or scenes: what is independent of each other.
        seed: of the draws.
        resamples: how many draws.
    """
    value = measure(np.ones(groups))
    if groups < 2:
        return Estimate(value, None, None)
    draw = np.random.Generator(np.random.PCG64(seed))
    counts = draw.multinomial(groups, np.full(groups, 1 / groups), size=resamples)
    drawn = np.array([measure(row.astype(np.float64)) for row in counts])
    known = drawn[np.isfinite(drawn)]
    if not known.size:
        return Estimate(value, None, None)
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(known, (tail, 100 - tail))
    return Estimate(value, float(low), float(high))


def _rounded(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else round(number, 6)
