"""Points of known distance -> the scale and offset of a camera, by least squares.

Knows no pictures and no streams.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LinearRegression

from operators.depth.calibration import RELATIVE, Calibration
from operators.errors import UsageError

_APART = 0.01  # of the larger: values nearer to each other than that say nothing of a scale


@dataclass(frozen=True, slots=True)
class Calibrated:
    """The calibration, and how far it is off at each of its points, metres."""

    calibration: Calibration
    errors_m: tuple[float, ...]


def fit_calibration(kind: str, values: Sequence[float], metres: Sequence[float]) -> Calibrated:
    """Fit the line.

    Args:
        kind: `metric` or `relativedisparity`.
        values: what the records say at the points.
        metres: how far these really are.

    Raises:
        UsageError: fewer than two points, all at one depth, or a line that falls.
    """
    said, true = np.asarray(values, np.float64), np.asarray(metres, np.float64)
    if len(said) < 2 or len(said) != len(true) or not (true > 0).all():
        raise UsageError(f"want two points or more, each above 0 m; got {list(metres)}")
    if np.ptp(said) < _APART * abs(said).max():
        raise UsageError(
            f"the records say nearly the same at all points ({', '.join(f'{v:.3g}' for v in said)})"
            "; choose points at different distances"
        )
    wanted = 1 / true if kind == RELATIVE else true
    line = LinearRegression().fit(said[:, None], wanted)
    scale, offset = float(line.coef_[0]), float(line.intercept_)
    if scale <= 0:
        raise UsageError(
            f"farther points would come out nearer (scale {scale:.3g}); are the points in order "
            "x,y,metres, in pixels of the source, at the right --time?"
        )
    calibration = Calibration(kind, scale, offset)
    errors = calibration.metres(said) - true
    return Calibrated(calibration, tuple(float(error) for error in errors))
