"""Hierarchical k-means with resampling (arXiv 2405.15613): clusters of clusters, spread evenly.

Plain k-means puts most centres where most vectors are. Clustering the centres again, each round
only those nearest to the new ones, spreads them over what there is, however often it is there.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from operators.groups.grid import Labels, Numbers, Units, pair_cosines, unit_rows
from operators.groups.kmeans import (
    RESTARTS,
    Clusters,
    assign,
    none_empty,
    spherical_kmeans,
)

RESAMPLINGS = 10


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Levels of clusters, the finest first.

    Attributes:
        levels: of the first the labels are of rows, of each other one of the level's before it.
    """

    levels: tuple[Clusters, ...]

    def labels(self, level: int) -> Labels:
        """The cluster of every row `[N]` at a level, counted from 0."""
        labels = self.levels[0].labels
        for above in self.levels[1 : level + 1]:
            labels = above.labels[labels]
        return labels


def hierarchical_kmeans(
    units: Units,
    counts: Sequence[int],
    *,
    seed: int = 0,
    restarts: int = RESTARTS,
    resamplings: int = RESAMPLINGS,
) -> Hierarchy:
    """Cluster rows, then the centres of their clusters, and so on.

    Args:
        units: `[N, D]`.
        counts: how many clusters each level has, the finest first, each fewer than the one before.
        seed: of the draws.
        restarts: of every k-means.
        resamplings: rounds of every level but the first.

    Raises:
        ValueError: no level, or counts that do not fall.
    """
    if not counts or any(low >= high for high, low in itertools.pairwise(counts)):
        raise ValueError(f"want numbers of clusters that fall from level to level, got {counts}")
    levels = [spherical_kmeans(units, counts[0], seed=seed, restarts=restarts)]
    for count in counts[1:]:
        below = unit_rows(levels[-1].centres)
        levels.append(
            _resampled(below, count, seed=seed, restarts=restarts, resamplings=resamplings)
        )
    return Hierarchy(tuple(levels))


def _resampled(units: Units, k: int, *, seed: int, restarts: int, resamplings: int) -> Clusters:
    found = spherical_kmeans(units, k, seed=seed, restarts=restarts)
    nearest = max(1, round(len(units) / k / 2))
    for turn in range(resamplings):
        sample = _nearest_of_each(found, nearest)
        renewed = spherical_kmeans(units[sample], k, seed=seed + turn + 1, restarts=restarts)
        found = _assigned(units, renewed.centres)
    return found


def _nearest_of_each(found: Clusters, most: int) -> Labels:
    """The rows nearest to each centre, so many at most of each, in their order."""
    order = np.lexsort((np.arange(len(found.labels)), -found.closeness, found.labels))
    sizes = found.sizes
    rank = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    sample: Labels = np.sort(order[rank < most]).astype(np.int64)
    return sample


def _assigned(units: Units, to: Numbers) -> Clusters:
    labels = none_empty(*assign(units, to), len(to))
    return Clusters(labels, to, pair_cosines(units, to, labels))
