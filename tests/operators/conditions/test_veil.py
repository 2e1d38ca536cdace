"""Fog takes light by depth, and adds its own."""

from __future__ import annotations

import math

import numpy as np
import pytest

from operators.conditions.veil import airlight, filled, fog, veiled
from operators.conditions.view import View


def checked(levels=(0.2, 0.8)):
    """Columns of two levels in turn, 20 rows."""
    rows = np.tile(np.array(levels, np.float32), (20, 15))
    return np.repeat(rows[..., None], 3, axis=2)


def test_contrast_falls_with_depth_and_is_a_twentieth_at_the_visibility():
    depth_m = np.repeat(np.linspace(5, 50, 20, dtype=np.float32)[:, None], 30, axis=1)
    seen = fog(View(checked(), depth_m, np.random.default_rng(0)), 1.0)
    contrast = (seen[:, 1, 0] - seen[:, 0, 0]) / 0.6
    assert (np.diff(contrast) < 0).all()
    assert contrast[-1] == pytest.approx(0.05, rel=1e-3)
    thick = fog(View(checked(), depth_m, np.random.default_rng(0)), 2.0)
    assert thick[-1, 1, 0] - thick[-1, 0, 0] == pytest.approx(0.6 * 0.05**2, rel=1e-2)


@pytest.mark.parametrize("extinction_per_m", [0.01, 1e-300])
def test_where_there_is_nothing_there_is_air_alone(extinction_per_m):
    depth_m = np.full((20, 30), np.inf, np.float32)
    light = checked()
    seen = veiled(light, depth_m, extinction_per_m)
    assert seen == pytest.approx(np.full_like(light, airlight(light)))


def test_half_the_light_arrives_over_its_half_distance():
    depth_m = np.full((20, 30), 10, np.float32)
    seen = veiled(checked((0.0, 0.8)), depth_m, math.log(2) / 10)
    assert seen[0, 0, 0] == pytest.approx(0.4)


def test_unknown_depth_is_that_of_the_nearest_known_pixel():
    depth_m = np.array([[2, 0, 0, 0, 9]], np.float32)
    assert filled(depth_m).tolist() in ([[2, 2, 2, 9, 9]], [[2, 2, 9, 9, 9]])
    assert filled(np.array([[0, np.inf]], np.float32)).tolist() == [[np.inf, np.inf]]
    assert filled(np.zeros((3, 4), np.float32)) is None
