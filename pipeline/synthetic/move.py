"""What happens in a clip of a training scene: the action's name, the shot, the lead body's way.

approach and recede: the camera goes towards, or away from, the leading body. pass-left and
pass-right: the leading body crosses the view of a standing camera. orbit: the camera goes round
it. collide: it runs to and fro into two others. still: nothing leads anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from .action import ACTIONS
from .dice import Dice
from .shot import Shot
from .vector import Vec3

_TRIES = 400
_SHRINK = 0.99


class Stage(Protocol):
    """Where a clip plays: how much space there is, and what is usual there. Asked once a clip."""

    @property
    def lead_radius_m(self) -> tuple[float, float]:
        """Least and greatest radius of a leading body."""

    @property
    def camera_height_m(self) -> tuple[float, float]:
        """Least and greatest height of a camera."""

    @property
    def lens(self) -> tuple[float, float]:
        """Least and greatest focal length, in lengths of the picture's long side."""

    @property
    def farthest_m(self) -> float:
        """The greatest distance between camera and leading body."""

    def place(self, dice: Dice) -> tuple[float, float]:
        """Return x and y where a leading body may be."""

    def azimuth_rad(self, dice: Dice) -> float:
        """Return from which side a camera looks at it."""

    def clear_m(self, x: float, y: float, azimuth_rad: float) -> float:
        """Return how far one may go from (x, y) in a direction."""


@dataclass(frozen=True, slots=True)
class Crash:
    """Two bodies of a radius at the ends of the leading body's way, hit every `period_s`."""

    radius_m: float
    half_m: float
    period_s: float
    phase: float


@dataclass(frozen=True, slots=True)
class Move:
    """A clip's action; the lead goes -travel_m / 2 .. +travel_m / 2 along `course`, or crashes."""

    name: str
    shot: Shot
    course: Vec3
    lead_radius_m: float
    travel_m: float = 0.0
    crash: Crash | None = None


@dataclass(frozen=True, slots=True)
class _Try:
    """One attempt's draws that all actions share."""

    stage: Stage
    dice: Dice
    x: float
    y: float
    azimuth: float
    radius: float
    focal: float
    seconds: float

    def clear(self, turn_rad: float = 0.0) -> float:
        return self.stage.clear_m(self.x, self.y, self.azimuth + turn_rad)

    @property
    def sideways(self) -> float:
        return min(self.clear(0.5 * math.pi), self.clear(-0.5 * math.pi))

    @property
    def standing(self) -> float | None:
        """A distance from which a standing camera sees the lead well."""
        nearest = 2.6 * self.radius + 0.4
        farthest = min(self.clear(), 0.7 * self.stage.farthest_m, 9.0 * self.radius)
        return self.dice.between(nearest, farthest) if farthest > nearest else None

    def move(
        self,
        name: str,
        radius_m: tuple[float, float],
        *,
        sweep_rad: float = 0.0,
        course_rad: float = 0.5 * math.pi,
        travel_m: float = 0.0,
        crash: Crash | None = None,
    ) -> Move:
        dice, near = self.dice, min(radius_m)
        low, high = self.stage.camera_height_m
        height = dice.between(low, max(low, min(high, 0.75 * near + self.radius)))
        aim = (
            self.x + dice.between(-0.06, 0.06) * near,
            self.y + dice.between(-0.06, 0.06) * near,
            self.radius * dice.between(0.6, 1.3) + 0.25 * height * dice.between(0.0, 1.0),
        )
        shot = Shot(
            (self.x, self.y, self.radius),
            radius_m,
            (self.azimuth - 0.5 * sweep_rad, self.azimuth + 0.5 * sweep_rad),
            height,
            aim,
            dice.between(-0.06, 0.06),
            self.focal,
        )
        along = self.azimuth + course_rad
        course = (math.cos(along), math.sin(along), 0.0)
        return Move(name, shot, course, self.radius, travel_m, crash)


