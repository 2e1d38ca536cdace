"""Light smeared over its surroundings: by a camera that moves, or one that is out of focus.

Both are convolutions of light, the same all over the picture. Lengths are parts of the short side.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from operators.conditions.linear_light import Light
from operators.conditions.view import View

_PATH = 0.06  # of the short side, that the picture moves during its exposure
_RADIUS = 0.015  # of the circle of confusion
_STEPS = 16  # points that a kernel is made of, per pixel along each side

Kernel = NDArray[np.float32]


def motion_blur(view: View, strength: float) -> Light:
    """A pan at constant speed, in a direction that is drawn: every point becomes a line."""
    length = _PATH * strength * min(view.light.shape[:2])
    angle = view.draw.uniform(0, math.pi)
    along = _points(length)
    return _spread(view.light, _kernel(along * math.cos(angle), along * math.sin(angle)))


def defocus(view: View, strength: float) -> Light:
    """The wrong focus at all depths: every point becomes a disc of even light."""
    radius = _RADIUS * strength * min(view.light.shape[:2])
    side = _points(2 * radius)
    x, y = (grid.ravel() for grid in np.meshgrid(side, side))
    inside = x**2 + y**2 <= radius**2
    return _spread(view.light, _kernel(x[inside], y[inside]))


def _points(length: float) -> NDArray[np.float64]:
    """Evenly along a line around 0, each in the middle of its part."""
    count = max(2, math.ceil(length * _STEPS))
    return ((np.arange(count) + 0.5) / count - 0.5) * length


def _kernel(x_px: NDArray[np.float64], y_px: NDArray[np.float64]) -> Kernel:
    """Points around 0, each of the same light and shared by the four pixels next to it; odd
    sides, sum 1."""
    reach_x, reach_y = (math.floor(np.abs(values).max()) + 1 for values in (x_px, y_px))
    kernel = np.zeros((2 * reach_y + 1, 2 * reach_x + 1))
    column, row = np.floor(x_px), np.floor(y_px)
    right, down = x_px - column, y_px - row
    for step_x, share_x in ((0, 1 - right), (1, right)):
        for step_y, share_y in ((0, 1 - down), (1, down)):
            places = (row + step_y + reach_y).astype(int), (column + step_x + reach_x).astype(int)
            np.add.at(kernel, places, share_x * share_y)
    shares: Kernel = (kernel / kernel.sum()).astype(np.float32)
    return shares


def _spread(light: Light, kernel: Kernel) -> Light:
    """The convolution; beyond its edges the picture is mirrored."""
    down, across = (side // 2 for side in kernel.shape)
    wide = np.pad(light, ((down, down), (across, across), (0, 0)), mode="symmetric")
    spread: Light = fftconvolve(wide, kernel[..., None], mode="valid", axes=(0, 1))
    return spread
