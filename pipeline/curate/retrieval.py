"""Which vectors are near to those of seeds: each seed's nearest, or clusters that hold enough.

Both ways of LVD-142M (DINOv2, arXiv 2304.07193, section 3): by samples, 4 or 32 of each seed, and
by clusters, those with more than 3 seeds. Vectors are compared without their common mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operators.errors import UsageError
from operators.groups.grid import Units, blocks, cosines
from operators.groups.kmeans import assign, spherical_kmeans
from operators.groups.whitening import centring
from pipeline.curate.wish import Shown, Wish


@dataclass(frozen=True, slots=True)
class Near:
    """Of one vector.

    Attributes:
        near: it is.
        why: or why not, for people.
    """

    near: bool
    why: str


def near_seeds(units: Units, seeds: Shown, wish: Wish) -> list[Near]:
    """Of every vector.

    Args:
        units: `[N, D]`, N from 1.
        seeds: what they should be near to.
        wish: in which way.

    Raises:
        UsageError: more clusters than vectors.
    """
    centred = centring(units)
    own, shown = centred(units), centred(seeds.units)
    if wish.clusters is None:
        return _by_samples(own, shown, seeds.names, wish.per_seed)
    if wish.clusters > len(units):
        raise UsageError(
            f"--clusters {wish.clusters}: {len(units)} pictures are left at that step; want fewer "
            "clusters, or --per-seed"
        )
    return _by_clusters(own, shown, wish)


def _by_samples(own: Units, shown: Units, names: tuple[str, ...], most: int) -> list[Near]:
    """The nearest of each seed; of equally near ones the first."""
    best: dict[int, tuple[float, str]] = {}
    for rows in blocks(len(shown)):
        near = cosines(shown[rows], own)
        for seed, order in enumerate(np.argsort(-near, axis=1, kind="stable")[:, :most]):
            name = names[rows.start + seed]
            for row in order.tolist():
                cosine = float(near[seed, row])
                if row not in best or cosine > best[row][0]:
                    best[row] = cosine, name
    no = Near(False, f"not among the {most} nearest of any seed")
    return [_taken(*best[row]) if row in best else no for row in range(len(own))]


def _taken(cosine: float, name: str) -> Near:
    return Near(True, f"near to {name}, cosine {cosine:.4f}")


def _by_clusters(own: Units, shown: Units, wish: Wish) -> list[Near]:
    assert wish.clusters is not None
    found = spherical_kmeans(own, wish.clusters, seed=wish.seed)
    of_seeds, _ = assign(shown, found.centres)
    held: NDArray[np.int64] = np.bincount(of_seeds, minlength=wish.clusters)
    return [
        Near(count > wish.more_than, f"its cluster holds {count} seeds")
        for count in held[found.labels].tolist()
    ]
