"""Clusters as a contact sheet takes them: the frame that stands for each, since when, how many."""

from __future__ import annotations

from pipeline.cluster.clustering import Clustering
from pipeline.search.episode import Episode
from pipeline.vectors.pool import Pool


def medoid_episodes(pool: Pool, found: Clustering) -> list[Episode]:
    """One of each cluster, the largest first; its score is the mean cosine with the centre."""
    return [
        Episode(
            best=pool.rows[one.medoid],
            score=one.closeness,
            start_us=int(pool.times_us[one.first]),
            end_us=int(pool.times_us[one.last]),
            hits=one.size,
        )
        for one in found.clusters
    ]
