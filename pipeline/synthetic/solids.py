"""Spheres and upright boxes: where rays meet them, and what they shade on the floor below.

Geometry only, at one instant; colours are the business of `surfaces`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .panel import Frame
from .rays import FloatArray, Rays
from .vector import Vec3, cross, dot, length, minus, plus, times


class Solid(Protocol):
    """A convex body standing or floating in the room."""

    @property
    def centre(self) -> Vec3:
        """The centre of the bounding ball, metres."""

    @property
    def reach(self) -> float:
        """The radius of the bounding ball, metres."""

    @property
    def corners(self) -> tuple[Vec3, ...]:
        """Points whose convex hull holds the body; none when only the bounding ball is known."""

    def intersect(self, rays: Rays) -> tuple[FloatArray, NDArray[np.uint8]]:
        """Return where rays enter: t (inf where they miss) and the face met there.

        Called once per body and band of rays; the origin is outside the body.
        """

    def contact(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Return how much of the sky the body hides from floor points, 0..1."""


@dataclass(frozen=True, slots=True)
class Sphere:
    """A sphere whose pattern is turned to the axes `spin` (three perpendicular unit vectors)."""

    centre: Vec3
    radius: float
    spin: tuple[Vec3, Vec3, Vec3]

    @property
    def reach(self) -> float:
        """The radius, metres."""
        return self.radius

    @property
    def corners(self) -> tuple[Vec3, ...]:
        """None: a ball fills its bounding ball."""
        return ()

    def intersect(self, rays: Rays) -> tuple[FloatArray, NDArray[np.uint8]]:
        """Return t float32 and face 0, both in the rays' shape.

        The squared distance from centre to ray is taken from the perpendicular vector itself:
        b^2 - c cancels in float32 (Haines et al., Ray Tracing Gems, 2019, chapter 7).
        """
        cx, cy, cz = minus(self.centre, rays.origin)
        dx, dy, dz = rays.dx, rays.dy, rays.dz
        norm_sq = dx * dx + dy * dy + dz * dz
        middle = (dx * cx + dy * cy + dz * cz) / norm_sq
        ex, ey, ez = dx * middle - cx, dy * middle - cy, dz * middle - cz
        inside_sq = self.radius * self.radius - (ex * ex + ey * ey + ez * ez)
        t = middle - np.sqrt(np.maximum(inside_sq, 0.0) / norm_sq)
        t[(inside_sq < 0.0) | (t <= 0.0)] = np.inf
        return t, np.zeros(t.shape, np.uint8)

    def contact(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Return the cosine-weighted part of the hemisphere that the ball covers: h r^2 / d^3."""
        cx, cy, height = self.centre
        distance_sq = (x - cx) ** 2 + (y - cy) ** 2 + height * height
        factor = self.radius * self.radius * height
        return factor / (distance_sq * np.sqrt(distance_sq))


@dataclass(frozen=True, slots=True)
class Box:
    """A box of half extents `half`, turned by `yaw_rad` about the vertical."""

    centre: Vec3
    half: Vec3
    yaw_rad: float

    @property
    def reach(self) -> float:
        """Half the space diagonal, metres."""
        return length(self.half)

    @property
    def corners(self) -> tuple[Vec3, ...]:
        """The eight corners, metres."""
        a, b, _ = self.axes
        across, along = times(a, self.half[0]), times(b, self.half[1])
        ends = (plus(across, along), minus(across, along))
        feet = [plus(self.centre, times(end, sign)) for end in ends for sign in (1.0, -1.0)]
        return tuple((x, y, z + lift) for x, y, z in feet for lift in (-self.half[2], self.half[2]))

    @property
    def axes(self) -> tuple[Vec3, Vec3, Vec3]:
        """The box's own unit axes in the world."""
        cos, sin = math.cos(self.yaw_rad), math.sin(self.yaw_rad)
        return (cos, sin, 0.0), (-sin, cos, 0.0), (0.0, 0.0, 1.0)

    def intersect(self, rays: Rays) -> tuple[FloatArray, NDArray[np.uint8]]:
        """Return t float32 and the axis (0, 1, 2) of the face met, by the slab method."""
        near = np.full(rays.dx.shape, -np.inf, np.float32)
        far = np.full(rays.dx.shape, np.inf, np.float32)
        face = np.zeros(rays.dx.shape, np.uint8)
        offset = minus(rays.origin, self.centre)
        for index, (axis, half) in enumerate(zip(self.axes, self.half, strict=True)):
            along = rays.along(axis)
            # A ray exactly parallel to a slab would make 0 * inf; a tiny slope says the same.
            along[along == 0.0] = 1e-30
            inverse = 1.0 / along
            middle = inverse * -dot(offset, axis)
            margin = np.abs(inverse) * half
            enter = middle - margin
            face[enter > near] = index
            near = np.maximum(near, enter)
            far = np.minimum(far, middle + margin)
        near[(near > far) | (near <= 0.0)] = np.inf
        return near, face

    def frames(self, eye: Vec3) -> tuple[Frame, Frame, Frame]:
        """Return, for each axis, the one face across it that `eye` may see."""
        a, _, c = self.axes
        to_eye = minus(eye, self.centre)
        out = [times(axis, math.copysign(1.0, dot(to_eye, axis))) for axis in self.axes]
        w, d, h = self.half
        return (
            self._face(out[0], cross(c, out[0]), (w, d, h)),
            self._face(out[1], cross(c, out[1]), (d, w, h)),
            self._face(out[2], a, (h, w, d)),
        )

    def _face(self, normal: Vec3, right: Vec3, half: Vec3) -> Frame:
        """`half`: extents along the normal, to the right and down."""
        across = times(right, 2.0 * half[1])
        down = times(cross(right, normal), 2.0 * half[2])
        middle = plus(self.centre, times(normal, half[0]))
        return Frame(minus(middle, times(plus(across, down), 0.5)), across, down)

    def contact(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Return a soft falloff around the footprint; a fit by eye, not an integral."""
        a, b, _ = self.axes
        left, front = x - self.centre[0], y - self.centre[1]
        out_a = np.maximum(np.abs(left * a[0] + front * a[1]) - self.half[0], 0.0)
        out_b = np.maximum(np.abs(left * b[0] + front * b[1]) - self.half[1], 0.0)
        clearance = self.centre[2] - self.half[2]
        softness = self.half[2] * self.half[2] * 0.5
        away = (out_a * out_a + out_b * out_b + clearance * clearance) / softness
        hidden: FloatArray = 0.75 / ((1.0 + away) * (1.0 + away))
        return hidden
