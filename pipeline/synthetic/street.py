"""Streets to train from: a road between buildings or trees, under a sky; cars, posts, bodies.

A seed -> a setting and who is in it. The road runs along y; x is across it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from .cast import Ground, ground_of, idle, leads, standing
from .coat import CoatedFace, Decal, coat
from .dice import Dice
from .labels import GROUND, ROAD
from .move import choose_move, free_way
from .open_air import OpenAir, some_day
from .panel import Frame
from .parts import Thing
from .people import people
from .setting import Staged
from .sheet import Tint
from .style import USUAL, Style
from .sunlight import Sunlight
from .things import ball, box, bush, car, house, post, tree

_HALF_GROUND_M = 100.0
_HALF_LENGTH_M = 42.0
_CAMERA_GAP_M = 0.9
_GRASS: Tint = (0.46, 0.60, 0.30)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where things are across a street: half widths of the road and of the space between houses."""

    road_x: float
    road_half_m: float
    half_m: float
    houses: float
    trees: float


@dataclass(frozen=True, slots=True)
class Street(OpenAir):
    """A street as a stage and a setting."""

    plan: Plan
    style: Style
    lead_radius_m: tuple[float, float] = (0.5, 2.1)
    farthest_m: float = 22.0

    @property
    def camera_height_m(self) -> tuple[float, float]:
        """Of a hand or a car, up to a low window."""
        low, high = self.style.heights
        return 1.0 * low, 3.2 * high

    @property
    def lens(self) -> tuple[float, float]:
        """The style's."""
        return self.style.lens

    def place(self, dice: Dice) -> tuple[float, float]:
        """Return x and y on the road or beside it."""
        return self.plan.half_m * dice.between(-0.45, 0.45), dice.between(-12.0, 12.0)

    def azimuth_rad(self, dice: Dice) -> float:
        """Return along the road more often than across it."""
        along = 0.5 * math.pi * dice.pick((-1.0, 1.0))
        if dice.chance(0.7):
            return along + dice.between(-0.45, 0.45)
        return dice.between(0.0, 2.0 * math.pi)

    def clear_m(self, x: float, y: float, azimuth_rad: float) -> float:
        """Return how far it is to the houses or the street's end, less some space."""
        return min(
            free_way(x, math.cos(azimuth_rad), self.plan.half_m - 0.7),
            free_way(y, math.sin(azimuth_rad), _HALF_LENGTH_M - 6.0),
        )


def built_street(seed: int, seconds: float, style: Style = USUAL) -> Staged:
    """Return a clip in a street of its own."""
    dice = Dice(seed, 21)
    half = dice.between(6.0, 13.0)
    road_half = min(dice.between(2.6, 4.5), half - 2.0)
    park = dice.chance(0.25)
    plan = Plan(
        (half - road_half - 1.2) * dice.between(-0.6, 0.6),
        road_half,
        half * (1.5 if park else 1.0),
        0.25 if park else dice.between(0.75, 1.0),
        1.0 if park else dice.between(0.0, 0.5),
    )
    looks = Dice(seed, 22)
    day = some_day(looks)
    air = replace(day.air, tint=style.tinted(day.air.tint, Dice(seed, 25)))
    setting = Street(_ground(plan, day.light, looks), replace(day, air=air), plan, style)
    move = choose_move(setting, Dice(seed, 23), seconds)
    cast = Dice(seed, 24)
    things = leads(move, cast, ("ball", "box", "car", "car"))
    ground = ground_of(move, _CAMERA_GAP_M)
    things += _houses(plan, cast)
    things += _roadside(plan, ground, cast)
    things += _bystanders(plan, ground, cast)
    things += people(ground, 0.9 * plan.half_m, 20.0, style.people, Dice(seed, 26))
    return Staged(setting, move, things)


