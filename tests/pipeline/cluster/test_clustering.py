"""What is said of clusters is counted from their frames."""

import numpy as np
import pytest

from operators.errors import UsageError
from pipeline.cluster.clustering import HOUR_US, clustered


@pytest.fixture
def pool(pooled):
    """Four kinds on a common direction, by two cameras, a frame every ten minutes."""
    draw = np.random.default_rng(0)
    kinds = np.repeat([0, 1, 0, 2, 3], [20, 9, 15, 8, 12])
    vectors = np.eye(8)[kinds] + 3 * np.eye(8)[7] + draw.normal(size=(64, 8)) * 0.04
    return pooled(vectors, [f"cam{n % 2}" for n in range(64)], every_s=600)


def test_kinds_are_found_the_largest_first(pool):
    found = clustered(pool, None)
    assert found.choice.k == 4
    assert [one.size for one in found.clusters] == [35, 12, 9, 8]
    assert clustered(pool, 4).choice is None
    assert np.array_equal(clustered(pool, 4).labels, found.labels)


def test_first_last_streams_and_hours_are_those_of_the_frames(pool):
    found = clustered(pool, 4)
    for number, one in enumerate(found.clusters):
        own = np.flatnonzero(found.labels == number)
        times_us = pool.times_us[own]
        assert pool.times_us[one.first] == times_us.min()
        assert pool.times_us[one.last] == times_us.max()
        assert one.medoid in own
        assert one.share == one.size / 64
        assert sum(one.streams.values()) == one.size
        assert one.closeness == pytest.approx(found.closeness[own].mean())
        assert [hour.begin_us % HOUR_US for hour in one.hours] == [0] * len(one.hours)
        assert sum(hour.frames for hour in one.hours) == one.size
    shares = {}
    for one in found.clusters:
        for hour in one.hours:
            shares[hour.begin_us] = shares.get(hour.begin_us, 0) + hour.share
    assert len(shares) == 11
    assert all(share == pytest.approx(1) for share in shares.values())


def test_more_clusters_than_frames_are_refused(pooled):
    few = pooled(np.eye(2))
    with pytest.raises(UsageError, match="2 frames are too few for 5 clusters; want 5"):
        clustered(few, 5)
    with pytest.raises(UsageError, match="too few for a choice of clusters; want 3"):
        clustered(few, None)
