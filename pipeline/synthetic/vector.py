"""Three-vectors of plain floats for the few values that a frame has one of.

World axes: x right, y away, z up, right-handed, metres. Per-pixel values live in `rays`.
"""

from __future__ import annotations

import math

Vec3 = tuple[float, float, float]

UP: Vec3 = (0.0, 0.0, 1.0)


def plus(a: Vec3, b: Vec3) -> Vec3:
    """Return a + b."""
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2])


def minus(a: Vec3, b: Vec3) -> Vec3:
    """Return a - b."""
    return (a[0] - b[0], a[1] - b[1], a[2] - b[2])


def times(a: Vec3, factor: float) -> Vec3:
    """Return a scaled by `factor`."""
    return (a[0] * factor, a[1] * factor, a[2] * factor)


def dot(a: Vec3, b: Vec3) -> float:
    """Return the scalar product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: Vec3, b: Vec3) -> Vec3:
    """Return the right-handed vector product."""
    return (
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    )


def length(a: Vec3) -> float:
    """Return the Euclidean length."""
    return math.sqrt(dot(a, a))


def unit(a: Vec3) -> Vec3:
    """Return a scaled to length 1; `a` must not be the zero vector."""
    return times(a, 1.0 / length(a))


def turned(a: Vec3, axis: Vec3, angle_rad: float) -> Vec3:
    """Return `a` turned about the unit vector `axis` (Rodrigues' rotation formula)."""
    cos, sin = math.cos(angle_rad), math.sin(angle_rad)
    along = times(axis, dot(axis, a) * (1.0 - cos))
    return plus(plus(times(a, cos), times(cross(axis, a), sin)), along)
