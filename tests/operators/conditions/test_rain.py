"""Streaks and veil follow the law of drop sizes, and drops are in front of what is farther."""

from __future__ import annotations

import numpy as np
import pytest

from operators.conditions.rain import extinction_per_m, rain, slope_per_mm
from operators.conditions.veil import airlight, veiled
from operators.conditions.view import View


@pytest.mark.parametrize("rate_mm_h", [5.0, 50.0])
def test_the_veil_is_twice_the_discs_of_all_drops(rate_mm_h):
    diameter_mm = np.linspace(0, 15, 20001)
    drops = 8000 * np.exp(-slope_per_mm(rate_mm_h) * diameter_mm)
    discs_m2 = np.pi / 4 * (diameter_mm / 1000) ** 2
    whole = 2 * np.trapezoid(drops * discs_m2, diameter_mm)
    assert extinction_per_m(rate_mm_h) == pytest.approx(whole, rel=1e-3)


def half_bright(size_hw):
    """Dark, with a bright strip that decides the air's light."""
    light = np.full((*size_hw, 3), 0.05, np.float32)
    light[:, : size_hw[1] // 8] = 0.9
    return light


def covered(size_hw, strength=1.0, depth_m=None):
    """Share of each pixel of the dark part that drops cover, its veil taken off."""
    light = half_bright(size_hw)
    air = airlight(light)
    after = rain(View(light, depth_m, np.random.default_rng(2)), strength)
    if depth_m is not None:
        light = veiled(light, depth_m, extinction_per_m(50.0 * strength))
    dark = slice(size_hw[1] // 8, None)
    return (after[:, dark] - light[:, dark]) / (air - light[:, dark])


def test_streaks_are_the_same_share_at_every_size_and_more_in_more_rain():
    small, large = covered((112, 196)).mean(), covered((360, 630)).mean()
    assert small == pytest.approx(large, rel=0.05)
    assert 0 < small < covered((112, 196), 3.0).mean()
    assert covered((112, 196)).min() > -1e-4


def test_no_drop_is_seen_through_what_is_nearer():
    near, far = (np.full((112, 196), metres, np.float32) for metres in (0.3, 100.0))
    assert np.abs(covered((112, 196), depth_m=near)).max() < 1e-4
    assert covered((112, 196), depth_m=far).mean() > 1e-3
