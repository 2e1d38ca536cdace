"""Where a body is at a moment: a course through the room, a sway, a hop, a turn.

Pure functions of the moment; nothing is integrated, so any frame can be asked for first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .vector import UP, Vec3, cross, plus, times, turned


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant of a clip: seconds since its start, and 0..1 of the way to its last frame."""

    time_s: float
    progress: float


@dataclass(frozen=True, slots=True)
class Motion:
    """A movement along a horizontal unit vector `course` from `start`, metres and radians.

    `travel_m` is covered once in the clip; `sway_m` (to and fro) and `hop_m` (up and down) repeat
    every `period_s`; `turn_rad_s` is about the vertical.
    """

    start: Vec3
    course: Vec3 = (1.0, 0.0, 0.0)
    travel_m: float = 0.0
    sway_m: float = 0.0
    hop_m: float = 0.0
    period_s: float = 1.0
    turn_rad_s: float = 0.0

    def position(self, moment: Moment) -> Vec3:
        """Return the centre, metres."""
        share = math.modf(moment.time_s / self.period_s)[0]
        lift = self.hop_m * 4.0 * share * (1.0 - share)
        return plus(plus(self.start, times(self.course, self._advance_m(moment))), (0.0, 0.0, lift))

    def yaw_rad(self, moment: Moment) -> float:
        """Return the angle turned about the vertical."""
        return self.turn_rad_s * moment.time_s

    def rolled(self, axis: Vec3, moment: Moment, radius_m: float) -> Vec3:
        """Return a body axis of a ball that turns, and rolls on the floor without slipping."""
        upright = turned(axis, UP, self.yaw_rad(moment))
        return turned(upright, cross(UP, self.course), self._advance_m(moment) / radius_m)

    def _advance_m(self, moment: Moment) -> float:
        phase = 2.0 * math.pi * moment.time_s / self.period_s
        return self.travel_m * moment.progress + self.sway_m * math.sin(phase)
