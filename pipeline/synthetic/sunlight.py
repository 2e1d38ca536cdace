"""Light for training scenes: a sun at a great distance, and shadows from any lamp on the ground.

Positions and normals -> linear irradiance, as `light.Light` does for a room's lamp.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .light import FloatLike
from .rays import FloatArray, Rays
from .solids import Solid
from .vector import Vec3, times

_SUN_DISTANCE_M = 300.0
# More than the rounding of float32 at the sun's distance.
_SLACK_M = 0.01


@dataclass(frozen=True, slots=True)
class Sunlight:
    """The unit vector towards the sun, and the strengths of sun and sky."""

    towards: Vec3
    power: float
    sky: float

    @property
    def lamp(self) -> Vec3:
        """Where shadows are cast from."""
        return times(self.towards, _SUN_DISTANCE_M)

    def irradiance(
        self, points: tuple[FloatLike, ...], normal: tuple[FloatLike, ...]
    ) -> FloatArray:
        """Return the linear light that arrives; the same at all points."""
        sx, sy, sz = self.towards
        nx, ny, nz = normal
        facing = np.maximum(sx * nx + sy * ny + sz * nz, 0.0)
        return np.asarray(facing * self.power + (nz * 0.25 + 0.75) * self.sky, np.float32)

    def gloss(
        self,
        points: tuple[FloatArray, FloatArray, FloatArray],
        normal: tuple[FloatArray, FloatArray, FloatArray],
        eye: Vec3,
    ) -> FloatArray:
        """Return the sun's mirror highlight, 0..1 float32 [N] (Blinn's half vector, power 64)."""
        ex, ey, ez = (e - p for e, p in zip(eye, points, strict=True))
        scale = 1.0 / np.sqrt(ex * ex + ey * ey + ez * ez)
        sx, sy, sz = self.towards
        hx, hy, hz = ex * scale + sx, ey * scale + sy, ez * scale + sz
        along = hx * normal[0] + hy * normal[1] + hz * normal[2]
        shine = np.maximum(along, 0.0) / np.sqrt(hx * hx + hy * hy + hz * hz + 1e-6)
        for _ in range(6):
            shine = shine * shine
        bright: FloatArray = shine * min(self.power, 1.0)
        return bright


@dataclass(frozen=True, slots=True)
class CastShadow:
    """What `solids` hide from the lamp; `without_lamp` is the share of light that is left."""

    lamp: Vec3
    solids: Sequence[Solid]
    without_lamp: float

    def factor(self, points: tuple[FloatArray, FloatArray, FloatArray]) -> FloatArray:
        """Return the share of light at points (float32 [N] each) that lie outside all solids."""
        x, y, z = points
        lamp_x, lamp_y, lamp_z = self.lamp
        rays = Rays(self.lamp, x - lamp_x, y - lamp_y, z - lamp_z)
        factor = np.ones_like(x)
        for solid in self.solids:
            near = np.flatnonzero(self._may_hide(solid, x, y))
            if near.size:
                entry, _ = solid.intersect(rays.take(near))
                factor[near[entry < 0.9999]] = self.without_lamp
        for solid in self.solids:
            if solid.reach < 4.0:
                factor *= 1.0 - np.minimum(solid.contact(x, y), 0.75)
        return factor

    def _may_hide(self, solid: Solid, x: FloatArray, y: FloatArray) -> NDArray[np.bool_]:
        """Whether ground points lie in the rectangle around the shadow of the bounding ball.

        A point p of the ball falls on lamp + (p - lamp) * k, where k depends on p's height.
        """
        (*middle, height), reach, tall = solid.centre, solid.reach, self.lamp[2]
        inside = np.ones(x.shape, np.bool_)
        if height + reach >= 0.99 * tall:
            return inside
        stretches = tall / (tall - height + reach), tall / (tall - height - reach)
        for value, lamp, at in zip((x, y), self.lamp, middle, strict=False):
            ends = [(at + side * reach - lamp) * k for side in (-1.01, 1.01) for k in stretches]
            inside &= value >= lamp + min(ends) - _SLACK_M
            inside &= value <= lamp + max(ends) + _SLACK_M
        return inside
