"""Rooms to train from: any size, covers and light; pictures, windows, doors, furniture, bodies.

A seed -> a setting and who is in it. The room of the demonstration is `room`, and fixed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from .cast import Ground, ground_of, idle, leads, standing
from .coat import Coat, CoatedFace, Decal, coat
from .dice import Dice
from .labels import CEILING, DOOR, FLOOR, LAMP, PICTURE, RUG, WALL, WINDOW
from .light import Light
from .move import choose_move, free_way
from .panel import Frame
from .parts import Thing
from .people import people
from .prop_patterns import random_tint
from .setting import Air, Staged
from .sheet import Tint
from .shell import BOTTOM, TOP, Shell
from .style import USUAL, Style
from .sunlight import CastShadow
from .things import ball, box, cabinet, floor_lamp, sofa, table
from .vector import Vec3, length

_FLOOR_TINTS: tuple[Tint, ...] = (
    (0.82, 0.62, 0.43),
    (0.58, 0.40, 0.28),
    (0.70, 0.68, 0.64),
    (0.36, 0.34, 0.33),
    (0.86, 0.80, 0.70),
)
_AIRS: tuple[Tint, ...] = (
    (1.0, 1.0, 1.0),
    (1.0, 0.98, 0.95),
    (1.08, 0.94, 0.76),
    (0.84, 0.95, 1.08),
    (0.62, 0.58, 0.52),
    (0.45, 0.48, 0.55),
)
_CAMERA_GAP_M = 0.55
_WALL_GAP_M = 0.35


@dataclass(frozen=True, slots=True)
class Interior:
    """A room as a stage and a setting."""

    enclosure: Shell
    walls: tuple[CoatedFace, ...]
    light: Light
    air: Air
    shade: float
    style: Style
    lead_radius_m: tuple[float, float] = (0.18, 0.5)

    @property
    def camera_height_m(self) -> tuple[float, float]:
        """Of a hand, and under the ceiling."""
        low, high = self.style.heights
        return 0.5 * low, min(1.8 * high, self.enclosure.height - 0.35)

    @property
    def lens(self) -> tuple[float, float]:
        """The style's."""
        return self.style.lens

    @property
    def farthest_m(self) -> float:
        """Three quarters of the way through the room."""
        return 1.5 * max(self.enclosure.half_x, self.enclosure.half_y)

    def place(self, dice: Dice) -> tuple[float, float]:
        """Return x and y around the middle of the room."""
        shell = self.enclosure
        return (
            shell.half_x * dice.between(-0.45, 0.45),
            shell.half_y * dice.between(-0.45, 0.45),
        )

    def azimuth_rad(self, dice: Dice) -> float:
        """Return any direction."""
        return dice.between(0.0, 2.0 * math.pi)

    def clear_m(self, x: float, y: float, azimuth_rad: float) -> float:
        """Return how far it is to a wall, less some space."""
        shell = self.enclosure
        return min(
            free_way(x, math.cos(azimuth_rad), shell.half_x - _WALL_GAP_M),
            free_way(y, math.sin(azimuth_rad), shell.half_y - _WALL_GAP_M),
        )

    def shadow_source(self) -> Vec3:
        """Return where the lamp is."""
        return self.light.lamp

    def faces(self, shadow: CastShadow) -> tuple[CoatedFace, ...]:
        """Return the six faces; the floor takes shadows."""
        floor = self.walls[BOTTOM]
        shaded = CoatedFace(floor.frame, floor.coat, self.light, floor.decals, shadow, True)
        return (*self.walls[:BOTTOM], shaded, *self.walls[BOTTOM + 1 :])


