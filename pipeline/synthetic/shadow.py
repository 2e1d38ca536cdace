"""The shadows on a room's floor at one instant, as a small map -> a factor for display colours.

Cast by tracing from the lamp through each body to a grid of floor points, softened; darkened
further where bodies come close to the floor. Cheap, so soft; depth and masks never depend on it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .light import Light
from .panel import Frame
from .rays import FloatArray, Rays
from .solids import Solid

_GRID = 96
_SOFTENING_ROUNDS = 2
# The share of light that is left where the lamp cannot be seen; by eye.
_WITHOUT_LAMP = 0.42


class FloorShadow:
    """Factors 0..1 over the floor's (u, v), bilinear between 96 x 96 points."""

    __slots__ = ("_factors",)

    def __init__(self, light: Light, floor: Frame, solids: Sequence[Solid]) -> None:
        """Trace the shadows of `solids` on `floor`, which lies at z = 0, x to the right."""
        x, y = _floor_points(floor)
        lamp_x, lamp_y, lamp_z = light.lamp
        down = np.full_like(x, -lamp_z)
        rays = Rays(light.lamp, x - lamp_x, y - lamp_y, down)
        seen = np.ones_like(x)
        open_sky = np.ones_like(x)
        for solid in solids:
            entry, _ = solid.intersect(rays)
            seen[entry < 1.0] = 0.0
            open_sky *= 1.0 - np.minimum(solid.contact(x, y), 0.9)
        linear = (_softened(seen) * (1.0 - _WITHOUT_LAMP) + _WITHOUT_LAMP) * open_sky
        self._factors = np.sqrt(linear)

    def sample(self, u: FloatArray, v: FloatArray) -> FloatArray:
        """Return the factors at positions (float32 [N], 0..1 over the floor), float32 [N]."""
        x = np.minimum(np.maximum(u * _GRID - 0.5, 0.0), _GRID - 1.001)
        y = np.minimum(np.maximum(v * _GRID - 0.5, 0.0), _GRID - 1.001)
        column, row = x.astype(np.intp), y.astype(np.intp)
        x_part, y_part = x - column.astype(np.float32), y - row.astype(np.float32)
        at = row * _GRID + column
        flat = self._factors.ravel()
        top = _mixed(flat.take(at), flat.take(at + 1), x_part)
        at += _GRID
        bottom = _mixed(flat.take(at), flat.take(at + 1), x_part)
        return _mixed(top, bottom, y_part)


def _mixed(a: FloatArray, b: FloatArray, share: FloatArray) -> FloatArray:
    mixed: FloatArray = a + (b - a) * share
    return mixed


def _floor_points(floor: Frame) -> tuple[FloatArray, FloatArray]:
    steps = (np.arange(_GRID, dtype=np.float32) + 0.5) * np.float32(1 / _GRID)
    x = steps[None, :] * floor.right[0] + floor.corner[0]
    y = steps[:, None] * floor.down[1] + floor.corner[1]
    x, y = np.broadcast_arrays(x, y)
    return np.array(x), np.array(y)


def _softened(seen: FloatArray) -> FloatArray:
    for _ in range(_SOFTENING_ROUNDS):
        rows = np.pad(seen, ((1, 1), (0, 0)), mode="edge")
        seen = rows[:-2] + rows[1:-1] + rows[2:]
        columns = np.pad(seen, ((0, 0), (1, 1)), mode="edge")
        seen = (columns[:, :-2] + columns[:, 1:-1] + columns[:, 2:]) * np.float32(1 / 9)
    return seen
