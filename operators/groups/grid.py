"""Unit vectors on a grid, so that their products are exact: the same bits on any number of threads.

Numbers of a unit vector are rounded to multiples of 2^-24, those of a centre to multiples of 2^-28.
Their products are multiples of 2^-52 and no partial sum of them reaches 2, so float64 holds each
without rounding, in whatever order a matrix product adds them up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

Units = NDArray[np.float32]
"""`[N, D]`, rows of length one, or of length zero, on the grid; from `unit_rows`."""
Numbers = NDArray[np.float64]
Labels = NDArray[np.int64]
Tell = Callable[[float], None]
"""Hears which share of long work is done, 0 to 1."""

BLOCK = 4096  # rows that are float64 at once
_FINE = 2.0**24
_FINER = 2.0**28


def unit_rows(vectors: ArrayLike) -> Units:
    """Rows divided by their lengths and put on the grid.

    Args:
        vectors: `[N, D]`, any floats.

    Returns:
        float32 `[N, D]`. A row of zeros stays one, and has a cosine of 0 with everything.

    Raises:
        ValueError: not two axes, or numbers that are not finite.
    """
    given = np.asarray(vectors)
    if given.ndim != 2:
        raise ValueError(f"want vectors [N, D], got an array of shape {list(given.shape)}")
    units = np.empty(given.shape, np.float32)
    for rows in blocks(len(given)):
        exact = given[rows].astype(np.float64)
        if not np.isfinite(exact).all():
            raise ValueError("vectors hold numbers that are not finite; leave those rows out")
        units[rows] = np.rint(_of_length_one(exact) * _FINE) / _FINE
    return units


def centres(sums: Numbers) -> Numbers:
    """Directions of sums of rows `[K, D]`, on the finer grid."""
    exact: Numbers = np.rint(_of_length_one(sums) * _FINER) / _FINER
    return exact


def cosines(units: Units, others: Numbers | Units) -> Numbers:
    """Cosines `[N, K]` of rows with rows, exact; `others` are units, centres or means of units."""
    product: Numbers = units.astype(np.float64) @ others.astype(np.float64).T
    return product


def pair_cosines(units: Units, others: Numbers | Units, which: Labels) -> Numbers:
    """Cosine of each row with one of some others, `[N]`.

    Args:
        units: `[N, D]`.
        others: as of `cosines`, `[K, D]`.
        which: `[N]`, the row of `others` that each is paired with.
    """
    found = np.empty(len(units))
    for rows in blocks(len(units)):
        pairs = units[rows].astype(np.float64) * others[which[rows]]
        found[rows] = pairs.sum(axis=1)
    return found


def untold(share: float) -> None:
    """For whoever does not want to hear of it."""


def blocks(count: int, size: int = BLOCK) -> Iterator[slice]:
    """Rows 0 to `count`, so many at a time."""
    return (slice(first, min(first + size, count)) for first in range(0, count, size))


def sums(units: Units, labels: Labels, count: int) -> Numbers:
    """Sums of the rows of each label `[count, D]`. Exact for up to 2^29 rows, so in any order."""
    total = np.zeros((count, units.shape[1]))
    for rows in blocks(len(units)):
        order = np.argsort(labels[rows], kind="stable")
        ordered = labels[rows][order]
        first = np.flatnonzero(np.diff(ordered, prepend=-1))
        total[ordered[first]] += np.add.reduceat(units[rows][order].astype(np.float64), first)
    return total


def means(sums_: Numbers, sizes: NDArray[np.integer]) -> Numbers:
    """Means of rows `[K, D]` on the finer grid: a cosine with one is a mean of cosines."""
    shared = sums_ / np.maximum(sizes, 1)[:, None]
    on_grid: Numbers = np.rint(shared * _FINER) / _FINER
    return on_grid


def _of_length_one(rows: Numbers) -> Numbers:
    lengths = np.sqrt((rows * rows).sum(axis=1, keepdims=True))
    unit: Numbers = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return unit
