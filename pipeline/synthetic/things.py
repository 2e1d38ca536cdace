"""Bodies of training scenes: balls, boxes, cars, trees, posts, furniture, houses -> their parts.

A body stands on the floor where its movement is; `yaw_rad` is its angle there at the start.
"""

from __future__ import annotations

import math

from .bounce import Movement
from .coat import Coat, coat
from .dice import Dice
from .labels import BOX, BUILDING, FURNITURE, LAMP, POLE, TREE, VEHICLE
from .parts import Anchor, Block, Globe, Post, Roller, Thing
from .prop_patterns import random_tint
from .sheet import Tint
from .surfaces import BallPaint
from .vector import UP, Vec3, cross, times, unit

_BALL_PATTERNS = ("octants", "bands", "cap")
_BOX_COATS = ("crate", "carton", "chequer", "stripes", "dots", "marble")
_BROWN: tuple[Tint, ...] = ((0.85, 0.64, 0.42), (0.72, 0.50, 0.32), (0.90, 0.74, 0.54))
_WOOD: tuple[Tint, ...] = (
    (0.80, 0.60, 0.40),
    (0.52, 0.36, 0.24),
    (0.95, 0.93, 0.90),
    (0.30, 0.27, 0.26),
)
_LEAF: tuple[Tint, ...] = (
    (0.36, 0.58, 0.24),
    (0.22, 0.44, 0.22),
    (0.55, 0.62, 0.25),
    (0.80, 0.52, 0.20),
)
_BARK: Tint = (0.40, 0.31, 0.24)
_TYRE_CLEARANCE_M = 0.1


def ball(way: Movement, radius: float, dice: Dice) -> Thing:
    """Return a painted ball."""
    look = BallPaint(
        _bytes(random_tint(dice)), _bytes(random_tint(dice)), dice.pick(_BALL_PATTERNS)
    )
    first = unit((dice.between(-1.0, 1.0), dice.between(-1.0, 1.0), dice.between(0.3, 1.0)))
    second = unit(cross(first, UP if abs(first[2]) < 0.9 else (1.0, 0.0, 0.0)))
    return (Roller(radius, look, (first, second, cross(first, second)), way),)


def box(way: Movement, half: Vec3, dice: Dice, yaw_rad: float) -> Thing:
    """Return a box of half extents `half`, the same cover all round."""
    name = dice.pick(_BOX_COATS)
    tint = dice.pick(_BROWN) if name in ("crate", "carton") else _tone(dice, 0.75, 1.0)
    cover = coat(dice, name, tint, BOX, whole=True)
    return (Block(half, (cover, cover, cover), Anchor(way, (0.0, 0.0, half[2]), yaw_rad)),)


def car(way: Movement, half_length: float, dice: Dice, yaw_rad: float) -> Thing:
    """Return a car or a van, its length along its own x axis."""
    paint = random_tint(dice, 0.15, 1.0)
    half_width = half_length * dice.between(0.40, 0.46)
    low, tall = half_length * dice.between(0.17, 0.21), half_length * dice.between(0.13, 0.17)
    long_share, back = dice.between(0.48, 0.60), dice.between(-0.2, 0.0)
    if dice.chance(0.25):
        tall, long_share, back = tall * 1.8, 0.8, -0.15
    side = coat(dice, "car side", paint, VEHICLE, whole=True)
    pane = coat(dice, "car cabin", paint, VEHICLE, whole=True)
    plain = coat(dice, "concrete", paint, VEHICLE)
    clearance = _TYRE_CLEARANCE_M * half_length
    body = Anchor(way, (0.0, 0.0, clearance + low), yaw_rad)
    top = Anchor(way, (back * half_length, 0.0, clearance + 2.0 * low + tall), yaw_rad)
    return (
        Block((half_length, half_width, low), (plain, side, plain), body),
        Block((long_share * half_length, 0.88 * half_width, tall), (pane, pane, plain), top),
    )


def tree(way: Movement, radius: float, dice: Dice) -> Thing:
    """Return a tree with a crown of that radius: two leafy globes on a trunk."""
    trunk = dice.between(1.0, 1.6) * max(radius, 1.0)
    leaves = coat(dice, "foliage", dice.pick(_LEAF), TREE)
    bark = coat(dice, "planks", _BARK, TREE)
    sway = (dice.between(-0.3, 0.3) * radius, dice.between(-0.3, 0.3) * radius)
    return (
        Post(0.09 * radius + 0.04, 0.5 * trunk, bark, Anchor(way, (0.0, 0.0, 0.5 * trunk))),
        Globe(radius, leaves, Anchor(way, (0.0, 0.0, trunk + 0.75 * radius))),
        Globe(0.7 * radius, leaves, Anchor(way, (*sway, trunk + 1.6 * radius))),
    )


def bush(way: Movement, radius: float, dice: Dice) -> Thing:
    """Return a bush: one leafy globe half in the ground."""
    leaves = coat(dice, "foliage", dice.pick(_LEAF), TREE)
    return (Globe(radius, leaves, Anchor(way, (0.0, 0.0, 0.55 * radius))),)


