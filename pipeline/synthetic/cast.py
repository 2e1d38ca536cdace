"""Who is in a clip of a training scene: the leading body, what it crashes into, and bystanders.

Bystanders stand where they are in nobody's way: not on the camera's or the leading body's path,
nor between the two.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from .bounce import Bounce, Movement, Recoil
from .dice import Dice
from .motion import Moment, Motion
from .move import Move
from .parts import Thing
from .things import leading
from .vector import Vec3, plus, times

_STEPS = 16
_GAP_M = 0.08


@dataclass(frozen=True, slots=True)
class Sight:
    """A line of sight over the floor, from a camera to the leading body, and its half width."""

    eye: Vec3
    lead: tuple[float, float]
    slack_m: float

    def distance_m(self, x: float, y: float) -> float:
        """Return how far (x, y) is from the line between the two."""
        ax, ay, _ = self.eye
        dx, dy = self.lead[0] - ax, self.lead[1] - ay
        share = ((x - ax) * dx + (y - ay) * dy) / max(dx * dx + dy * dy, 1e-9)
        share = min(max(share, 0.0), 1.0)
        return math.hypot(x - ax - share * dx, y - ay - share * dy)


@dataclass(frozen=True, slots=True)
class Ground:
    """The floor that is taken: discs (x, y, radius), and the camera's places with their space."""

    eyes: tuple[Vec3, ...]
    camera_gap_m: float
    sights: tuple[Sight, ...]
    taken: list[tuple[float, float, float]] = field(default_factory=list)

    def claim(self, x: float, y: float, radius: float) -> bool:
        """Take a disc of floor for a body; return False when it would be in somebody's way."""
        if any(math.hypot(x - a, y - b) < radius + r + _GAP_M for a, b, r in self.taken):
            return False
        gap = radius + self.camera_gap_m
        if any(math.hypot(x - eye[0], y - eye[1]) < gap for eye in self.eyes):
            return False
        if any(sight.distance_m(x, y) < radius + sight.slack_m for sight in self.sights):
            return False
        self.taken.append((x, y, radius))
        return True


def ground_of(move: Move, camera_gap_m: float) -> Ground:
    """Return the floor as a move leaves it: its bodies' ways are taken."""
    moments = [Moment(0.0, step / _STEPS) for step in range(_STEPS + 1)]
    eyes = tuple(move.shot.position(moment) for moment in moments)
    ways = [_lead_at(move, step / _STEPS) for step in range(_STEPS + 1)]
    slack = 0.6 * move.lead_radius_m
    sights = tuple(Sight(eye, way, slack) for eye, way in zip(eyes, ways, strict=True))
    taken = [(x, y, move.lead_radius_m) for x, y in ways]
    if move.crash is not None:
        radius = move.crash.radius_m * 3.0 + 0.05
        taken += [(end[0], end[1], radius) for end in _ends(move)]
    return Ground(eyes, camera_gap_m, sights, taken)


def leads(move: Move, dice: Dice, kinds: tuple[str, ...]) -> list[Thing]:
    """Return the leading body and, for a crash, the two that it runs into."""
    kind = dice.pick(kinds)
    radius = move.lead_radius_m
    if move.crash is not None:
        return _crash(move, dice, kind, kinds)
    x, y, _ = move.shot.target
    start = plus((x, y, 0.0), times(move.course, -0.5 * move.travel_m))
    turn = 0.0
    if move.name in ("approach", "recede", "still") and kind != "car" and dice.chance(0.3):
        turn = dice.between(0.3, 0.9) * dice.pick((-1.0, 1.0))
    way = Motion(start, move.course, move.travel_m, turn_rad_s=turn)
    facing = move.course
    if not move.travel_m:
        angle = dice.between(0.0, 2.0 * math.pi)
        facing = (math.cos(angle), math.sin(angle), 0.0)
    return [leading(kind, way, radius, dice, facing)]


def standing(x: float, y: float) -> Motion:
    """Return the movement of what stands still."""
    return Motion((x, y, 0.0))


def idle(x: float, y: float, dice: Dice, *, hop_m: float, turns: bool) -> Movement:
    """Return what a bystander does where it stands: most do nothing, some hop or turn."""
    if not dice.chance(0.25):
        return standing(x, y)
    if turns:
        return Motion((x, y, 0.0), turn_rad_s=dice.between(0.3, 0.9) * dice.pick((-1.0, 1.0)))
    return Motion((x, y, 0.0), hop_m=hop_m, period_s=dice.between(0.9, 1.4))


def _crash(move: Move, dice: Dice, kind: str, kinds: tuple[str, ...]) -> list[Thing]:
    crash = move.crash
    assert crash is not None
    x, y, _ = move.shot.target
    way = Bounce((x, y, 0.0), move.course, crash.half_m, crash.period_s, crash.phase)
    things = [leading(kind, way, move.lead_radius_m, dice, move.course)]
    kick = crash.radius_m * dice.between(0.9, 1.6)
    # The first end is hit when a period begins, the second in its middle.
    for end, sign, late in zip(_ends(move), (-1.0, 1.0), (0.0, 0.5), strict=True):
        knocked = Recoil(end, times(move.course, sign), kick, crash.period_s, crash.phase - late)
        things.append(leading(dice.pick(kinds), knocked, crash.radius_m, dice, move.course))
    return things


def _ends(move: Move) -> tuple[Vec3, Vec3]:
    crash = move.crash
    assert crash is not None
    x, y, _ = move.shot.target
    reach = crash.half_m + move.lead_radius_m + crash.radius_m
    first, second = (plus((x, y, 0.0), times(move.course, way)) for way in (-reach, reach))
    return first, second


def _lead_at(move: Move, progress: float) -> tuple[float, float]:
    x, y, _ = move.shot.target
    half = 0.5 * move.travel_m if move.crash is None else move.crash.half_m
    way = half * (2.0 * progress - 1.0)
    return x + move.course[0] * way, y + move.course[1] * way