def choose_move(stage: Stage, dice: Dice, seconds: float) -> Move:
    """Return one of ACTIONS, all equally likely, that fits the stage.

    Args:
        stage: decides distances and heights.
        dice: decides the rest.
        seconds: how long the clip is; a crash repeats at least once in it.
    """
    name = dice.pick(ACTIONS)
    for attempt in range(_TRIES):
        x, y = stage.place(dice)
        radius = dice.between(*stage.lead_radius_m) * _SHRINK**attempt
        azimuth, focal = stage.azimuth_rad(dice), dice.between(*stage.lens)
        drawn = _DRAWS[name](_Try(stage, dice, x, y, azimuth, radius, focal, seconds))
        if drawn is not None:
            return drawn
    raise AssertionError(f"a stage without room for {name!r}: {stage!r}")


def free_way(at: float, way: float, half: float) -> float:
    """Return how far it is from `at` to -half or +half when `way` of each metre goes there."""
    if abs(way) < 1e-6:
        return math.inf
    return max((math.copysign(half, way) - at) / way, 0.0)


def _approach(draw: _Try) -> Move | None:
    far, near = _distances(draw)
    return None if far < 1.8 * near else draw.move("approach", (far, near))


def _recede(draw: _Try) -> Move | None:
    far, near = _distances(draw)
    return None if far < 1.8 * near else draw.move("recede", (near, far))


def _distances(draw: _Try) -> tuple[float, float]:
    near = draw.radius * draw.dice.between(2.0, 3.0) + 0.35
    far = min(draw.clear(), draw.stage.farthest_m, 5.0 * near) * draw.dice.between(0.8, 1.0)
    return far, near


def _pass_left(draw: _Try) -> Move | None:
    return _passing(draw, "pass-left", -1.0)


def _pass_right(draw: _Try) -> Move | None:
    return _passing(draw, "pass-right", 1.0)


def _passing(draw: _Try, name: str, sign: float) -> Move | None:
    standing = draw.standing
    if standing is None:
        return None
    view = 0.5 * standing / draw.focal
    half = min(view * draw.dice.between(0.75, 1.1), draw.sideways - draw.radius)
    if half < 0.6 * view:
        return None
    return draw.move(name, (standing, standing), travel_m=2.0 * sign * half)


def _orbit(draw: _Try) -> Move | None:
    sweep = draw.dice.between(1.1, 2.2) * draw.dice.pick((-1.0, 1.0))
    room = min(draw.clear(sweep * step / 16) for step in range(-8, 9))
    radius = min(room, 0.7 * draw.stage.farthest_m, 8.0 * draw.radius)
    radius *= draw.dice.between(0.75, 1.0)
    if radius < 2.4 * draw.radius + 0.4:
        return None
    return draw.move("orbit", (radius, radius), sweep_rad=sweep)


def _collide(draw: _Try) -> Move | None:
    standing = draw.standing
    if standing is None:
        return None
    total = min(0.44 * standing / draw.focal, 0.75 * draw.sideways)
    end = total * draw.dice.between(0.14, 0.20)
    half = total - 2.0 * end - draw.radius
    if half < 1.2 * draw.radius:
        return None
    period = min(draw.dice.between(1.2, 2.2), draw.seconds)
    crash = Crash(end, half, period, draw.dice.between(0.0, 1.0))
    turn = 0.5 * math.pi + draw.dice.between(-0.2, 0.2)
    return draw.move("collide", (standing, standing), course_rad=turn, crash=crash)


def _still(draw: _Try) -> Move | None:
    standing = draw.standing
    return None if standing is None else draw.move("still", (standing, standing))


_DRAWS: dict[str, Callable[[_Try], Move | None]] = {
    "approach": _approach,
    "recede": _recede,
    "pass-left": _pass_left,
    "pass-right": _pass_right,
    "orbit": _orbit,
    "collide": _collide,
    "still": _still,
}
