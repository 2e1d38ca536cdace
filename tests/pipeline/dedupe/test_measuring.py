"""Every point of the curve is counted pair by pair."""

import numpy as np
import pytest

from pipeline.dedupe.measuring import chosen, curve, most_precise, reached

COPIES = np.array([0.95, 0.9, 0.9, 0.62, 0.3])
OTHERS = np.array([0.7, 0.5, 0.35, 0.1, -0.2, -0.4])


def test_precision_and_recall_are_shares_of_pairs():
    points = curve(COPIES, reached(OTHERS[:2]) + reached(OTHERS[2:]))
    assert [one.threshold for one in points] == [step / 100 for step in range(-100, 101)]
    for one in points:
        right, wrong = ((all_ >= one.threshold).sum() for all_ in (COPIES, OTHERS))
        assert one.recall == right / 5
        assert one.false == wrong
        assert one.precision == (right / (right + wrong) if right + wrong else 1)


@pytest.mark.parametrize(
    ("wanted", "threshold"),
    [(1.0, 0.71), (0.8, 0.51), (0.79, 0.51), (0.65, 0.36), (0.6, 0.11), (0.1, -1.0)],
)
def test_the_lowest_threshold_with_the_precision_is_chosen(wanted, threshold):
    assert chosen(curve(COPIES, reached(OTHERS)), wanted).threshold == threshold


def test_a_threshold_that_finds_nothing_is_none():
    points = curve(np.array([0.1]), reached(np.array([0.2])))
    assert chosen(points, 0.9) is None
    best = most_precise(points)
    assert (best.precision, best.threshold) == (0.5, -1.0)
