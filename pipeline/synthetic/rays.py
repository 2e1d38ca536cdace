"""Rays with one common origin, and where they hit.

A direction has length 1 *along the optical axis*, so the ray parameter t of a hit is its z-depth.
Only +, -, *, /, sqrt and comparisons touch pixels: IEEE 754 rounds these the same way on every
CPU, which numpy's vectorised sin, exp and matmul do not promise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .vector import Vec3

# float32 at run time, always; numpy's stubs believe that float32 * float makes float64.
FloatArray = NDArray[np.floating[Any]]
IndexArray = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Rays:
    """Rays origin + t * (dx, dy, dz), directions float32, all of one shape."""

    origin: Vec3
    dx: FloatArray
    dy: FloatArray
    dz: FloatArray

    def along(self, axis: Vec3) -> FloatArray:
        """Return the directions' component along `axis`, in the directions' shape."""
        along: FloatArray = self.dx * axis[0] + self.dy * axis[1] + self.dz * axis[2]
        return along

    def window(self, rows: slice, cols: slice) -> Rays:
        """Return the rays [H, W] of a rectangle, as views."""
        pick = (rows, cols)
        return Rays(self.origin, self.dx[pick], self.dy[pick], self.dz[pick])

    def take(self, indices: IndexArray) -> Rays:
        """Return the rays at flat `indices` [N], as a flat copy."""
        dx, dy, dz = (d.ravel().take(indices) for d in (self.dx, self.dy, self.dz))
        return Rays(self.origin, dx, dy, dz)


@dataclass(frozen=True, slots=True)
class Hits:
    """Where flat rays [N] met one surface: t is the z-depth in metres, float32 [N]."""

    rays: Rays
    t: FloatArray
    focal_px: float

    def points(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the world coordinates of the hits, metres, float32 [N] each."""
        x, y, z = self.rays.origin
        rays = self.rays
        return rays.dx * self.t + x, rays.dy * self.t + y, rays.dz * self.t + z
