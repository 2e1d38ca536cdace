"""The light of a room: one lamp, daylight from one side, and the rest from everywhere.

Positions and normals -> linear irradiance; a display value is its square root (gamma 2), so light
multiplies display colours by sqrt(irradiance). Casts no shadows itself: see `shadow`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .rays import FloatArray
from .vector import Vec3

FloatLike = FloatArray | float


class Lighting(Protocol):
    """What lights a scene; `Light` is one. Asked once per surface and band of rays."""

    def irradiance(
        self, points: tuple[FloatLike, ...], normal: tuple[FloatLike, ...]
    ) -> FloatArray:
        """Return the linear light that arrives, of the broadcast shape; white is full at 1."""

    def gloss(
        self,
        points: tuple[FloatArray, FloatArray, FloatArray],
        normal: tuple[FloatArray, FloatArray, FloatArray],
        eye: Vec3,
    ) -> FloatArray:
        """Return the mirror highlight, 0..1 float32 [N]."""


@dataclass(frozen=True, slots=True)
class Light:
    """The lamp's position, the unit vector towards the daylight, and their strengths."""

    lamp: Vec3
    daylight: Vec3
    ambient: float = 0.46
    lamp_power: float = 3.7
    daylight_power: float = 0.34

    def irradiance(
        self, points: tuple[FloatLike, ...], normal: tuple[FloatLike, ...]
    ) -> FloatArray:
        """Return the linear light that arrives.

        Args:
            points: x, y, z in metres, broadcastable with each other.
            normal: unit normal's x, y, z, floats or arrays like `points`.

        Returns:
            float32 of the broadcast shape; white paper is fully bright at 1.
        """
        lx, ly, lz = (lamp - p for lamp, p in zip(self.lamp, points, strict=True))
        nx, ny, nz = normal
        distance_sq = lx * lx + ly * ly + lz * lz
        facing = np.maximum(lx * nx + ly * ny + lz * nz, 0.0)
        # A lamp of finite size: the inverse square stops growing within half a metre.
        lamp = facing / (np.sqrt(distance_sq) * (distance_sq + 0.25))
        sx, sy, sz = self.daylight
        daylight = np.maximum(sx * nx + sy * ny + sz * nz + 0.25, 0.0) * (1 / 1.25)
        around = nz * 0.2 + 0.8
        total = lamp * self.lamp_power + daylight * self.daylight_power + around * self.ambient
        return np.asarray(total, np.float32)

    def gloss(
        self,
        points: tuple[FloatArray, FloatArray, FloatArray],
        normal: tuple[FloatArray, FloatArray, FloatArray],
        eye: Vec3,
    ) -> FloatArray:
        """Return the lamp's mirror highlight, 0..1 float32 [N] (Blinn's half vector, power 64)."""
        lamp_way = _unit([lamp - p for lamp, p in zip(self.lamp, points, strict=True)])
        eye_way = _unit([e - p for e, p in zip(eye, points, strict=True)])
        half = _unit([a + b for a, b in zip(lamp_way, eye_way, strict=True)])
        shine = np.maximum(half[0] * normal[0] + half[1] * normal[1] + half[2] * normal[2], 0.0)
        for _ in range(6):
            shine = shine * shine
        return shine


def _unit(vector: list[FloatArray]) -> list[FloatArray]:
    x, y, z = vector
    scale = 1.0 / np.sqrt(x * x + y * y + z * z)
    return [x * scale, y * scale, z * scale]
