"""The bodies of a scene over time: a shape, a look and a motion -> a `Body` at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

from .labels import BOX, SPHERE
from .light import Light
from .motion import Moment, Motion
from .panel import Panel
from .solids import Box, Sphere
from .surfaces import Ball, BallPaint, BoxFace
from .texture import Texture
from .vector import Vec3, minus
from .world import Body


class Actor(Protocol):
    """Something that moves, or may; asked once per frame."""

    @property
    def motion(self) -> Motion:
        """How it moves."""

    @property
    def class_id(self) -> int:
        """What it is."""

    def foot(self, moment: Moment) -> Vec3:
        """Return the middle of its underside."""

    def body(self, moment: Moment, eye: Vec3, light: Light) -> Body:
        """Return it at a moment, as seen from `eye`."""


@dataclass(frozen=True, slots=True)
class BallActor:
    """A ball; `spin` are the axes of its pattern at the start."""

    radius_m: float
    look: BallPaint
    spin: tuple[Vec3, Vec3, Vec3]
    motion: Motion
    class_id: ClassVar[int] = SPHERE

    def foot(self, moment: Moment) -> Vec3:
        """Return the lowest point."""
        return minus(self.motion.position(moment), (0.0, 0.0, self.radius_m))

    def body(self, moment: Moment, eye: Vec3, light: Light) -> Body:
        """Return the ball at a moment."""
        a, b, c = (self.motion.rolled(axis, moment, self.radius_m) for axis in self.spin)
        sphere = Sphere(self.motion.position(moment), self.radius_m, (a, b, c))
        return Body(sphere, (Ball(sphere, self.look, light),))


@dataclass(frozen=True, slots=True)
class BoxActor:
    """An upright box, one texture on all faces; `yaw_rad` is its angle at the start."""

    half: Vec3
    texture: Texture
    yaw_rad: float
    motion: Motion
    class_id: ClassVar[int] = BOX

    def foot(self, moment: Moment) -> Vec3:
        """Return the middle of the underside."""
        return minus(self.motion.position(moment), (0.0, 0.0, self.half[2]))

    def body(self, moment: Moment, eye: Vec3, light: Light) -> Body:
        """Return the box at a moment; only the three faces towards `eye` are made."""
        yaw_rad = self.yaw_rad + self.motion.yaw_rad(moment)
        box = Box(self.motion.position(moment), self.half, yaw_rad)
        panels = (Panel(frame, self.texture, BOX) for frame in box.frames(eye))
        return Body(box, tuple(BoxFace(panel, light) for panel in panels))
