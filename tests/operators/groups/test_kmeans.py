"""Spherical k-means: every property that it promises, on kinds of vectors that break others."""

import itertools

import numpy as np
import pytest

from operators.groups.agreement import adjusted_rand
from operators.groups.grid import centres, cosines, sums, unit_rows
from operators.groups.kmeans import spherical_kmeans


def test_blobs_are_found(blobs):
    units, truth = blobs(5)
    found = spherical_kmeans(units, 5)
    assert adjusted_rand(found.labels, truth) == 1
    assert found.sizes.tolist() == [50] * 5


@pytest.mark.parametrize("k", [1, 2, 7, 60])
def test_each_row_is_with_its_nearest_centre_and_each_centre_the_mean_of_its_rows(scattered, k):
    units = scattered(60)
    found = spherical_kmeans(units, k, rounds=200)
    near = cosines(units, found.centres)
    assert np.array_equal(near.argmax(axis=1), found.labels)
    assert np.array_equal(near.max(axis=1), found.closeness)
    assert np.array_equal(found.centres, centres(sums(units, found.labels, k)))
    assert found.sizes.min() > 0
    assert np.array_equal(np.sort(found.sizes)[::-1], found.sizes), "the largest first"


def test_the_best_partition_of_few_rows_is_found_where_all_can_be_tried(scattered):
    units = scattered(8, 3, seed=4)
    ways = (np.array(way) for way in itertools.product(range(2), repeat=8) if 0 < sum(way) < 8)
    best = max(np.linalg.norm(sums(units, way, 2), axis=1).sum() / 8 for way in ways)
    assert spherical_kmeans(units, 2, restarts=20).objective == pytest.approx(best)


def test_more_rounds_and_more_starts_never_make_it_worse(scattered):
    units = scattered(300)
    worth = [spherical_kmeans(units, 9, restarts=1, rounds=n).objective for n in range(1, 12)]
    assert worth == sorted(worth)
    worth = [spherical_kmeans(units, 9, restarts=n).objective for n in range(1, 5)]
    assert worth == sorted(worth)


def test_the_same_seed_gives_the_same_bits_and_another_one_may_not(scattered):
    units = scattered(200)
    one, same, other = (spherical_kmeans(units, 6, seed=seed, restarts=1) for seed in (3, 3, 4))
    assert np.array_equal(one.labels, same.labels)
    assert np.array_equal(one.centres, same.centres)
    assert one.objective != other.objective


@pytest.mark.parametrize(
    "rows", [np.ones((6, 4)), np.zeros((6, 4)), np.repeat(np.eye(2), 3, axis=0)]
)
def test_no_cluster_is_empty_though_rows_are_alike(rows):
    found = spherical_kmeans(unit_rows(rows), 4)
    assert found.sizes.min() > 0
    assert found.sizes.sum() == 6


@pytest.mark.parametrize("k", [0, 7])
def test_clusters_without_rows_are_refused(scattered, k):
    with pytest.raises(ValueError, match=f"1 <= k <= 6 rows.*got k {k}"):
        spherical_kmeans(scattered(6), k)
