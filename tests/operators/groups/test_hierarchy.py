"""Clusters of clusters: what every level holds, and that rare things get centres of their own."""

import numpy as np
import pytest

from operators.groups.grid import unit_rows
from operators.groups.hierarchy import hierarchical_kmeans
from operators.groups.kmeans import spherical_kmeans


def test_every_level_covers_every_row_and_is_one_of_the_level_below(scattered):
    units = scattered(200)
    found = hierarchical_kmeans(units, (40, 12, 3))
    assert [len(level.centres) for level in found.levels] == [40, 12, 3]
    for level, count in enumerate((40, 12, 3)):
        labels = found.labels(level)
        assert labels.shape == (200,)
        assert set(labels) == set(range(count))
    for fine, coarse in ((0, 1), (1, 2)):
        parents = {(a, b) for a, b in zip(found.labels(fine), found.labels(coarse), strict=True)}
        assert len(parents) == len(set(found.labels(fine)))


@pytest.mark.parametrize("seed", range(3))
def test_what_is_rare_gets_a_cluster_of_its_own(seed):
    """900 of one kind and 20 of each of three others: k-means of rows divides the many instead."""
    draw = np.random.default_rng(seed)
    kinds = np.repeat(np.arange(4), (900, 20, 20, 20))
    units = unit_rows(np.eye(4, 12)[kinds] + draw.normal(size=(960, 12)) * 0.2)

    def told_apart(labels):
        return len({int(np.bincount(kinds[labels == one]).argmax()) for one in range(4)})

    assert told_apart(hierarchical_kmeans(units, (24, 4), seed=seed).labels(1)) == 4
    assert told_apart(spherical_kmeans(units, 4, seed=seed).labels) < 4


def test_the_same_seed_gives_the_same_levels(scattered):
    units = scattered(120)
    one, same = (hierarchical_kmeans(units, (20, 5), seed=2) for _ in range(2))
    assert np.array_equal(one.labels(1), same.labels(1))


@pytest.mark.parametrize("counts", [(), (5, 5), (3, 8)])
def test_levels_that_do_not_get_coarser_are_refused(scattered, counts):
    with pytest.raises(ValueError, match="fall from level to level"):
        hierarchical_kmeans(scattered(20), counts)
