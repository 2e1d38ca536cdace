"""How well groups stand apart, and how many there are: Rousseeuw's silhouette with cosines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from operators.groups.grid import Labels, Numbers, Tell, Units, blocks, cosines, means, sums, untold
from operators.groups.kmeans import RESTARTS, spherical_kmeans

COUNTS = (2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32)
MOST_ROWS = 20_000  # that a number of clusters is chosen by
_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Choice:
    """How many clusters, and what that rests on.

    Attributes:
        k: the number.
        silhouettes: of every number that was tried.
        rows: that were looked at.
    """

    k: int
    silhouettes: dict[int, float]
    rows: int


def silhouettes(units: Units, labels: Labels, k: int) -> Numbers:
    """Of every row `[N]`, -1 to 1: (b - a) / max(a, b).

    a is the mean distance 1 - cosine to the others of its cluster, b that to the cluster which is
    nearest by it. A mean of cosines is a cosine with a mean, so no pair is looked at. A row that is
    alone in its cluster has 0.

    Args:
        units: `[N, D]`.
        labels: `[N]`, 0 to k - 1, none empty.
        k: 2 or more.
    """
    sizes = np.bincount(labels, minlength=k)
    middles = means(sums(units, labels, k), sizes)
    found = np.zeros(len(units))
    for rows in blocks(len(units)):
        own = labels[rows][:, None]
        near, count = cosines(units[rows], middles), sizes[own[:, 0]]
        with_itself = np.take_along_axis(near, own, 1)[:, 0] * count
        itself = np.square(units[rows].astype(np.float64)).sum(axis=1)
        within = 1.0 - (with_itself - itself) / np.maximum(count - 1, 1)
        np.put_along_axis(near, own, -np.inf, 1)
        beyond = 1.0 - near.max(axis=1)
        larger = np.maximum(within, beyond)
        worth = (count > 1) & (larger > 0)
        found[rows] = np.where(worth, (beyond - within) / np.where(worth, larger, 1.0), 0.0)
    return found


def choose_k(
    units: Units,
    *,
    seed: int = 0,
    restarts: int = RESTARTS,
    counts: Sequence[int] = COUNTS,
    tell: Tell = untold,
) -> Choice:
    """The number of clusters whose mean silhouette is largest; of equal ones the least; 1 where
    none is above 0, because then nothing stands apart.

    Args:
        units: `[N, D]`; where there are more than `MOST_ROWS`, every n-th is looked at.
        seed, restarts: of k-means.
        counts: numbers to try, those below the number of rows.
        tell: hears how far it is.

    Raises:
        ValueError: fewer than three rows.
    """
    every = -(-len(units) // MOST_ROWS)
    sample = units[::every]
    tried = [count for count in counts if 2 <= count < len(sample)]
    if not tried:
        raise ValueError(f"{len(units)} vectors cannot say how many clusters there are; want 3")
    worth = {}
    for count in tried:
        found = spherical_kmeans(sample, count, seed=seed, restarts=restarts)
        mean = float(silhouettes(sample, found.labels, count).mean())
        worth[count] = round(mean, _DECIMALS)
        tell(sum(tried[: len(worth)]) / sum(tried))
    best = max(tried, key=lambda count: (worth[count], -count))
    return Choice(best if worth[best] > 0 else 1, worth, len(sample))
