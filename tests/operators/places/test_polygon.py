"""Polygons: which are sound, and how much of each cell is theirs."""

import numpy as np
import pytest

from operators.places.polygon import area_shares, refuse_unsound

SQUARE = [(0, 0), (1, 0), (1, 1), (0, 1)]
# Concave, with sides at every slope, and none at a cell's edge.
ARROW = [(0.3, 0.2), (6.7, 2.1), (2.2, 3.3), (5.1, 4.9), (0.8, 4.4), (1.9, 2.7)]


def enclosed(points):
    xs, ys = np.array(points, dtype=float).T
    return abs(xs @ np.roll(ys, -1) - ys @ np.roll(xs, -1)) / 2


@pytest.mark.parametrize("points", [SQUARE, ARROW, ARROW[::-1], [(0, 0), (4, 1), (0, 2)]])
def test_what_does_not_cross_itself_is_sound(points):
    refuse_unsound(points)


@pytest.mark.parametrize(
    ("points", "text"),
    [
        (SQUARE[:2], "3 to 100 points, this one has 2"),
        ([(n, n * n) for n in range(101)], "this one has 101"),
        ([(0, 0), (1, 1), (1, 0), (0, 1)], "between points 1 and 2 meets that between points 3"),
        ([(0, 0), (4, 0), (4, 4), (2, 0), (0, 4)], "between points 1 and 2 meets that"),
        ([(0, 0), (2, 2), (4, 0), (4, 4), (2, 2), (0, 4)], "crosses itself"),
        ([(0, 0), (4, 0), (2, 0), (2, 4)], "between points 1 and 2 meets that between points 2"),
        ([(0, 0), (1, 1), (3, 3)], "has no area"),
        ([*SQUARE, (0, 0)], "points 5 and 1 are the same"),
        ([(0, 0), (1, 0), (1, 0), (1, 1)], "points 2 and 3 are the same"),
    ],
)
def test_what_is_unsound_is_refused_with_the_reason(points, text):
    with pytest.raises(ValueError, match=text):
        refuse_unsound(points)


def test_whole_cells_are_whole_and_halves_are_halves():
    shares = area_shares([(1, 1), (3, 1), (3, 2.5), (1, 2.5)], (4, 4))
    assert shares.tolist() == [[0, 0, 0, 0], [0, 1, 1, 0], [0, 0.5, 0.5, 0], [0, 0, 0, 0]]
    assert area_shares([(0, 0), (2, 0), (0, 2)], (2, 2)).tolist() == [[1, 0.5], [0.5, 0]]


@pytest.mark.parametrize("points", [ARROW, ARROW[::-1], [(0, 0), (7, 0), (7, 5), (0, 5)]])
def test_shares_are_the_areas_that_many_points_find(points):
    shares = area_shares(points, (5, 7))
    assert shares.sum() == pytest.approx(enclosed(points), abs=1e-7)
    fine = 400
    ys, xs = (np.mgrid[: 5 * fine, : 7 * fine] + 0.5) / fine
    inside = np.zeros(ys.shape, dtype=bool)
    for (x0, y0), (x1, y1) in zip(points, [*points[1:], points[0]], strict=True):
        if y0 != y1:
            inside ^= ((ys < y0) != (ys < y1)) & (xs < x0 + (ys - y0) * (x1 - x0) / (y1 - y0))
    counted = inside.reshape(5, fine, 7, fine).mean(axis=(1, 3))
    assert np.abs(shares - counted).max() < 0.005


def test_two_that_share_a_side_share_no_area():
    left, right = [(0, 0), (2.3, 0), (1.1, 3), (0, 3)], [(2.3, 0), (4, 0), (4, 3), (1.1, 3)]
    both = area_shares(left, (3, 4)) + area_shares(right, (3, 4))
    assert np.abs(both - 1).max() < 1e-8
