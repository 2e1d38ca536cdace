"""The camera's path in a training scene: hand-held, never quite level -> a camera at a moment."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .camera import Camera
from .motion import Moment
from .vector import Vec3, plus, times

_SWAY_M = 0.012


@dataclass(frozen=True, slots=True)
class Shot:
    """A camera on a circle around `target`, as `action.CameraPath`, with a lens and a roll.

    It looks at `aim`, which is near the target; `focal` is in lengths of the picture's long side.
    """

    target: Vec3
    aim: Vec3
    radius_m: tuple[float, float]
    azimuth_rad: tuple[float, float]
    height_m: float
    roll_rad: float
    focal: float

    def position(self, moment: Moment) -> Vec3:
        """Return where the camera stands, metres."""
        radius = _between(self.radius_m, moment.progress)
        azimuth = _between(self.azimuth_rad, moment.progress)
        lift = _SWAY_M * math.sin(2.0 * math.pi * 0.37 * moment.time_s)
        return (
            self.target[0] + radius * math.cos(azimuth),
            self.target[1] + radius * math.sin(azimuth),
            self.height_m + lift,
        )

    def camera(self, moment: Moment, size_hw: tuple[int, int]) -> Camera:
        """Return the camera at a moment."""
        x, y, z = self.aim
        drift = _SWAY_M * math.sin(2.0 * math.pi * 0.23 * moment.time_s)
        level = Camera.look_at(self.position(moment), (x + drift, y, z), size_hw)
        cos, sin = math.cos(self.roll_rad), math.sin(self.roll_rad)
        right = plus(times(level.right, cos), times(level.down, sin))
        down = plus(times(level.down, cos), times(level.right, -sin))
        return Camera(level.position, right, down, level.forward, size_hw, self.focal)


def _between(ends: tuple[float, float], share: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * share
