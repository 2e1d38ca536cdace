"""Both figures are their formulas, counted pair by pair, and scikit-learn's."""

from itertools import combinations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from operators.groups.agreement import adjusted_rand, purity


def pair_by_pair(labels, truth):
    pairs = list(combinations(range(len(labels)), 2))
    same = [(labels[a] == labels[b], truth[a] == truth[b]) for a, b in pairs]
    both = sum(a and b for a, b in same)
    ones, others = sum(a for a, _ in same), sum(b for _, b in same)
    expected = ones * others / len(pairs)
    return (both - expected) / ((ones + others) / 2 - expected)


@pytest.mark.parametrize("seed", range(5))
def test_adjusted_rand_is_counted_pair_by_pair(seed):
    draw = np.random.default_rng(seed)
    labels, truth = draw.integers(0, 4, 30), draw.integers(10, 13, 30)
    truth[:15] = labels[:15]
    got = adjusted_rand(labels, truth)
    assert got == pytest.approx(pair_by_pair(labels, truth))
    assert got == pytest.approx(adjusted_rand_score(truth, labels))


def test_the_same_partition_is_1_and_chance_about_0():
    truth = np.repeat(np.arange(4), 25)
    assert adjusted_rand((truth * 7 + 3) % 5, truth) == 1
    assert adjusted_rand(np.zeros(9, np.int64), np.zeros(9, np.int64)) == 1
    random = [adjusted_rand(np.random.default_rng(s).permutation(truth), truth) for s in range(50)]
    assert abs(np.mean(random)) < 0.01


def test_purity_is_the_share_of_each_groups_most_frequent_truth():
    labels, truth = np.array([0, 0, 0, 1, 1, 2]), np.array([5, 5, 6, 6, 7, 7])
    assert purity(labels, truth) == pytest.approx((2 + 1 + 1) / 6)


def test_nothing_and_unequal_lengths_are_refused():
    for labels, truth in (([], []), ([1], [1, 2])):
        with pytest.raises(ValueError, match="as many labels as truths"):
            purity(np.array(labels, np.int64), np.array(truth, np.int64))
