"""Vectors made comparable: their common mean taken off, their directions made equally long.

Features of most backbones lie in a narrow cone, so that any two have a high cosine; without the
mean the middle one is 0. Whitening is Jegou and Chum's (2012) for copies, with shrinkage.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from operators.groups.grid import Numbers, Units, blocks, unit_rows

SHRINKAGE = 0.1  # of the mean variance, added to each: with few vectors most directions have none
_FINE = 2.0**24
_FINER = 2.0**27


@dataclass(frozen=True, slots=True)
class Whitening:
    """What is done to units before they are compared. From `centring` or `whitening`, or of the
    arrays of one.

    Attributes:
        mean: `[D]`, a multiple of 2^-24.
        matrix: `[D, D]`, columns of length 1 at most, multiples of 2^-27; None: only the mean is
            taken off. So every product is exact, as in `grid`.
    """

    mean: Numbers
    matrix: Numbers | None = None

    def __call__(self, units: Units) -> Units:
        """Units again, `[N, D]` -> `[N, D]`."""
        turned = np.empty_like(units)
        for rows in blocks(len(units)):
            off = units[rows].astype(np.float64) - self.mean
            turned[rows] = unit_rows(off if self.matrix is None else off @ self.matrix)
        return turned


def centring(units: Units) -> Whitening:
    """The one that takes off the mean of some units `[N, D]`, N from 1."""
    mean: Numbers = units.astype(np.float64).sum(axis=0) / len(units)
    return Whitening(np.rint(mean * _FINE) / _FINE)


def centred(units: Units) -> Units:
    """Units without their mean, `[N, D]` -> `[N, D]`."""
    return centring(units)(units)


def whitening(units: Units, *, shrinkage: float = SHRINKAGE) -> Whitening:
    """The one after which some units vary alike in all directions, nearly.

    Args:
        units: `[N, D]`, N from 1.
        shrinkage: part of the mean variance that is added to that of every direction; above 0.
    """
    mean = centring(units).mean
    off = units.astype(np.float64) - mean
    covariance = off.T @ off / len(units)
    level = max(float(np.trace(covariance)) / len(mean), 2.0**-40)
    variances, directions = np.linalg.eigh(covariance)
    scale = 1.0 / np.sqrt(np.maximum(variances, 0.0) + shrinkage * level)
    matrix = (directions * scale) @ directions.T
    longest = float(np.sqrt((matrix * matrix).sum(axis=0)).max())
    return Whitening(mean, np.rint(matrix / longest * _FINER) / _FINER)
