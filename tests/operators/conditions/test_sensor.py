"""Noise has the mean and the variance that electrons have."""

from __future__ import annotations

import numpy as np
import pytest

from operators.conditions.sensor import FULL_WELL_E, READ_NOISE_E, exposed


@pytest.mark.parametrize("light", [0.02, 0.5])
def test_noise_is_of_electrons(light, drawn):
    stops, gain_stops = 4.0, 3.0
    even = np.full((200, 300, 3), light, np.float32)
    taken = exposed(even, drawn(), stops=stops, gain_stops=gain_stops)
    electrons, gain = light * FULL_WELL_E / 2**stops, 2**gain_stops / FULL_WELL_E
    assert taken.dtype == np.float32
    assert taken.mean() == pytest.approx(electrons * gain, rel=0.01)
    assert taken.var() == pytest.approx((electrons + READ_NOISE_E**2) * gain**2, rel=0.02)
