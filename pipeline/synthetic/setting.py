"""A training scene over time: where it plays, who plays -> a world and a camera at a moment.

What is out of the camera's view is left out of the world; it may still cast a shadow into it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from .camera import Camera
from .instances import Standing
from .labels import COUNTED
from .light import Lighting
from .motion import Moment
from .move import Move, Stage
from .outdoors import FAR_M
from .parts import Part, Thing
from .sheet import Tint
from .sunlight import CastShadow
from .surfaces import Painted, Surface
from .vector import Vec3
from .world import Enclosure, Traced, World


@dataclass(frozen=True, slots=True)
class Air:
    """What lies between a scene and its picture: a colour cast, and haze (display, 0..255)."""

    tint: Tint
    haze: Tint = (0.0, 0.0, 0.0)
    haze_per_m: float = 0.0


class Surroundings(Protocol):
    """What is around things: what encloses them, light and air. Faces are asked per frame."""

    @property
    def enclosure(self) -> Enclosure:
        """What rays hit that meet no body."""

    @property
    def light(self) -> Lighting:
        """What lights bodies."""

    @property
    def air(self) -> Air:
        """What lies between the scene and its picture."""

    @property
    def shade(self) -> float:
        """The share of light that is left in a shadow."""

    def shadow_source(self) -> Vec3:
        """Return where shadows are cast from."""

    def faces(self, shadow: CastShadow) -> tuple[Surface, ...]:
        """Return the enclosure's surfaces."""


class Setting(Stage, Surroundings, Protocol):
    """A stage with its looks."""


@dataclass(frozen=True, slots=True)
class AiryWorld(World):
    """A world seen through air."""

    air: Air = Air((1.0, 1.0, 1.0))

    @property
    def patches_outlined(self) -> bool:
        """Decals are drawn apart from the face they are on, so their edges need smoothing."""
        return True

    def paint(self, traced: Traced, focal_px: float) -> Painted:
        """Return the lit colours as the camera sees them, and the classes."""
        painted = World.paint(self, traced, focal_px)
        t = traced.t.ravel()
        share = np.where(t < FAR_M, t * self.air.haze_per_m, 0.0)
        for channel, (factor, haze) in enumerate(zip(self.air.tint, self.air.haze, strict=True)):
            plane = painted.colours[channel]
            plane *= factor
            if self.air.haze_per_m:
                plane += (haze - plane) * share
        return painted


class Staged:
    """A clip of a training scene over time; read `setting`, `move` and `things`, do not set them.

    Things are numbered from 1 in their order.
    """

    __slots__ = ("move", "setting", "things")

    def __init__(self, setting: Setting, move: Move, things: Sequence[Thing]) -> None:
        self.setting = setting
        self.move = move
        self.things = dict(enumerate(things, start=1))

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts of all things."""
        return tuple(part for thing in self.things.values() for part in thing)

    @property
    def action_name(self) -> str:
        """What happens in the clip."""
        return self.move.name

    def camera(self, moment: Moment, size_hw: tuple[int, int]) -> Camera:
        """Return the camera at a moment."""
        return self.move.shot.camera(moment, size_hw)

    def world(self, moment: Moment, camera: Camera) -> World:
        """Return what a camera may see at a moment."""
        return world_of(self.setting, self.things, moment, camera)

    def standing(self, moment: Moment) -> dict[int, Standing]:
        """Return the countable things, by number."""
        return standing_of(self.things, moment)


def world_of(
    around: Surroundings, things: Mapping[int, Thing], moment: Moment, camera: Camera
) -> World:
    """Return surroundings with the things that a camera may see, and the shadows of all.

    Args:
        around: where it is.
        things: who is there, by number; those of `labels.COUNTED` are instances of that number.
        moment: when.
        camera: what is out of its view is left out.
    """
    owned = [(part, number) for number, thing in things.items() for part in thing]
    solids = [part.solid(moment) for part, _ in owned]
    bodies = tuple(
        replace(
            part.body(moment, camera.position, around.light),
            instance=number if part.class_id in COUNTED else 0,
        )
        for (part, number), solid in zip(owned, solids, strict=True)
        if camera.window(solid.centre, solid.reach) is not None
    )
    shadow = CastShadow(around.shadow_source(), solids, around.shade)
    return AiryWorld(around.enclosure, around.faces(shadow), bodies, around.air)


def standing_of(things: Mapping[int, Thing], moment: Moment) -> dict[int, Standing]:
    """Return which of numbered things can be counted, and where they stand."""
    return {
        number: Standing(thing[0].class_id, thing[0].foot(moment))
        for number, thing in things.items()
        if thing[0].class_id in COUNTED
    }
