"""Display values and light."""

from __future__ import annotations

import numpy as np
import pytest

from operators.conditions.linear_light import luminance, to_light, to_pixels


def test_every_value_comes_back():
    values = np.arange(256, dtype=np.uint8)
    assert np.array_equal(to_pixels(to_light(values)), values)
    assert np.array_equal(to_pixels(np.array([-0.2, 1.7], np.float32)), [0, 255])


def test_half_the_light_of_white_is_shown_as_188():
    assert to_pixels(np.array([0.5], np.float32))[0] == 188
    assert to_light(np.array([10], np.uint8))[0] == pytest.approx(10 / 255 / 12.92)


def test_white_has_a_luminance_of_one():
    assert luminance(np.ones((2, 3, 3), np.float32)) == pytest.approx(np.ones((2, 3, 1)))
