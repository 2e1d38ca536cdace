"""The one action of a clip: its name, and the camera path that does it.

approach and recede: the camera goes towards, or away from, the leading body. orbit: it goes round
it. pass-left and pass-right: the camera stands, and the leading body crosses its view that way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from .camera import FOCAL_PER_LONG_SIDE, Camera
from .dice import Dice
from .motion import Moment
from .vector import Vec3

# Positions are stored in trained heads: append, never reorder. The room knows the first five.
ACTIONS: tuple[str, ...] = (
    "approach",
    "recede",
    "pass-left",
    "pass-right",
    "orbit",
    "collide",
    "still",
)
ROOM_ACTIONS = ACTIONS[:5]


@dataclass(frozen=True, slots=True)
class CameraPath:
    """A camera that looks at `target` from a circle around it, at a height over the floor.

    Radius and azimuth (0 along x, counter-clockwise seen from above) go from their first value to
    their second in the course of the clip. A hand's sway is added.
    """

    sway_m: ClassVar[float] = 0.01

    target: Vec3
    radius_m: tuple[float, float]
    azimuth_rad: tuple[float, float]
    height_m: float

    def position(self, moment: Moment) -> Vec3:
        """Return where the camera stands, metres."""
        radius = _between(self.radius_m, moment.progress)
        azimuth = _between(self.azimuth_rad, moment.progress)
        lift = self.sway_m * math.sin(2.0 * math.pi * 0.37 * moment.time_s)
        return (
            self.target[0] + radius * math.cos(azimuth),
            self.target[1] + radius * math.sin(azimuth),
            self.height_m + lift,
        )

    def camera(self, moment: Moment, size_hw: tuple[int, int]) -> Camera:
        """Return the camera at a moment."""
        return self.looking_at(self.target, moment, size_hw)

    def looking_at(self, point: Vec3, moment: Moment, size_hw: tuple[int, int]) -> Camera:
        """Return a camera on the path that has a point before it, as a hand holds it."""
        x, y, z = point
        drift = self.sway_m * math.sin(2.0 * math.pi * 0.23 * moment.time_s)
        return Camera.look_at(self.position(moment), (x + drift, y, z), size_hw)


@dataclass(frozen=True, slots=True)
class Action:
    """A clip's action: its name, the camera's path, and the leading body's way through the room.

    The leading body goes from -lead_m / 2 to +lead_m / 2 along `course` through the path's target.
    """

    name: str
    path: CameraPath
    course: Vec3
    lead_m: float

    @property
    def ahead(self) -> Vec3:
        """The horizontal unit vector in which the camera looks at the start."""
        azimuth = self.path.azimuth_rad[0]
        return (-math.cos(azimuth), -math.sin(azimuth), 0.0)


def choose_action(dice: Dice) -> Action:
    """Return one of `ROOM_ACTIONS`, all equally likely, with its particulars."""
    name = dice.pick(ROOM_ACTIONS)
    target = (dice.between(-0.2, 0.2), dice.between(0.0, 0.4), 0.78)
    height = dice.between(1.35, 1.65)
    azimuth = -0.5 * math.pi + dice.between(-0.3, 0.3)
    right = (-math.sin(azimuth), math.cos(azimuth), 0.0)
    far, near = dice.between(3.2, 3.5), dice.between(1.5, 1.7)
    standing = dice.between(2.6, 2.8)
    sweep = dice.between(1.8, 2.6) * dice.pick((-1.0, 1.0))
    view_m = standing / FOCAL_PER_LONG_SIDE
    radius, turn, lead_m = {
        "approach": ((far, near), 0.0, 0.0),
        "recede": ((near, far), 0.0, 0.0),
        "pass-left": ((standing, standing), 0.0, -view_m),
        "pass-right": ((standing, standing), 0.0, view_m),
        "orbit": ((2.4, 2.4), sweep, 0.0),
    }[name]
    path = CameraPath(target, radius, (azimuth - 0.5 * turn, azimuth + 0.5 * turn), height)
    return Action(name, path, right, lead_m)


def _between(ends: tuple[float, float], share: float) -> float:
    return ends[0] + (ends[1] - ends[0]) * share