def furnished(seed: int, seconds: float, style: Style = USUAL) -> Staged:
    """Return a clip in a room of its own."""
    dice = Dice(seed, 11)
    shell = Shell(dice.between(2.1, 4.6), dice.between(2.3, 6.0), dice.between(2.3, 3.6))
    light = _light(shell, dice)
    air = Air(style.tinted(dice.pick(_AIRS), Dice(seed, 15)))
    walls = _walls(shell, light, Dice(seed, 12), style)
    setting = Interior(shell, walls, light, air, dice.between(0.3, 0.7), style)
    move = choose_move(setting, Dice(seed, 13), seconds)
    cast = Dice(seed, 14)
    things = leads(move, cast, ("ball", "box"))
    ground = ground_of(move, _CAMERA_GAP_M)
    things += _furniture(shell, ground, cast)
    things += _bystanders(shell, ground, cast)
    half_x, half_y = shell.half_x - 0.5, shell.half_y - 0.5
    things += people(ground, half_x, half_y, style.people, Dice(seed, 16))
    return Staged(setting, move, things)


def _light(shell: Shell, dice: Dice) -> Light:
    lamp = (
        shell.half_x * dice.between(-0.5, 0.5),
        shell.half_y * dice.between(-0.5, 0.5),
        shell.height - 0.12,
    )
    angle = dice.between(0.0, 2.0 * math.pi)
    daylight = (0.78 * math.cos(angle), 0.78 * math.sin(angle), 0.63)
    return Light(
        lamp,
        daylight,
        ambient=dice.between(0.28, 0.58),
        lamp_power=dice.between(0.6, 4.5),
        daylight_power=dice.between(0.05, 0.45),
    )


def _walls(shell: Shell, light: Light, dice: Dice, style: Style) -> tuple[CoatedFace, ...]:
    plain = _wall_coat(dice, style)
    faces = []
    for side, frame in enumerate(shell.frames()):
        if side == BOTTOM:
            base = coat(dice, dice.pick(style.floors), dice.pick(_FLOOR_TINTS), FLOOR)
            faces.append(CoatedFace(frame, base, light, _on_floor(frame, dice), enclosing=True))
        elif side == TOP:
            base = coat(dice, "plaster", (1.05, 1.05, 1.04), CEILING)
            faces.append(CoatedFace(frame, base, light, _on_ceiling(frame, dice), enclosing=True))
        else:
            base = _wall_coat(dice, style) if dice.chance(0.35) else plain
            faces.append(CoatedFace(frame, base, light, _on_wall(frame, dice), enclosing=True))
    return tuple(faces)


def _wall_coat(dice: Dice, style: Style) -> Coat:
    name = dice.pick(style.walls)
    tint = random_tint(dice, 0.45, 1.05) if dice.chance(0.6) else (1.0, 0.98, 0.94)
    return coat(dice, name, tint, WALL, scale=dice.between(0.8, 1.3))


def _on_wall(frame: Frame, dice: Dice) -> tuple[Decal, ...]:
    """Doors, windows and pictures side by side, each in a slot of the wall of its own."""
    wide, tall = length(frame.right), length(frame.down)
    slots = max(1, math.floor(wide / 1.9))
    decals = []
    for slot in range(slots):
        kind = dice.pick(("", "", "door", "window", "picture", "picture"))
        left = (slot + dice.between(0.05, 0.2)) * wide / slots
        room = 0.75 * wide / slots
        if kind == "door":
            tint = random_tint(dice, 0.3, 1.0)
            size = (min(room, 0.95), 2.08)
            decals.append(
                Decal(coat(dice, "door", tint, DOOR, whole=True), (left, tall - 2.08), size)
            )
        elif kind == "window":
            size = (min(room, dice.between(0.9, 2.2)), dice.between(0.9, 1.4))
            stock = coat(dice, "window", (1.0, 1.0, 1.0), WINDOW, whole=True)
            pane = Coat(stock.texture, stock.tint, stock.class_id, glows=True)
            decals.append(Decal(pane, (left, tall - dice.between(0.8, 1.0) - size[1]), size))
        elif kind == "picture":
            size = (min(room, dice.between(0.5, 1.3)), dice.between(0.45, 0.9))
            name = dice.pick(("picture", "picture", "marble", "stripes"))
            art = coat(dice, name, (1.0, 1.0, 1.0), PICTURE, whole=True)
            decals.append(Decal(art, (left, tall - dice.between(1.3, 1.5) - 0.5 * size[1]), size))
    return tuple(decals)


