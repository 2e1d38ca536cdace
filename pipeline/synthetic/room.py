"""The scene `room`: a seed -> a furnished room, its cast of balls and boxes, and a clip's action.

Everything that moves is a pure function of the moment; textures are drawn once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from .action import Action, choose_action
from .actors import Actor, BallActor, BoxActor
from .camera import Camera
from .decor import Decor, furnish
from .dice import Dice
from .instances import Standing
from .motion import Moment, Motion
from .patterns import carton, chequer, crate
from .shadow import FloorShadow
from .sheet import Sheet, Tint
from .shell import BOTTOM, Shell
from .surfaces import BallPaint, RoomFace
from .texture import Texture
from .vector import UP, Vec3, cross, plus, times, unit
from .world import World

_BOX_TEXELS = (256, 256)
_BALL_PATTERNS = ("octants", "bands", "cap")
_PROPS = 7
_TRIES = 400
# What a camera needs around it: nothing may fill the picture or come behind the lens.
_CAMERA_CLEARANCE_M = 1.1
_GAP_M = 0.12

_VIVID: tuple[Tint, ...] = (
    (0.90, 0.26, 0.22),
    (0.16, 0.42, 0.78),
    (0.97, 0.74, 0.20),
    (0.18, 0.60, 0.44),
    (0.93, 0.49, 0.18),
    (0.50, 0.30, 0.64),
)
_WOOD: tuple[Tint, ...] = ((0.80, 0.60, 0.38), (0.70, 0.50, 0.32), (0.86, 0.70, 0.50))
_PAPER: tuple[Tint, ...] = ((0.78, 0.60, 0.42), (0.72, 0.56, 0.40))


@dataclass(frozen=True, slots=True)
class Spot:
    """A disc of floor that a body needs, with all its movements: centre and radius, metres."""

    x: float
    y: float
    radius: float

    def clear_of(self, other: Spot, gap_m: float) -> bool:
        """Whether both discs are at least `gap_m` apart."""
        return math.hypot(self.x - other.x, self.y - other.y) >= self.radius + other.radius + gap_m


class Room:
    """A clip's room over time."""

    __slots__ = ("_actors", "_decor", "_shell", "action")

    def __init__(self, seed: int) -> None:
        size = Dice(seed, 0)
        self._shell = Shell(
            round(size.between(3.2, 3.7), 2),
            round(size.between(4.0, 4.5), 2),
            round(size.between(2.7, 3.0), 2),
        )
        self._decor: Decor = furnish(self._shell, Dice(seed, 1))
        self.action: Action = choose_action(Dice(seed, 2))
        self._actors = _cast(self._shell, self.action, Dice(seed, 3))

    @property
    def action_name(self) -> str:
        """What happens in the clip."""
        return self.action.name

    def camera(self, moment: Moment, size_hw: tuple[int, int]) -> Camera:
        """Return the camera at a moment."""
        return self.action.path.camera(moment, size_hw)

    def world(self, moment: Moment, camera: Camera) -> World:
        """Return the room and the bodies in it at a moment, as a camera sees them."""
        eye = camera.position
        panels, light = self._decor.panels, self._decor.light
        bodies = tuple(
            replace(actor.body(moment, eye, light), instance=number)
            for number, actor in enumerate(self._actors, start=1)
        )
        floor = panels[BOTTOM].frame
        shadow = FloorShadow(light, floor, [body.solid for body in bodies])
        faces = (
            RoomFace(panel, shadow if side == BOTTOM else None) for side, panel in enumerate(panels)
        )
        return World(self._shell, tuple(faces), bodies)

    def standing(self, moment: Moment) -> dict[int, Standing]:
        """Return the cast, by number."""
        return {
            number: Standing(actor.class_id, actor.foot(moment))
            for number, actor in enumerate(self._actors, start=1)
        }


def _cast(shell: Shell, action: Action, dice: Dice) -> tuple[Actor, ...]:
    """The leading body, and others wherever they are in nobody's way."""
    lead_radius = dice.between(0.36, 0.44)
    actors: list[Actor] = [_lead(action, lead_radius, dice)]
    taken = _lead_spots(action, lead_radius)
    for number in range(_PROPS):
        spot = _free_spot(shell, action, taken, dice)
        if spot is None:
            break
        taken.append(spot)
        actors.extend(_prop(spot, number, dice))
    return tuple(actors)


def _lead(action: Action, radius: float, dice: Dice) -> Actor:
    middle = action.path.target
    start = plus((middle[0], middle[1], 0.0), times(action.course, -0.5 * action.lead_m))
    # Turning along with an orbit would look like standing still.
    turn = 0.0 if action.name == "orbit" else dice.between(0.5, 0.9) * dice.pick((-1.0, 1.0))
    if dice.chance(0.5):
        roll = Motion(
            plus(start, (0.0, 0.0, radius)),
            action.course,
            action.lead_m,
            turn_rad_s=0.0 if action.lead_m else turn,
        )
        return BallActor(radius, _ball_look("octants", dice), _random_axes(dice), roll)
    half = (0.72 * radius, 0.66 * radius, 0.8 * radius)
    slide = Motion(plus(start, (0.0, 0.0, half[2])), action.course, action.lead_m, turn_rad_s=turn)
    return BoxActor(half, _box_texture(half, dice), dice.between(0.0, 1.5), slide)


