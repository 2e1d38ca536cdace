"""A walk over the ground: along a bend at a constant speed, with pauses -> where a body is.

Pure functions of the moment, as in `motion`: nothing is integrated.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from dataclasses import dataclass

from .motion import Moment
from .vector import UP, Vec3, turned

Place = tuple[float, float]

_CHORDS = 32


class Bend:
    """A quadratic Bezier curve on the ground, from `start` towards `over` to `end`; metres."""

    __slots__ = ("_ends", "_lengths")

    def __init__(self, start: Place, over: Place, end: Place) -> None:
        self._ends = (start, over, end)
        knots = [self._at(step / _CHORDS) for step in range(_CHORDS + 1)]
        self._lengths = [0.0]
        for before, after in itertools.pairwise(knots):
            self._lengths.append(self._lengths[-1] + math.dist(before, after))

    @property
    def length_m(self) -> float:
        """How long it is."""
        return self._lengths[-1]

    def place(self, walked_m: float) -> Place:
        """Return where one is after so many metres, 0 .. length_m."""
        return self._at(self._share(walked_m))

    def heading_rad(self, walked_m: float) -> float:
        """Return in which direction one walks there, from x towards y."""
        share = self._share(walked_m)
        (ax, ay), (bx, by), (cx, cy) = self._ends
        along = (
            (1.0 - share) * (b - a) + share * (c - b) for a, b, c in ((ax, bx, cx), (ay, by, cy))
        )
        x, y = along
        return math.atan2(y, x)

    def _at(self, share: float) -> Place:
        (ax, ay), (bx, by), (cx, cy) = self._ends
        left = 1.0 - share
        first, second, third = left * left, 2.0 * left * share, share * share
        return first * ax + second * bx + third * cx, first * ay + second * by + third * cy

    def _share(self, walked_m: float) -> float:
        """The curve's parameter after so many metres."""
        chord = min(max(bisect_right(self._lengths, walked_m) - 1, 0), _CHORDS - 1)
        before, after = self._lengths[chord : chord + 2]
        return (chord + (walked_m - before) / (after - before)) / _CHORDS


@dataclass(frozen=True, slots=True)
class Walk:
    """Along `bend` from `begin_s` on. Implements `bounce.Movement`.

    pauses: after how many metres, in order, and for how many seconds.
    """

    bend: Bend
    begin_s: float
    speed_m_s: float
    pauses: tuple[tuple[float, float], ...] = ()

    @property
    def end_s(self) -> float:
        """When it is over."""
        paused_s = sum(pause_s for _, pause_s in self.pauses)
        return self.begin_s + self.bend.length_m / self.speed_m_s + paused_s

    def position(self, moment: Moment) -> Vec3:
        """Return the place, on the ground."""
        return (*self.bend.place(self._walked_m(moment)), 0.0)

    def yaw_rad(self, moment: Moment) -> float:
        """Return where it is headed."""
        return self.bend.heading_rad(self._walked_m(moment))

    def rolled(self, axis: Vec3, moment: Moment, radius_m: float) -> Vec3:
        """Return a body axis of a ball that rolls without slipping, and turns with the bend."""
        onward = turned(axis, (0.0, 1.0, 0.0), self._walked_m(moment) / radius_m)
        return turned(onward, UP, self.yaw_rad(moment))

    def _walked_m(self, moment: Moment) -> float:
        walked_m = (moment.time_s - self.begin_s) * self.speed_m_s
        for at_m, pause_s in self.pauses:
            if walked_m > at_m:
                walked_m = max(walked_m - pause_s * self.speed_m_s, at_m)
        return min(max(walked_m, 0.0), self.bend.length_m)
