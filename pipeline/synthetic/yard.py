"""The scene `yard`: a still camera over a yard that bodies come into, stop in, and leave.

Nothing but them moves; who is there depends on the seed and the time alone, however long the clip.
"""

from __future__ import annotations

import math

from operators.errors import UsageError

from .camera import Camera
from .cast import standing
from .coat import Coat, CoatedFace, Decal, coat
from .dice import Dice
from .instances import Standing
from .labels import GROUND, ROAD
from .motion import Moment
from .open_air import OpenAir, some_day
from .outlook import FAR_M, NEAR_M, Outlook
from .panel import Frame
from .parts import Thing
from .setting import standing_of, world_of
from .sheet import Tint
from .sunlight import Sunlight
from .things import box, bush, car, house, post, tree
from .visits import Disc, Visits
from .world import World

_HALF_GROUND_M = 100.0
_HOUSES_M = FAR_M + 3.0
_GRASS: Tint = (0.46, 0.60, 0.30)


class Yard:
    """A clip of a yard over time."""

    __slots__ = ("_around", "_outlook", "_things", "_visits")

    def __init__(self, seed: int, bodies: int) -> None:
        """
        Args:
            seed: decides everything.
            bodies: how many may be under way at once.
        """
        dice, looks = Dice(seed, 31), Dice(seed, 32)
        self._outlook = Outlook(
            dice.between(4.2, 5.2), dice.between(7.0, 8.2), dice.between(0.74, 0.86)
        )
        day = some_day(looks)
        self._around = OpenAir(_ground(day.light, looks), day)
        taken: list[Disc] = []
        things = [*_fixtures(taken, Dice(seed, 33)), *_houses(Dice(seed, 34))]
        self._things = dict(enumerate(things, start=1))
        self._visits = Visits(seed, bodies, self._outlook, taken)

    @property
    def action_name(self) -> str:
        """Raises UsageError: many things happen in a yard."""
        raise UsageError(
            "synthetic:yard shows no action of its own; those of room, street and world do"
        )

    def camera(self, moment: Moment, size_hw: tuple[int, int]) -> Camera:
        """Return the camera, always the same."""
        return self._outlook.camera(size_hw)

    def world(self, moment: Moment, camera: Camera) -> World:
        """Return what a camera may see at a moment."""
        return world_of(self._around, self.things(moment), moment, camera)

    def standing(self, moment: Moment) -> dict[int, Standing]:
        """Return the countable things, by number."""
        return standing_of(self.things(moment), moment)

    def things(self, moment: Moment) -> dict[int, Thing]:
        """Return what stands there, and who is there at a moment, by number."""
        here = self._visits.at(moment.time_s)
        return self._things | {len(self._things) + number: here[number] for number in here}


def _ground(light: Sunlight, dice: Dice) -> CoatedFace:
    """A lawn with a paved yard on it, and a road across the yard."""
    far = _HALF_GROUND_M
    frame = Frame((-far, far, 0.0), (2.0 * far, 0.0, 0.0), (0.0, -2.0 * far, 0.0))
    grey, dark = dice.between(0.55, 0.95), dice.between(0.30, 0.62)
    stone = coat(dice, dice.pick(("paving", "concrete")), (grey, 0.97 * grey, 0.92 * grey), GROUND)
    asphalt = coat(dice, "concrete", (dark, dark, 1.03 * dark), ROAD)
    road_m = dice.between(0.5, 3.0)
    wide_m = dice.between(3.0, 4.0)
    half_m = dice.between(5.0, 40.0)
    return CoatedFace(
        frame,
        coat(dice, "grass", _GRASS, GROUND),
        light,
        (
            _rectangle(stone, half_m, NEAR_M - 12.0, _HOUSES_M),
            _rectangle(asphalt, far, road_m, road_m + wide_m),
        ),
    )


def _rectangle(cover: Coat, half_m: float, near_m: float, far_m: float) -> Decal:
    corner = (_HALF_GROUND_M - half_m, _HALF_GROUND_M - far_m)
    return Decal(cover, corner, (2.0 * half_m, far_m - near_m))


def _fixtures(taken: list[Disc], dice: Dice) -> list[Thing]:
    """Posts, trees, boxes and parked cars, where there is room."""
    things: list[Thing] = []
    for _ in range(dice.pick((2, 3, 4))):
        kind = dice.pick(("post", "tree", "bush", "box", "car"))
        x, y = dice.between(-6.0, 6.0), dice.between(-1.0, FAR_M)
        room = {"post": 0.4, "tree": 0.8, "bush": 0.5, "box": 0.6, "car": 1.5}[kind]
        if any(math.hypot(x - a, y - b) < room + r + 1.5 for a, b, r in taken):
            continue
        taken.append((x, y, room))
        things.append(_fixture(kind, x, y, dice))
    return things


def _fixture(kind: str, x: float, y: float, dice: Dice) -> Thing:
    way = standing(x, y)
    if kind == "post":
        return post(way, dice)
    if kind == "tree":
        return tree(way, 0.8, dice)
    if kind == "bush":
        return bush(way, 0.5, dice)
    if kind == "box":
        half = (0.42, 0.42 * dice.between(0.6, 1.0), 0.6 * dice.between(0.5, 1.0))
        return box(way, half, dice, dice.between(0.0, math.pi))
    return car(way, 1.5, dice, dice.between(0.0, math.pi))


def _houses(dice: Dice) -> list[Thing]:
    """A row along the far end."""
    things: list[Thing] = []
    x = -28.0
    while x < 28.0:
        half_wide, deep = dice.between(3.0, 7.0), dice.between(2.0, 4.0)
        place = standing(x + half_wide, _HOUSES_M + deep)
        things.append(house(place, (half_wide, deep, dice.between(1.6, 5.0)), dice))
        x += 2.0 * half_wide
    return things