def _lead_spots(action: Action, radius: float) -> list[Spot]:
    x, y, _ = action.path.target
    return [
        Spot(x + action.course[0] * way, y + action.course[1] * way, radius)
        for way in (0.5 * action.lead_m * step / 8 for step in range(-8, 9))
    ]


def _free_spot(shell: Shell, action: Action, taken: list[Spot], dice: Dice) -> Spot | None:
    eyes = [action.path.position(Moment(0.0, step / 24)) for step in range(25)]
    for _ in range(_TRIES):
        radius = dice.between(0.24, 0.46)
        room_x, room_y = shell.half_x - radius - _GAP_M, shell.half_y - radius - _GAP_M
        spot = Spot(dice.between(-room_x, room_x), dice.between(-room_y, room_y), radius)
        if (
            _behind_lead(spot, action)
            and all(spot.clear_of(other, _GAP_M) for other in taken)
            and all(spot.clear_of(Spot(e[0], e[1], 0.0), _CAMERA_CLEARANCE_M) for e in eyes)
        ):
            return spot
    return None


def _behind_lead(spot: Spot, action: Action) -> bool:
    """Whether a body stays farther from the camera than the leading one, all clip long.

    So the nearest body in the picture is the leading one. An orbit sees the room from all sides.
    """
    if action.name == "orbit":
        return True
    x, y, _ = action.path.target
    ahead = action.ahead
    return (spot.x - x) * ahead[0] + (spot.y - y) * ahead[1] >= spot.radius


def _prop(spot: Spot, number: int, dice: Dice) -> list[Actor]:
    """A ball, a box or a box with something on top; the first four always move."""
    moving = number < 4 or dice.chance(0.4)
    angle = dice.between(0.0, 2.0 * math.pi)
    course = (math.cos(angle), math.sin(angle), 0.0)
    if number % 2 == 0:
        return [_ball(spot, course, dice, moving=moving)]
    return _boxes(spot, course, dice, moving=moving)


def _ball(spot: Spot, course: Vec3, dice: Dice, *, moving: bool) -> Actor:
    rolls = moving and dice.chance(0.5)
    radius = spot.radius * (0.6 if rolls else 0.8)
    motion = Motion(
        (spot.x, spot.y, radius),
        course,
        sway_m=spot.radius - radius if rolls else 0.0,
        hop_m=dice.between(0.3, 0.8) if moving and not rolls else 0.0,
        period_s=dice.between(3.0, 5.0) if rolls else dice.between(0.9, 1.3),
    )
    look = _ball_look(dice.pick(_BALL_PATTERNS), dice)
    return BallActor(radius, look, _random_axes(dice), motion)


def _boxes(spot: Spot, course: Vec3, dice: Dice, *, moving: bool) -> list[Actor]:
    side = spot.radius / math.sqrt(2.0)
    half = (side, side * dice.between(0.75, 1.0), side * dice.between(0.7, 1.3))
    turn = dice.between(0.3, 0.8) * dice.pick((-1.0, 1.0)) if moving else 0.0
    motion = Motion((spot.x, spot.y, half[2]), course, turn_rad_s=turn)
    yaw = dice.between(0.0, math.pi)
    stack: list[Actor] = [BoxActor(half, _box_texture(half, dice), yaw, motion)]
    if dice.chance(0.45):
        small = times(half, 0.6)
        on_top = Motion((spot.x, spot.y, 2 * half[2] + small[2]), course, turn_rad_s=-turn)
        stack.append(BoxActor(small, _box_texture(small, dice), yaw + 0.5, on_top))
    return stack


def _ball_look(pattern: str, dice: Dice) -> BallPaint:
    vivid = dice.pick(_VIVID)
    pale = (0.96, 0.94, 0.88)
    base, accent = (vivid, pale) if dice.chance(0.5) else (pale, vivid)
    return BallPaint(times(base, 255.0), times(accent, 255.0), pattern)


def _random_axes(dice: Dice) -> tuple[Vec3, Vec3, Vec3]:
    first = unit((dice.between(-1.0, 1.0), dice.between(-1.0, 1.0), dice.between(0.3, 1.0)))
    second = unit(cross(first, UP if abs(first[2]) < 0.9 else (1.0, 0.0, 0.0)))
    return first, second, cross(first, second)


def _box_texture(half: Vec3, dice: Dice) -> Texture:
    sheet = Sheet.blank(half[0] + half[1], 2.0 * half[2], _BOX_TEXELS)
    material, tints = dice.pick(((crate, _WOOD), (carton, _PAPER), (chequer, _VIVID)))
    material(sheet, dice, dice.pick(tints))
    return Texture(sheet.rgb)
