"""Spherical k-means: vectors of length one -> groups of like direction, the same on every run.

Lloyd's rounds from k-means++ starts (Arthur and Vassilvitskii 2007), with cosines in place of
distances (Dhillon and Modha 2001). All products are exact, see `grid`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operators.groups.grid import (
    Labels,
    Numbers,
    Tell,
    Units,
    blocks,
    centres,
    cosines,
    pair_cosines,
    sums,
    untold,
)

ROUNDS = 50
RESTARTS = 4


@dataclass(frozen=True, slots=True)
class Clusters:
    """What k-means found.

    Attributes:
        labels: int64 `[N]`, the cluster of each row, 0 to K - 1; none is empty.
        centres: float64 `[K, D]`, their directions.
        closeness: float64 `[N]`, cosine of each row with its own centre.
    """

    labels: Labels
    centres: Numbers
    closeness: Numbers

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Rows of each cluster `[K]`."""
        return np.bincount(self.labels, minlength=len(self.centres)).astype(np.int64)

    @property
    def objective(self) -> float:
        """Mean cosine of a row with its centre."""
        return float(self.closeness.mean())


def spherical_kmeans(
    units: Units,
    k: int,
    *,
    seed: int = 0,
    restarts: int = RESTARTS,
    rounds: int = ROUNDS,
    tell: Tell = untold,
) -> Clusters:
    """The best of some starts; of equally good ones the first.

    Args:
        units: from `grid.unit_rows`.
        k: how many clusters, 1 to N.
        seed: of the draws.
        restarts: starts.
        rounds: at most, of each.
        tell: hears how far it is.

    Returns:
        Clusters in the order of their sizes, the largest first; equal ones by their first row.

    Raises:
        ValueError: fewer rows than clusters, or a k, restarts or rounds below 1.
    """
    if not 1 <= k <= len(units) or min(restarts, rounds) < 1:
        raise ValueError(
            f"want 1 <= k <= {len(units)} rows, restarts and rounds from 1, got k {k}, {restarts} "
            f"restarts, {rounds} rounds"
        )
    draw = np.random.Generator(np.random.PCG64(seed))
    best: Clusters | None = None
    for number in range(restarts):
        found = _converged(units, _start(units, k, draw), rounds)
        if best is None or found.objective > best.objective:
            best = found
        tell((number + 1) / restarts)
    assert best
    return _in_order(best)


def assign(units: Units, to: Numbers) -> tuple[Labels, Numbers]:
    """The nearest centre of each row, of equally near ones the first, and the cosine with it.

    Args:
        units: `[N, D]`.
        to: centres `[K, D]`.
    """
    labels, closeness = np.empty(len(units), np.int64), np.empty(len(units))
    for rows in blocks(len(units)):
        near = cosines(units[rows], to)
        labels[rows] = near.argmax(axis=1)
        closeness[rows] = near.max(axis=1)
    return labels, closeness


def _start(units: Units, k: int, draw: np.random.Generator) -> Numbers:
    """k-means++: each further centre is a row, drawn by its distance to those that are there."""
    chosen = [int(draw.integers(len(units)))]
    nearest = np.full(len(units), -np.inf)
    while len(chosen) < k:
        newest = units[chosen[-1:]]
        for rows in blocks(len(units)):
            np.maximum(nearest[rows], cosines(units[rows], newest)[:, 0], out=nearest[rows])
        reached = np.cumsum(np.maximum(1.0 - nearest, 0.0))
        drawn = np.searchsorted(reached, draw.random() * reached[-1], side="right")
        chosen.append(min(int(drawn), len(units) - 1))  # of rows that are all alike: the last
    return units[chosen].astype(np.float64)


def _converged(units: Units, start: Numbers, rounds: int) -> Clusters:
    k = len(start)
    labels = none_empty(*assign(units, start), k)
    for _ in range(rounds):
        found = centres(sums(units, labels, k))
        renewed = none_empty(*assign(units, found), k)
        if np.array_equal(renewed, labels):
            break
        labels = renewed
    found = centres(sums(units, labels, k))
    return Clusters(labels, found, pair_cosines(units, found, labels))


def none_empty(labels: Labels, closeness: Numbers, k: int) -> Labels:
    """Labels in which each empty cluster has taken the row that is farthest from its centre, of
    those with company.

    Args:
        labels: `[N]`, 0 to k - 1; changed in place.
        closeness: cosine of each row with its centre `[N]`.
        k: of clusters, N at most.
    """
    sizes = np.bincount(labels, minlength=k)
    if sizes.all():
        return labels
    farthest = iter(np.argsort(closeness, kind="stable").tolist())
    for empty in np.flatnonzero(sizes == 0).tolist():
        row = next(row for row in farthest if sizes[labels[row]] > 1)
        sizes[labels[row]] -= 1
        labels[row], sizes[empty] = empty, 1
    return labels


def _in_order(found: Clusters) -> Clusters:
    firsts = np.full(len(found.centres), len(found.labels))
    np.minimum.at(firsts, found.labels, np.arange(len(found.labels)))
    order = np.lexsort((firsts, -found.sizes))
    place = np.argsort(order)
    return Clusters(place[found.labels], found.centres[order], found.closeness)
