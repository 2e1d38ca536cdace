"""The parts that bodies of training scenes are made of: boxes, cylinders, balls, leafy globes.

Each hangs on a movement at an offset; a solid at a moment, and its surfaces for a camera.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Protocol

from .bounce import Movement
from .coat import Coat, CoatedFace, CoatedRound
from .cylinder import Cylinder
from .labels import SPHERE
from .light import Lighting
from .motion import Moment
from .solids import Box, Solid, Sphere
from .surfaces import Ball, BallPaint
from .vector import Vec3, plus
from .world import Body


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place that goes along with a movement: metres in the body's own axes, radians."""

    movement: Movement
    offset: Vec3 = (0.0, 0.0, 0.0)
    yaw_rad: float = 0.0

    def yaw(self, moment: Moment) -> float:
        """Return the angle about the vertical."""
        return self.yaw_rad + self.movement.yaw_rad(moment)

    def foot(self, moment: Moment) -> Vec3:
        """Return where the body stands, in the world."""
        return self.movement.position(moment)

    def centre(self, moment: Moment) -> Vec3:
        """Return the place in the world."""
        at = self.foot(moment)
        x, y, z = self.offset
        if x == 0.0 and y == 0.0:
            return (at[0], at[1], at[2] + z)
        angle = self.yaw(moment)
        cos, sin = math.cos(angle), math.sin(angle)
        return plus(at, (x * cos - y * sin, x * sin + y * cos, z))


class Part(Protocol):
    """A convex piece of a body. The solid is asked for once per frame, the body if in view."""

    @property
    def class_id(self) -> int:
        """The class of all of it."""

    def foot(self, moment: Moment) -> Vec3:
        """Return where the body that it is a part of stands: the middle of its underside."""

    def solid(self, moment: Moment) -> Solid:
        """Return its shape at a moment."""

    def body(self, moment: Moment, eye: Vec3, light: Lighting) -> Body:
        """Return its shape and surfaces at a moment, as seen from `eye`."""


Thing = tuple[Part, ...]
"""One body: its parts have one class and one foot."""


@dataclass(frozen=True, slots=True)
class Block:
    """An upright box; `coats` cover the faces across its own x, y and z axis."""

    half: Vec3
    coats: tuple[Coat, Coat, Coat]
    anchor: Anchor

    @property
    def class_id(self) -> int:
        """The class of its coats, which is one."""
        return self.coats[0].class_id

    def foot(self, moment: Moment) -> Vec3:
        """Return where the body stands."""
        return self.anchor.foot(moment)

    def solid(self, moment: Moment) -> Box:
        """Return the box at a moment."""
        return Box(self.anchor.centre(moment), self.half, self.anchor.yaw(moment))

    def body(self, moment: Moment, eye: Vec3, light: Lighting) -> Body:
        """Return the box with the three faces towards `eye`."""
        box = self.solid(moment)
        faces = zip(box.frames(eye), self.coats, strict=True)
        return Body(box, tuple(CoatedFace(frame, coat, light) for frame, coat in faces))


@dataclass(frozen=True, slots=True)
class Post:
    """An upright cylinder."""

    radius: float
    half_height: float
    coat: Coat
    anchor: Anchor

    @property
    def class_id(self) -> int:
        """The class of its coat."""
        return self.coat.class_id

    def foot(self, moment: Moment) -> Vec3:
        """Return where the body stands."""
        return self.anchor.foot(moment)

    def solid(self, moment: Moment) -> Cylinder:
        """Return the cylinder at a moment."""
        return Cylinder(self.anchor.centre(moment), self.radius, self.half_height)

    def body(self, moment: Moment, eye: Vec3, light: Lighting) -> Body:
        """Return the cylinder with its side and the cap towards `eye`."""
        cylinder = self.solid(moment)
        side = CoatedRound(cylinder.centre, self.radius, self.coat, light, upright=True)
        cap = CoatedRound(cylinder.centre, self.radius, self.coat, light)
        return Body(cylinder, (side, cap))


@dataclass(frozen=True, slots=True)
class Globe:
    """A ball with a coat: leaves, or a lamp."""

    radius: float
    coat: Coat
    anchor: Anchor

    @property
    def class_id(self) -> int:
        """The class of its coat."""
        return self.coat.class_id

    def foot(self, moment: Moment) -> Vec3:
        """Return where the body stands."""
        return self.anchor.foot(moment)

    def solid(self, moment: Moment) -> Sphere:
        """Return the ball at a moment."""
        axes = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))
        return Sphere(self.anchor.centre(moment), self.radius, axes)

    def body(self, moment: Moment, eye: Vec3, light: Lighting) -> Body:
        """Return the ball with its surface."""
        sphere = self.solid(moment)
        return Body(sphere, (CoatedRound(sphere.centre, self.radius, self.coat, light),))


@dataclass(frozen=True, slots=True)
class Roller:
    """A painted ball that rolls on its movement; `spin` are its pattern's axes at the start."""

    radius: float
    look: BallPaint
    spin: tuple[Vec3, Vec3, Vec3]
    movement: Movement
    class_id: ClassVar[int] = SPHERE

    def foot(self, moment: Moment) -> Vec3:
        """Return where the ball stands."""
        return self.movement.position(moment)

    def solid(self, moment: Moment) -> Sphere:
        """Return the ball at a moment."""
        a, b, c = (self.movement.rolled(axis, moment, self.radius) for axis in self.spin)
        x, y, z = self.foot(moment)
        return Sphere((x, y, z + self.radius), self.radius, (a, b, c))

    def body(self, moment: Moment, eye: Vec3, light: Lighting) -> Body:
        """Return the ball with its paint."""
        sphere = self.solid(moment)
        return Body(sphere, (Ball(sphere, self.look, light),))
