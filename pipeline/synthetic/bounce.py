"""Movements of bodies that run into each other: to and fro between two others, and their recoil.

Pure functions of the moment, as in `motion`: nothing is integrated.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

from .motion import Moment
from .vector import UP, Vec3, cross, plus, times, turned


class Movement(Protocol):
    """Where a body is over time; `motion.Motion` is one. Asked a few times per frame."""

    def position(self, moment: Moment) -> Vec3:
        """Return the centre, metres."""

    def yaw_rad(self, moment: Moment) -> float:
        """Return the angle turned about the vertical."""

    def rolled(self, axis: Vec3, moment: Moment, radius_m: float) -> Vec3:
        """Return a body axis of a ball that rolls along."""


@dataclass(frozen=True, slots=True)
class _Along(ABC):
    """Along `course`, forwards and backwards, by the metres that a kind of movement says."""

    origin: Vec3
    course: Vec3

    def position(self, moment: Moment) -> Vec3:
        """Return the centre, metres."""
        return plus(self.origin, times(self.course, self._advance_m(moment)))

    def yaw_rad(self, moment: Moment) -> float:
        """It does not turn."""
        return 0.0

    def rolled(self, axis: Vec3, moment: Moment, radius_m: float) -> Vec3:
        """Return a body axis of a ball that rolls without slipping."""
        return turned(axis, cross(UP, self.course), self._advance_m(moment) / radius_m)

    @abstractmethod
    def _advance_m(self, moment: Moment) -> float:
        """Metres from the origin along the course."""


@dataclass(frozen=True, slots=True)
class Bounce(_Along):
    """To and fro at constant speed between `origin` -+ half_m * course, hitting both ends.

    The first end is hit at -phase, and again every `period_s`; the other end half a period later.
    """

    half_m: float
    period_s: float
    phase: float

    def _advance_m(self, moment: Moment) -> float:
        share = _share(moment, self.period_s, self.phase)
        return self.half_m * (4.0 * share - 1.0 if share < 0.5 else 3.0 - 4.0 * share)


@dataclass(frozen=True, slots=True)
class Recoil(_Along):
    """Knocked `kick_m` along `course` every `period_s`, and back in place before the next hit."""

    kick_m: float
    period_s: float
    phase: float

    def _advance_m(self, moment: Moment) -> float:
        share = _share(moment, self.period_s, self.phase)
        # Fast away, slowly back: at its farthest (the factor makes that 1) after a third.
        return self.kick_m * 6.75 * share * (1.0 - share) * (1.0 - share)


def _share(moment: Moment, period_s: float, phase: float) -> float:
    turns = moment.time_s / period_s + phase
    return turns - math.floor(turns)
