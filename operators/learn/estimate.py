"""A number and how sure it is: bootstrap over whole files, never over pixels or windows.

A measure of weighted groups in -> its value and a 95 % interval out. Knows nothing of what is
measured. A measure takes many draws at once: what an interval needs is sums over groups, and one
product of matrices gives those of all draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 500
CONFIDENCE = 0.95
_TOGETHER = 50  # draws at a time, so that memory is bounded

Floats = NDArray[np.float64]
Measure = Callable[[Floats], Floats]
"""How often each group counts, draw by draw `[R, G]`, in -> a number per draw `[R]` out; NaN:
undefined."""


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
        measure: of draws; of all the data every group counts once.
        groups: G, files or scenes: what is independent of each other.
        seed: of the draws.
        resamples: how many draws.
    """
    value = float(measure(np.ones((1, groups)))[0])
    if groups < 2:
        return Estimate(value, None, None)
    draw = np.random.Generator(np.random.PCG64(seed))
    drawn = np.concatenate(
        [
            measure(_counts(draw, groups, min(_TOGETHER, resamples - first)))
            for first in range(0, resamples, _TOGETHER)
        ]
    )
    known = drawn[np.isfinite(drawn)]
    if not known.size:
        return Estimate(value, None, None)
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(known, (tail, 100 - tail))
    return Estimate(value, float(low), float(high))


def change(
    before: Measure, after: Measure, groups: int, *, seed: int = 0, resamples: int = RESAMPLES
) -> Estimate:
    """How much a number rises from one measure to another, of the same groups.

    Groups are drawn anew for both alike, so what is hard for both widens nothing.

    Args:
        before, after: of draws.
        groups: G, files or scenes.
        seed: of the draws.
        resamples: how many draws.
    """
    return estimate(
        lambda weights: after(weights) - before(weights), groups, seed=seed, resamples=resamples
    )


def _counts(draw: np.random.Generator, groups: int, draws: int) -> Floats:
    return draw.multinomial(groups, np.full(groups, 1 / groups), size=draws).astype(np.float64)


def _rounded(number: float | None) -> float | None:
    return None if number is None or not math.isfinite(number) else round(number, 6)