def _ground(plan: Plan, light: Sunlight, dice: Dice) -> CoatedFace:
    far = _HALF_GROUND_M
    frame = Frame((-far, far, 0.0), (2.0 * far, 0.0, 0.0), (0.0, -2.0 * far, 0.0))
    lawn = coat(dice, "grass", _GRASS, GROUND)
    grey = dice.between(0.55, 0.95)
    stone = coat(dice, dice.pick(("paving", "concrete")), (grey, 0.97 * grey, 0.92 * grey), GROUND)
    walk_half = plan.half_m + 1.5
    if plan.trees == 1.0:
        walk_half = plan.road_half_m + abs(plan.road_x) + 1.5
    dark = dice.between(0.30, 0.62)
    asphalt = coat(
        dice, "carriageway", (dark, dark, 1.03 * dark), ROAD, scale=plan.road_half_m / 3.5
    )
    return CoatedFace(
        frame,
        lawn,
        light,
        (
            Decal(stone, (far - walk_half, 0.0), (2.0 * walk_half, 2.0 * far)),
            Decal(
                asphalt,
                (far + plan.road_x - plan.road_half_m, 0.0),
                (2.0 * plan.road_half_m, 2.0 * far),
            ),
        ),
    )


def _houses(plan: Plan, dice: Dice) -> list[Thing]:
    """Rows on both sides, with gaps; and perhaps one across each end of the road."""
    things: list[Thing] = []
    for side in (-1.0, 1.0):
        y = -_HALF_LENGTH_M
        while y < _HALF_LENGTH_M:
            half_wide, deep = dice.between(3.0, 8.0), dice.between(3.0, 5.0)
            if dice.chance(plan.houses):
                tall = dice.between(1.6, 9.0)
                x = side * (plan.half_m + deep + dice.between(0.0, 1.5))
                things.append(house(standing(x, y + half_wide), (deep, half_wide, tall), dice))
            y += 2.0 * half_wide + dice.pick((0.0, 0.0, 0.5, 3.0))
    for end in (-1.0, 1.0):
        if dice.chance(0.4):
            half = (plan.half_m + 2.0, 4.0, dice.between(3.0, 10.0))
            place = standing(0.0, end * (_HALF_LENGTH_M + dice.between(6.0, 18.0)))
            things.append(house(place, half, dice))
    return things


def _roadside(plan: Plan, ground: Ground, dice: Dice) -> list[Thing]:
    """Parked cars along the kerbs; trees and posts on the pavements."""
    things: list[Thing] = []
    for _ in range(dice.pick((0, 3, 6, 9))):
        half_length = dice.between(1.8, 2.5)
        side = dice.pick((-1.0, 1.0))
        x = plan.road_x + side * (plan.road_half_m - 1.0)
        y = dice.between(-34.0, 34.0)
        if ground.claim(x, y, 0.85 * half_length):
            yaw = 0.5 * math.pi * side + dice.between(-0.06, 0.06)
            things.append(car(standing(x, y), half_length, dice, yaw))
    for _ in range(dice.pick((3, 6, 10))):
        side = dice.pick((-1.0, 1.0))
        edge = plan.road_x + side * (plan.road_half_m + 0.5)
        x = edge + (side * plan.half_m - edge) * dice.between(0.05, 0.8)
        y = dice.between(-30.0, 30.0)
        radius = dice.between(0.9, 1.9)
        if dice.chance(plan.trees):
            kind, room = (tree, radius) if dice.chance(0.8) else (bush, 0.6 * radius)
            if ground.claim(x, y, room):
                things.append(kind(standing(x, y), room, dice))
        elif ground.claim(x, y, 0.35):
            things.append(post(standing(x, y), dice))
    return things


def _bystanders(plan: Plan, ground: Ground, dice: Dice) -> list[Thing]:
    """Balls and boxes anywhere between the houses."""
    things: list[Thing] = []
    for _ in range(dice.pick((1, 3, 5, 8))):
        radius = dice.between(0.3, 1.0)
        x = plan.half_m * dice.between(-0.85, 0.85)
        y = dice.between(-18.0, 18.0)
        if not ground.claim(x, y, radius):
            continue
        if dice.chance(0.5):
            things.append(ball(idle(x, y, dice, hop_m=0.8, turns=False), 0.9 * radius, dice))
            continue
        half = (
            0.68 * radius,
            0.68 * radius * dice.between(0.6, 1.0),
            radius * dice.between(0.4, 1.1),
        )
        things.append(box(standing(x, y), half, dice, dice.between(0.0, math.pi)))
    return things
