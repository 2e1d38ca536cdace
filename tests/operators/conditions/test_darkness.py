"""How dark it gets, in which colour, and what contrast is left."""

from __future__ import annotations

import numpy as np
import pytest

from operators.conditions.darkness import low_light, night
from operators.conditions.view import View


def seen(effect, light, strength=1.0):
    """Mean of an even grey under an effect, by colour."""
    grey = np.full((150, 200, 3), light, np.float32)
    return effect(View(grey, None, np.random.default_rng(0)), strength).mean(axis=(0, 1))


@pytest.mark.parametrize(("strength", "left"), [(0.5, 1 / 2), (1.0, 1 / 4), (2.0, 1 / 16)])
def test_low_light_is_half_as_many_stops_darker_as_it_has_less_light(strength, left):
    assert seen(low_light, 0.5, strength) == pytest.approx(0.5 * left * np.ones(3), rel=0.03)


def test_at_night_light_is_that_of_lamps():
    red, green, blue = seen(night, 1.0)
    assert (red / green, blue / green) == pytest.approx(
        (np.sqrt(1.94 / 0.80), np.sqrt(0.19 / 0.80)), rel=0.03
    )
    assert green == pytest.approx(2**-2.5 * np.sqrt(0.80), rel=0.03)


def test_at_night_what_was_dim_sinks_further():
    ratio = seen(night, 0.8)[1] / seen(night, 0.2)[1]
    assert ratio == pytest.approx(4**1.4, rel=0.03)