def post(way: Movement, dice: Dice) -> Thing:
    """Return a street lamp, a sign or a bollard."""
    steel = coat(dice, "concrete", _tone(dice, 0.2, 0.8), POLE)
    kind = dice.pick(("lamp", "sign", "bollard"))
    if kind == "bollard":
        return (Post(0.11, 0.5, steel, Anchor(way, (0.0, 0.0, 0.5))),)
    tall = dice.between(2.4, 3.0) if kind == "sign" else dice.between(4.0, 6.0)
    mast = Post(0.07, 0.5 * tall, steel, Anchor(way, (0.0, 0.0, 0.5 * tall)))
    if kind == "lamp":
        return (mast, Globe(0.24, steel, Anchor(way, (0.0, 0.0, tall + 0.2))))
    face = coat(dice, "chequer", (1.0, 1.0, 1.0), POLE, whole=True)
    plate = Anchor(way, (0.0, 0.0, tall + 0.3), dice.between(-0.4, 0.4))
    return (mast, Block((0.34, 0.03, 0.34), (steel, face, steel), plate))


def cabinet(way: Movement, half: Vec3, dice: Dice, yaw_rad: float) -> Thing:
    """Return a cupboard, a chest of drawers or a wardrobe; its front is across its own y axis."""
    wood = dice.pick(_WOOD)
    side = coat(dice, "planks", wood, FURNITURE)
    front = coat(dice, "drawers", wood, FURNITURE, whole=True)
    return (Block(half, (side, front, side), Anchor(way, (0.0, 0.0, half[2]), yaw_rad)),)


def table(way: Movement, half: Vec3, dice: Dice, yaw_rad: float) -> Thing:
    """Return a table or a bench: a top on two sides."""
    wood = coat(dice, "planks", dice.pick(_WOOD), FURNITURE)
    all_round = (wood, wood, wood)
    thick = 0.03
    leg = (0.03, 0.85 * half[1], half[2] - thick)
    reach = 0.85 * half[0]
    return (
        Block(
            (half[0], half[1], thick),
            all_round,
            Anchor(way, (0.0, 0.0, 2 * half[2] - thick), yaw_rad),
        ),
        Block(leg, all_round, Anchor(way, (reach, 0.0, leg[2]), yaw_rad)),
        Block(leg, all_round, Anchor(way, (-reach, 0.0, leg[2]), yaw_rad)),
    )


def sofa(way: Movement, half: Vec3, dice: Dice, yaw_rad: float) -> Thing:
    """Return a sofa: a seat, and a back on the side of negative y."""
    cover = coat(dice, "cloth", random_tint(dice, 0.2, 0.95), FURNITURE)
    all_round = (cover, cover, cover)
    seat = (half[0], half[1], 0.5 * half[2])
    back = (half[0], 0.22 * half[1], half[2])
    return (
        Block(seat, all_round, Anchor(way, (0.0, 0.0, seat[2]), yaw_rad)),
        Block(back, all_round, Anchor(way, (0.0, back[1] - half[1], half[2]), yaw_rad)),
    )


def floor_lamp(way: Movement, dice: Dice) -> Thing:
    """Return a standing lamp."""
    tall = dice.between(1.1, 1.6)
    steel = coat(dice, "concrete", (0.25, 0.25, 0.25), LAMP)
    shade = coat(dice, "cloth", _tone(dice, 1.0, 1.2), LAMP)
    return (
        Post(0.025, 0.5 * tall, steel, Anchor(way, (0.0, 0.0, 0.5 * tall))),
        Globe(0.2, shade, Anchor(way, (0.0, 0.0, tall + 0.15))),
    )


def house(way: Movement, half: Vec3, dice: Dice) -> Thing:
    """Return a building: facades around, a plain roof."""
    tint = _tone(dice, 0.55, 1.1)
    if dice.chance(0.2):
        wall: Coat = coat(dice, "glass", (0.5, 0.62, 0.72), BUILDING, scale=dice.between(0.8, 1.3))
    else:
        wall = coat(dice, "facade", tint, BUILDING, scale=dice.between(0.8, 1.2))
    roof = coat(dice, "concrete", (0.5, 0.48, 0.46), BUILDING)
    return (Block(half, (wall, wall, roof), Anchor(way, (0.0, 0.0, half[2]))),)


def leading(name: str, way: Movement, radius: float, dice: Dice, course: Vec3) -> Thing:
    """Return a body that reaches `radius` both ways along `course`: a ball, a box or a car."""
    along = math.atan2(course[1], course[0])
    if name == "ball":
        return ball(way, radius, dice)
    if name == "car":
        return car(way, radius, dice, along)
    half = (radius, radius * dice.between(0.6, 1.0), radius * dice.between(0.6, 1.2))
    return box(way, half, dice, along)


def _tone(dice: Dice, low: float, high: float) -> Tint:
    """A bright colour not far from grey."""
    level = dice.between(low, high)
    red, green, blue = (level * dice.between(0.82, 1.0) for _ in range(3))
    return (red, green, blue)


def _bytes(tint: Tint) -> tuple[float, float, float]:
    return times(tint, 255.0)