def _on_floor(frame: Frame, dice: Dice) -> tuple[Decal, ...]:
    if dice.chance(0.4):
        return ()
    wide, tall = length(frame.right), length(frame.down)
    size = (wide * dice.between(0.35, 0.7), tall * dice.between(0.35, 0.7))
    corner = ((wide - size[0]) * dice.between(0.2, 0.8), (tall - size[1]) * dice.between(0.2, 0.8))
    return (Decal(coat(dice, "rug", (1.0, 1.0, 1.0), RUG, whole=True), corner, size),)


def _on_ceiling(frame: Frame, dice: Dice) -> tuple[Decal, ...]:
    wide, tall = length(frame.right), length(frame.down)
    stock = coat(dice, "plaster", (1.1, 1.1, 1.05), LAMP)
    shining = Coat(stock.texture, stock.tint, LAMP, stock.tile_m, glows=True)
    size = (dice.between(0.3, 1.4), dice.between(0.3, 0.7))
    corner = ((wide - size[0]) * dice.between(0.3, 0.7), (tall - size[1]) * dice.between(0.3, 0.7))
    return (Decal(shining, corner, size),)


def _furniture(shell: Shell, ground: Ground, dice: Dice) -> list[Thing]:
    """Along the walls, backs to them."""
    things: list[Thing] = []
    for _ in range(dice.pick((1, 3, 5, 7, 9))):
        kind = dice.pick(("cabinet", "cabinet", "wardrobe", "sofa", "table", "lamp"))
        half = {
            "cabinet": (dice.between(0.3, 0.8), dice.between(0.2, 0.3), dice.between(0.3, 0.6)),
            "wardrobe": (dice.between(0.4, 0.9), dice.between(0.25, 0.35), dice.between(0.8, 1.1)),
            "sofa": (dice.between(0.7, 1.1), 0.42, dice.between(0.36, 0.45)),
            "table": (dice.between(0.5, 0.9), dice.between(0.3, 0.45), dice.between(0.34, 0.4)),
            "lamp": (0.2, 0.2, 0.8),
        }[kind]
        x, y, yaw = _against_wall(shell, half, dice)
        if not ground.claim(x, y, 0.9 * math.hypot(half[0], half[1])):
            continue
        way = standing(x, y)
        if kind == "lamp":
            things.append(floor_lamp(way, dice))
        else:
            make = {"sofa": sofa, "table": table}.get(kind, cabinet)
            things.append(make(way, half, dice, yaw))
    return things


def _against_wall(shell: Shell, half: Vec3, dice: Dice) -> tuple[float, float, float]:
    along = dice.between(-1.0, 1.0)
    side = dice.pick((0, 1, 2, 3))
    gap = half[1] + 0.03
    if side < 2:
        x = along * max(shell.half_x - half[0] - 0.05, 0.0)
        return (x, gap - shell.half_y, 0.0) if side == 0 else (x, shell.half_y - gap, math.pi)
    y = along * max(shell.half_y - half[0] - 0.05, 0.0)
    if side == 2:
        return gap - shell.half_x, y, -0.5 * math.pi
    return shell.half_x - gap, y, 0.5 * math.pi


def _bystanders(shell: Shell, ground: Ground, dice: Dice) -> list[Thing]:
    """Balls and boxes on the floor."""
    things: list[Thing] = []
    for _ in range(dice.pick((2, 4, 6, 9, 12))):
        radius = dice.between(0.12, 0.45)
        x = dice.between(-1.0, 1.0) * (shell.half_x - radius - 0.1)
        y = dice.between(-1.0, 1.0) * (shell.half_y - radius - 0.1)
        if not ground.claim(x, y, radius):
            continue
        if dice.chance(0.5):
            things.append(ball(idle(x, y, dice, hop_m=0.5, turns=False), 0.9 * radius, dice))
            continue
        half = (
            0.68 * radius,
            0.68 * radius * dice.between(0.6, 1.0),
            radius * dice.between(0.4, 1.1),
        )
        way = idle(x, y, dice, hop_m=0.0, turns=True)
        things.append(box(way, half, dice, dice.between(0.0, math.pi)))
    return things
