"""People, roughly: legs, a trunk with arms and a head, who stand or pace to and fro."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .bounce import Movement
from .cast import Ground
from .coat import coat
from .dice import Dice
from .labels import PERSON
from .motion import Motion
from .parts import Anchor, Block, Globe, Post, Thing
from .prop_patterns import random_tint
from .sheet import Tint

_SKIN: tuple[Tint, ...] = (
    (0.98, 0.80, 0.68),
    (0.86, 0.64, 0.48),
    (0.62, 0.43, 0.31),
    (0.40, 0.27, 0.20),
)
_TOPS = ("cloth", "cloth", "stripes", "chequer", "dots")
_ROOM_M = 0.35  # of floor around somebody


def person(way: Movement, tall: float, dice: Dice, yaw_rad: float) -> Thing:
    """Return somebody of a height in metres who faces along their own x axis."""
    skin = coat(dice, "plaster", dice.pick(_SKIN), PERSON)
    top = coat(dice, dice.pick(_TOPS), random_tint(dice, 0.2, 1.0), PERSON, scale=0.5)
    trousers = coat(dice, "cloth", random_tint(dice, 0.1, 0.8), PERSON)
    hip, chest, head = 0.47 * tall, 0.82 * tall, 0.068 * tall
    trunk = (0.065 * tall, 0.115 * tall, 0.5 * (chest - hip))
    # Boxes: a cylinder's lower cap, which may be seen here, is not lit.
    arm, shoulder = (0.026 * tall, 0.022 * tall, 0.2 * tall), trunk[1] + 0.025 * tall

    def at(y: float, z: float) -> Anchor:
        return Anchor(way, (0.0, y, z), yaw_rad)

    return (
        Block(trunk, (top, top, top), at(0.0, 0.5 * (hip + chest))),
        Globe(head, skin, at(0.0, tall - head)),
        *(Post(0.05 * tall, 0.5 * hip, trousers, at(y * trunk[1], 0.5 * hip)) for y in (-0.5, 0.5)),
        *(Block(arm, (top, top, top), at(y * shoulder, chest - arm[2])) for y in (-1.0, 1.0)),
    )


def people(
    ground: Ground, half_x: float, half_y: float, counts: Sequence[int], dice: Dice
) -> list[Thing]:
    """Return people on a floor, where they are in nobody's way.

    Args:
        ground: what is taken of the floor; they take theirs.
        half_x, half_y: how far from the middle they may be, metres.
        counts: how many places are tried; one is picked.
        dice: decides.
    """
    found: list[Thing] = []
    for _ in range(dice.pick(counts)):
        x, y = half_x * dice.between(-1.0, 1.0), half_y * dice.between(-1.0, 1.0)
        tall, angle = dice.between(1.1, 1.95), dice.between(0.0, 2.0 * math.pi)
        paces_m = dice.between(0.3, 1.2) if dice.chance(0.5) else 0.0
        period_s = dice.between(3.0, 6.0)
        if ground.claim(x, y, _ROOM_M + paces_m):
            course = (math.cos(angle), math.sin(angle), 0.0)
            way = Motion((x, y, 0.0), course, sway_m=paces_m, period_s=period_s)
            found.append(person(way, tall, dice, angle))
    return found
