"""Vectors of frames -> clusters: how many, which frames, when they were seen.

Their mean is taken off first, so that a cosine says how two frames differ and not what all share.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from operators.errors import UsageError
from operators.groups.grid import Labels, Tell, untold
from operators.groups.kmeans import RESTARTS, spherical_kmeans
from operators.groups.medoid import medoids
from operators.groups.silhouette import Choice, choose_k
from operators.groups.whitening import centred
from pipeline.vectors.pool import Pool

HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour in which a cluster was seen.

    Attributes:
        begin_us: microseconds since the epoch, a whole hour.
        frames: of the cluster.
        share: of all frames of that hour.
    """

    begin_us: int
    frames: int
    share: float


@dataclass(frozen=True, slots=True)
class Cluster:
    """One of them.

    Attributes:
        size: frames.
        share: of all frames.
        medoid: number of the frame that is most like all of them.
        first, last: numbers of its first and its last frame in time.
        closeness: mean cosine of a frame with the centre.
        streams: frames by stream.
        hours: in which it was seen.
    """

    size: int
    share: float
    medoid: int
    first: int
    last: int
    closeness: float
    streams: dict[str, int]
    hours: tuple[Hour, ...]


@dataclass(frozen=True, slots=True)
class Clustering:
    """
    Attributes:
        clusters: the largest first.
        labels: the cluster of every frame `[N]`.
        closeness: cosine of every frame with its centre `[N]`.
        choice: what the number of clusters was chosen by; None where it was given.
    """

    clusters: tuple[Cluster, ...]
    labels: Labels
    closeness: NDArray[np.float64]
    choice: Choice | None


def clustered(
    pool: Pool,
    k: int | None,
    *,
    seed: int = 0,
    restarts: int = RESTARTS,
    tell: Tell = untold,
) -> Clustering:
    """Find clusters.

    Args:
        pool: the frames.
        k: how many; None: as many as have the best silhouette.
        seed, restarts: of k-means.
        tell: hears how far it is; the choice of a number first.

    Raises:
        UsageError: fewer frames than clusters, or too few to choose.
    """
    if len(pool) < (k or 3):
        raise UsageError(
            f"{len(pool)} frames are too few for {k or 'a choice of'} clusters; want {k or 3}"
        )
    units = centred(pool.units)
    choice = None if k else choose_k(units, seed=seed, restarts=restarts, tell=tell)
    count = choice.k if choice else k
    assert count
    found = spherical_kmeans(units, count, seed=seed, restarts=restarts, tell=tell)
    typical = medoids(units, found.labels, count)
    every_hour = Counter((pool.times_us // HOUR_US).tolist())
    clusters = tuple(
        _cluster(pool, found.labels == number, int(typical[number]), found.closeness, every_hour)
        for number in range(count)
    )
    return Clustering(clusters, found.labels, found.closeness, choice)


def _cluster(
    pool: Pool,
    own: NDArray[np.bool_],
    medoid: int,
    closeness: NDArray[np.float64],
    every_hour: Counter[int],
) -> Cluster:
    by_time = pool.by_time[own[pool.by_time]]
    hours = Counter((pool.times_us[own] // HOUR_US).tolist())
    streams = Counter(pool.rows[number].series.stream for number in by_time.tolist())
    return Cluster(
        size=len(by_time),
        share=len(by_time) / len(pool),
        medoid=medoid,
        first=int(by_time[0]),
        last=int(by_time[-1]),
        closeness=float(closeness[own].mean()),
        streams=dict(sorted(streams.items())),
        hours=tuple(
            Hour(hour * HOUR_US, frames, frames / every_hour[hour])
            for hour, frames in sorted(hours.items())
        ),
    )
