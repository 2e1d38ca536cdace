"""Round numbers for a scale, and how many digits they need."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def round_scale(low: float, high: float, *, steps: int = 6) -> list[float]:
    """Round numbers at equal steps that enclose a range.

    Args:
        low, high: the range; widened where it is empty.
        steps: about how many.
    """
    span = max(high - low, 1e-3 * max(abs(low), abs(high)), 1e-6)
    rough = span / steps
    power = 10.0 ** np.floor(np.log10(rough))
    step = power * min(factor for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = np.floor(low / step + 1e-9), np.ceil(high / step - 1e-9)
    return [float(number * step) for number in np.arange(first, max(last, first + 1) + 1)]


def decimals(marks: Sequence[float]) -> int:
    """How many digits after the point a scale's numbers need."""
    return max(0, int(np.ceil(-np.log10(marks[1] - marks[0]) - 1e-9)))
