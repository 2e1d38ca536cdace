"""So many rows out of clusters, as evenly as their sizes allow (arXiv 2405.15613, section 3.3).

More rows wanted never takes one away that fewer had: draws belong to a cluster, not to a target.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from operators.groups.grid import Labels
from operators.groups.hierarchy import Hierarchy

Sizes = NDArray[np.int64]


def shares(sizes: Sizes, target: int, order: NDArray[np.integer]) -> Sizes:
    """How many each cluster gives: min(x, size) with the x that reaches the target.

    Args:
        sizes: of the clusters `[K]`.
        target: how many together; all there are where there are not so many.
        order: a permutation of the clusters; what x leaves over goes to the first larger ones.

    Raises:
        ValueError: a target below 0.
    """
    if target < 0:
        raise ValueError(f"want a target from 0, got {target}")
    low, high = 0, int(sizes.max(initial=0))
    while low < high:  # the largest x that does not pass the target
        middle = (low + high + 1) // 2
        if int(np.minimum(sizes, middle).sum()) <= target:
            low = middle
        else:
            high = middle - 1
    given = np.minimum(sizes, low)
    larger = order[sizes[order] > low]
    given[larger[: target - int(given.sum())]] += 1
    return given


def balanced_sample(
    hierarchy: Hierarchy, target: int, *, seed: int = 0, central: bool = False
) -> Labels:
    """Rows that are spread evenly over the clusters of every level.

    Args:
        hierarchy: of the rows.
        target: how many; all there are where there are not so many.
        seed: of the draws.
        central: of a finest cluster take those nearest to its centre instead of any.

    Returns:
        int64 `[min(target, N)]`, ascending.
    """
    top = len(hierarchy.levels) - 1
    wanted = np.array([target], np.int64)
    parents = np.zeros(len(hierarchy.levels[top].centres), np.int64)
    for level in range(top, -1, -1):
        sizes = np.bincount(hierarchy.labels(level), minlength=len(parents)).astype(np.int64)
        given = np.zeros(len(parents), np.int64)
        for parent, share in enumerate(wanted.tolist()):
            members = np.flatnonzero(parents == parent)
            order = _draw(seed, level + 1, parent).permutation(len(members))
            given[members] = shares(sizes[members], share, order)
        wanted = given
        parents = hierarchy.levels[level].labels
    return _of_finest(hierarchy, wanted, seed=seed, central=central)


def _of_finest(hierarchy: Hierarchy, wanted: Sizes, *, seed: int, central: bool) -> Labels:
    finest = hierarchy.levels[0]
    order = np.argsort(finest.labels, kind="stable")
    chosen = []
    for cluster, members in enumerate(np.split(order, np.cumsum(finest.sizes)[:-1])):
        if central:
            ranked = members[np.argsort(-finest.closeness[members], kind="stable")]
        else:
            ranked = _draw(seed, 0, cluster).permutation(members)
        chosen.append(ranked[: wanted[cluster]])
    return np.sort(np.concatenate(chosen)).astype(np.int64)


def _draw(seed: int, level: int, cluster: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64([seed, level, cluster]))
