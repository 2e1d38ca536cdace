"""What a sensor makes of little light: photons one by one, noise of its own, and gain.

The model is the usual one of raw pixels, a Poisson and a Gaussian part (Foi et al., Practical
Poissonian-Gaussian noise modeling and fitting for single-image raw-data, TIP 2008). Noise is drawn
per pixel and colour of the picture as it is: no mosaic, and no denoising behind it.
"""

from __future__ import annotations

import numpy as np

from operators.conditions.linear_light import Light

FULL_WELL_E = 4000.0  # electrons of white in good light: a small pixel of a camera or a phone
READ_NOISE_E = 3.0  # electrons, standard deviation


def exposed(light: Light, draw: np.random.Generator, *, stops: float, gain_stops: float) -> Light:
    """A picture that got less light, and was amplified for it.

    Args:
        light: as it would be in good light.
        draw: of the noise.
        stops: halvings of the light that reaches the sensor.
        gain_stops: doublings by the amplifier behind it, of signal and noise alike.
    """
    electrons = draw.poisson(light * (FULL_WELL_E * 2**-stops)).astype(np.float32)
    electrons += READ_NOISE_E * draw.standard_normal(light.shape, dtype=np.float32)
    return electrons * np.float32(2**gain_stops / FULL_WELL_E)
