"""Frames that were chosen as a contact sheet takes them."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.recommend.recommending import Recommended
from pipeline.search.episode import Episode
from pipeline.vectors.pool import Pool


def recommended_episodes(pool: Pool, found: Sequence[Recommended]) -> list[Episode]:
    """One of each, in their order; its score is the frame's worth."""
    rows = [(pool.rows[one.number], one.worth) for one in found]
    return [Episode(row, worth, row.time_us, row.time_us, hits=1) for row, worth in rows]
