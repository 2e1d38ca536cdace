"""Upright cylinders: where rays meet them. Geometry only, at one instant, as in `solids`."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .rays import FloatArray, Rays
from .vector import Vec3, minus

SIDE, CAP = 0, 1


@dataclass(frozen=True, slots=True)
class Cylinder:
    """A cylinder of a radius and half a height, its axis upright."""

    centre: Vec3
    radius: float
    half_height: float

    @property
    def reach(self) -> float:
        """The radius of the bounding ball, metres."""
        return math.hypot(self.radius, self.half_height)

    @property
    def corners(self) -> tuple[Vec3, ...]:
        """The corners of the upright box around it, metres."""
        x, y, z = self.centre
        sides = [(x + i * self.radius, y + j * self.radius) for i in (-1, 1) for j in (-1, 1)]
        return tuple((a, b, z + k * self.half_height) for a, b in sides for k in (-1, 1))

    def intersect(self, rays: Rays) -> tuple[FloatArray, NDArray[np.uint8]]:
        """Return t float32 (inf where rays miss) and SIDE or CAP, in the rays' shape.

        The distance from the axis is taken from the perpendicular vector, as for spheres.
        """
        ox, oy, oz = minus(rays.origin, self.centre)
        dx, dy, dz = rays.dx, rays.dy, rays.dz
        norm_sq = dx * dx + dy * dy + np.float32(1e-12)
        middle = (dx * ox + dy * oy) / -norm_sq
        ex, ey = dx * middle + ox, dy * middle + oy
        inside_sq = self.radius * self.radius - (ex * ex + ey * ey)
        t = middle - np.sqrt(np.maximum(inside_sq, 0.0) / norm_sq)
        z = dz * t + oz
        t[(inside_sq < 0.0) | (t <= 0.0) | (np.abs(z) > self.half_height)] = np.inf
        face = np.zeros(t.shape, np.uint8)
        if abs(oz) > self.half_height:
            level = np.copysign(self.half_height, oz)
            # A level ray meets no cap: inf, or NaN where it goes along an axis, compares False.
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                cap = np.float32(level - oz) / dz
                cap_x, cap_y = dx * cap + ox, dy * cap + oy
                on_cap = (cap > 0.0) & (cap_x * cap_x + cap_y * cap_y <= self.radius * self.radius)
            np.copyto(t, cap, where=on_cap)
            face[on_cap] = CAP
        return t, face

    def contact(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Return a soft falloff around the foot; a fit by eye."""
        left, front = x - self.centre[0], y - self.centre[1]
        clearance = self.centre[2] - self.half_height
        away = (left * left + front * front + clearance * clearance) / (4.0 * self.radius**2)
        hidden: FloatArray = 0.8 / ((1.0 + away) * (1.0 + away))
        return hidden
