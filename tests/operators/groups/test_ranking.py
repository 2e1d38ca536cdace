"""Orders and their figures are their formulas."""

from math import log2

import numpy as np
import pytest

from operators.groups.grid import cosines, unit_rows
from operators.groups.ranking import cosines_with, diverse, ndcg_at, profile, recall_at


def test_a_profile_is_what_is_liked_less_half_of_what_is_not(scattered):
    likes, dislikes = scattered(3), scattered(2, seed=1)
    for against in (dislikes, dislikes[:0]):
        want = likes.astype(float).mean(axis=0)
        if len(against):
            want = want - 0.5 * against.astype(float).mean(axis=0)
        got = profile(likes, against)
        assert got[0] == pytest.approx(want / np.linalg.norm(want), abs=1e-7)


def test_each_choice_has_the_largest_marginal_relevance(scattered):
    units = scattered(40)
    worth = cosines_with(units, units[:1].astype(float))
    chosen = diverse(units, worth.copy(), 8, likeness=0.7).tolist()
    near = cosines(units, units)
    for turn, row in enumerate(chosen):
        rest = [one for one in range(40) if one not in chosen[:turn]]
        marginal = [
            0.7 * worth[one] - 0.3 * max((near[one, taken] for taken in chosen[:turn]), default=0)
            for one in rest
        ]
        assert row == rest[int(np.argmax(marginal))]


def test_at_1_it_is_the_order_of_worth_and_below_it_no_copy_comes_second(blobs):
    units, kinds = blobs(3, each=5, spread=0.02)
    worth = 0.9 + 0.01 * (kinds == 0)
    assert (kinds[diverse(units, worth.copy(), 5, likeness=1.0)] == 0).all()
    assert set(kinds[diverse(units, worth.copy(), 3, likeness=0.5)]) == {0, 1, 2}


def test_what_is_worth_nothing_is_not_chosen(scattered):
    worth = np.where(np.arange(10) < 4, 0.5, -np.inf)
    assert sorted(diverse(scattered(10), worth, 9).tolist()) == [0, 1, 2, 3]


def test_equal_ones_come_in_their_order():
    assert diverse(unit_rows(np.ones((5, 3))), np.ones(5), 3).tolist() == [0, 1, 2]


def test_recall_is_the_share_found():
    assert recall_at([4, 1, 9, 2], {1, 2, 7}, 3) == pytest.approx(1 / 3)
    assert recall_at([4, 1, 9, 2], {1, 2, 7}, 4) == pytest.approx(2 / 3)
    assert recall_at([1], {1}, 10) == 1


def test_ndcg_is_the_gain_over_the_best_gain():
    got = ndcg_at([4, 1, 9, 2], {1, 2, 7}, 4)
    assert got == pytest.approx((1 / log2(3) + 1 / log2(5)) / (1 + 1 / log2(3) + 1 / log2(4)))
    assert ndcg_at([1, 2, 3], {1, 2}, 2) == 1
    assert ndcg_at([3, 4], {1}, 2) == 0
