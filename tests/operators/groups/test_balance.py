"""A balanced sample has what the paper promises of one, at every target."""

import numpy as np
import pytest

from operators.groups.balance import balanced_sample, shares
from operators.groups.hierarchy import hierarchical_kmeans


@pytest.mark.parametrize("seed", range(4))
def test_shares_are_exact_within_sizes_even_and_never_fall(seed):
    draw = np.random.default_rng(seed)
    sizes, order = draw.integers(0, 30, 12), draw.permutation(12)
    before = np.zeros(12, np.int64)
    for target in range(sizes.sum() + 5):
        given = shares(sizes, target, order)
        assert given.sum() == min(target, sizes.sum())
        assert (given <= sizes).all()
        assert (given >= before).all()
        short = given < sizes  # whoever could give more gives as many as anyone, or one fewer
        assert not short.any() or given[short].min() >= given.max() - 1
        before = given


def test_clusters_of_one_size_give_equal_shares():
    order = np.arange(5)
    assert shares(np.full(5, 9), 20, order).tolist() == [4] * 5
    assert shares(np.full(5, 9), 22, order[::-1]).tolist() == [4, 4, 4, 5, 5]
    with pytest.raises(ValueError, match="target from 0, got -1"):
        shares(np.full(5, 9), -1, order)


@pytest.mark.parametrize("central", [False, True])
def test_samples_are_exact_and_a_larger_one_holds_the_smaller(blobs, central):
    units, _ = blobs(4, each=20)
    found = hierarchical_kmeans(units, (16, 4))
    before = set()
    for target in range(0, 90, 3):
        rows = balanced_sample(found, target, central=central)
        assert len(rows) == min(target, 80)
        assert rows.tolist() == sorted(set(rows.tolist()))
        assert before <= set(rows)
        before = set(rows)
    assert before == set(range(80))


def test_what_is_rare_is_taken_as_often_as_what_is_frequent(blobs):
    units, kinds = blobs(4, each=100)
    rare = np.concatenate([np.flatnonzero(kinds == 0), *(np.flatnonzero(kinds == k)[:10]
                                                         for k in (1, 2, 3))])  # fmt: skip
    found = hierarchical_kmeans(units[rare], (20, 4))
    rows = balanced_sample(found, 40)
    assert np.bincount(kinds[rare][rows]).tolist() == [10] * 4


def test_the_central_ones_are_those_nearest_to_their_centre(blobs):
    units, _ = blobs(2, each=30)
    found = hierarchical_kmeans(units, (2,))
    rows = balanced_sample(found, 10, central=True)
    finest = found.levels[0]
    for cluster in range(2):
        own = np.flatnonzero(finest.labels == cluster)
        best = own[np.argsort(-finest.closeness[own], kind="stable")[:5]]
        assert set(best) <= set(rows)


def test_another_seed_takes_others(blobs):
    units, _ = blobs(3)
    found = hierarchical_kmeans(units, (12, 3))
    one, same, other = (balanced_sample(found, 30, seed=seed).tolist() for seed in (1, 1, 2))
    assert one == same != other
