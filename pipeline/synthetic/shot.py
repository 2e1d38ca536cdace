"""The camera's path in a training scene: hand-held, never quite level -> a camera at a moment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from .action import CameraPath
from .camera import Camera
from .motion import Moment
from .vector import Vec3, plus, times


@dataclass(frozen=True, slots=True)
class Shot(CameraPath):
    """A camera path with a lens and a roll, swaying a little more.

    It looks at `aim`, which is near the target; `focal` is in lengths of the picture's long side.
    """

    sway_m: ClassVar[float] = 0.012

    aim: Vec3
    roll_rad: float
    focal: float

    def camera(self, moment: Moment, size_hw: tuple[int, int]) -> Camera:
        """Return the camera at a moment."""
        level = self.looking_at(self.aim, moment, size_hw)
        cos, sin = math.cos(self.roll_rad), math.sin(self.roll_rad)
        right = plus(times(level.right, cos), times(level.down, sin))
        down = plus(times(level.down, cos), times(level.right, -sin))
        return Camera(level.position, right, down, level.forward, size_hw, self.focal)
