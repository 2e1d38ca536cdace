"""A point of light becomes a line or a disc, and stays as bright."""

from __future__ import annotations

import numpy as np
import pytest

from operators.conditions.blur import defocus, motion_blur
from operators.conditions.view import View


def spread(effect, strength, size_hw=(101, 201), seed=0):
    """What becomes of one point of light in the middle."""
    light = np.zeros((*size_hw, 3), np.float32)
    light[size_hw[0] // 2, size_hw[1] // 2] = 1
    return effect(View(light, None, np.random.default_rng(seed)), strength)[..., 0]


def moments(point):
    """Variances of light across the axis on which it is longest, and along it."""
    rows, columns = np.indices(point.shape)
    weights = np.where(point > 1e-5, point, 0).ravel()
    places = np.stack([rows.ravel(), columns.ravel()])
    return np.linalg.eigvalsh(np.cov(places, aweights=weights, ddof=0))


@pytest.mark.parametrize("effect", [motion_blur, defocus])
def test_light_is_neither_lost_nor_made(effect):
    assert spread(effect, 2.0).sum() == pytest.approx(1, abs=1e-5)
    even = np.full((14, 33, 3), 0.3, np.float32)
    blurred = effect(View(even, None, np.random.default_rng(0)), 3.0)
    assert blurred == pytest.approx(even, abs=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_motion_is_a_line_of_six_hundredths_of_the_short_side(seed):
    across, along = moments(spread(motion_blur, 2.0, seed=seed))
    length = 0.06 * 2 * 101
    assert along == pytest.approx(length**2 / 12 + 1 / 6, rel=0.02)
    assert across < 0.3


def test_the_wrong_focus_is_a_disc():
    low, high = moments(spread(defocus, 3.0))
    radius = 0.015 * 3 * 101
    assert low == pytest.approx(radius**2 / 4 + 1 / 6, rel=0.02)
    assert high == pytest.approx(low, rel=0.01)


def test_a_kernel_may_be_larger_than_the_picture():
    light = np.random.default_rng(1).random((3, 400, 3), dtype=np.float32)
    assert defocus(View(light, None, np.random.default_rng(0)), 3.0).shape == light.shape
