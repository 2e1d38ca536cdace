"""J and F against implementations that share nothing with ours: sets of pixels, and distances."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.spatial.distance import cdist

from operators.davis.contour import contour, within
from operators.davis.region import region


def blob(seed, size_hw, level=0.5):
    noise = np.random.default_rng(seed).random(size_hw)
    smooth = gaussian_filter(noise, 4)
    return smooth > np.quantile(smooth, level)


def edge_pixels(mask):
    """Those that differ from a neighbour to the right, below or right below, one by one."""
    height, width = mask.shape
    found = []
    for y in range(height):
        for x in range(width):
            near = [(y, x + 1), (y + 1, x), (y + 1, x + 1)]
            if y == height - 1:
                near = [(y, x + 1)]
            elif x == width - 1:
                near = [(y + 1, x)]
            inside = [mask[at] for at in near if at[0] < height and at[1] < width]
            if any(other != mask[y, x] for other in inside):
                found.append((y, x))
    return np.array(found).reshape(-1, 2)


def f_by_distances(mask, truth):
    told, true = edge_pixels(mask), edge_pixels(truth)
    if not len(told) or not len(true):
        return 1.0 if len(told) == len(true) else 0.0
    apart = cdist(told, true)
    reach = math.ceil(0.008 * math.sqrt(mask.shape[0] ** 2 + mask.shape[1] ** 2))
    precision = np.mean(apart.min(axis=1) <= reach)
    recall = np.mean(apart.min(axis=0) <= reach)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


PAIRS = [
    (blob(1, (40, 63)), blob(2, (40, 63))),
    (blob(3, (97, 55), 0.7), blob(4, (97, 55), 0.6)),
    (blob(5, (64, 120), 0.9), np.roll(blob(5, (64, 120), 0.9), 3, axis=1)),
    (blob(6, (30, 31)), np.zeros((30, 31), bool)),
    (np.ones((20, 20), bool), np.zeros((20, 20), bool)),
]


@pytest.mark.parametrize("number", range(len(PAIRS)))
def test_they_are_what_other_ways_to_compute_them_give(number):
    mask, truth = PAIRS[number]
    assert contour(mask, truth) == pytest.approx(f_by_distances(mask, truth), abs=1e-12)
    assert contour(truth, mask) == pytest.approx(contour(mask, truth), abs=1e-12)
    ours, true = ({*map(tuple, np.argwhere(one))} for one in (mask, truth))
    expected = len(ours & true) / len(ours | true) if ours | true else 1.0
    assert region(mask, truth) == pytest.approx(expected, abs=1e-12)


def test_what_is_equal_is_1_and_what_is_only_there_once_is_0():
    mask, nothing = blob(7, (48, 48)), np.zeros((48, 48), bool)
    assert (region(mask, mask), contour(mask, mask)) == (1, 1)
    assert (region(nothing, nothing), contour(nothing, nothing)) == (1, 1)
    assert (region(mask, nothing), contour(mask, nothing), contour(nothing, mask)) == (0, 0, 0)


def test_an_outline_within_0_008_of_the_diagonal_agrees():
    mask = np.zeros((240, 320), bool)  # a diagonal of 400: 3.2 pixels, so 4
    mask[100:150, 100:160] = True
    assert contour(np.roll(mask, 4, axis=1), mask) == 1
    assert contour(np.roll(mask, 5, axis=1), mask) < 1
    assert within(mask, 4).sum() > mask.sum()


def test_two_sizes_are_refused():
    for measure in (region, contour):
        with pytest.raises(ValueError, match=r"\[2, 3\] and a truth of \[3, 2\]"):
            measure(np.zeros((2, 3), bool), np.zeros((3, 2), bool))
