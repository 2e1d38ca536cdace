"""The inside of a box-shaped room: where rays leave it, and its six faces.

The origin of world coordinates lies in the middle of the floor; z = 0 is the floor.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .panel import Frame
from .rays import FloatArray, Rays

LEFT, RIGHT, FRONT, BACK, BOTTOM, TOP = range(6)


@dataclass(frozen=True, slots=True)
class Shell:
    """A room from -half_x to half_x, -half_y to half_y and 0 to height, metres."""

    half_x: float
    half_y: float
    height: float

    def frames(self) -> tuple[Frame, ...]:
        """Return the faces as seen from inside, in the order LEFT .. TOP."""
        x, y, z = self.half_x, self.half_y, self.height
        return (
            Frame((-x, -y, z), (0.0, 2 * y, 0.0), (0.0, 0.0, -z)),
            Frame((x, y, z), (0.0, -2 * y, 0.0), (0.0, 0.0, -z)),
            Frame((x, -y, z), (-2 * x, 0.0, 0.0), (0.0, 0.0, -z)),
            Frame((-x, y, z), (2 * x, 0.0, 0.0), (0.0, 0.0, -z)),
            Frame((-x, y, 0.0), (2 * x, 0.0, 0.0), (0.0, -2 * y, 0.0)),
            Frame((-x, -y, z), (2 * x, 0.0, 0.0), (0.0, 2 * y, 0.0)),
        )

    def intersect(self, rays: Rays) -> tuple[FloatArray, NDArray[np.uint8]]:
        """Return t float32 and the face uint8, in the rays' shape; the origin must be inside."""
        x, y, z = rays.origin
        half_z = 0.5 * self.height
        # Dividing by an exact zero gives +inf here, never NaN: the numerator is not 0 inside.
        with np.errstate(divide="ignore"):
            tx = (np.copysign(np.float32(self.half_x), rays.dx) - x) / rays.dx
            ty = (np.copysign(np.float32(self.half_y), rays.dy) - y) / rays.dy
            tz = (np.copysign(np.float32(half_z), rays.dz) - (z - half_z)) / rays.dz
        sides = np.minimum(tx, ty)
        t = np.minimum(sides, tz)
        face = np.where(tx < ty, rays.dx > 0.0, (rays.dy > 0.0) + np.uint8(FRONT))
        face = np.where(tz < sides, (rays.dz > 0.0) + np.uint8(BOTTOM), face)
        return t, face.astype(np.uint8, copy=False)
