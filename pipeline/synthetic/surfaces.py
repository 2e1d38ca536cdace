"""What the renderer paints: room faces, box faces and balls -> display colours and classes.

A surface belongs to one instant and one camera. Knows light and textures, not how rays are found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .labels import SPHERE
from .light import Light, Lighting
from .panel import ClassArray, Panel
from .rays import FloatArray, Hits
from .shadow import FloorShadow
from .solids import Sphere
from .vector import Vec3

Colour = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Painted:
    """Lit display colours float32 [3, N], 0..255 and above; class ids uint8 [N], or one for all."""

    colours: FloatArray
    classes: ClassArray | int


class Surface(Protocol):
    """Something visible; asked once per band of rays, and only for hits that are its own."""

    def paint(self, hits: Hits) -> Painted:
        """Return the lit colours and the classes of `hits`."""


@dataclass(frozen=True, slots=True)
class RoomFace:
    """A room's face, its light baked into the texture; the floor also takes shadows."""

    panel: Panel
    shadow: FloorShadow | None = None

    def paint(self, hits: Hits) -> Painted:
        """Return the baked colours, shadowed, and the classes."""
        u, v = self.panel.frame.uv(hits)
        colours = self.panel.colours(hits, u, v)
        if self.shadow is not None:
            colours *= self.shadow.sample(u, v)
        return Painted(colours, self.panel.classes(u, v))


@dataclass(frozen=True, slots=True)
class BoxFace:
    """One face of a box, lit at the instant it is seen."""

    panel: Panel
    light: Light

    def paint(self, hits: Hits) -> Painted:
        """Return the lit colours and the panel's class."""
        u, v = self.panel.frame.uv(hits)
        points = hits.points()
        light = self.light.irradiance(points, self.panel.frame.normal) * _near_floor(points[2])
        return Painted(self.panel.colours(hits, u, v) * np.sqrt(light), self.panel.class_id)


@dataclass(frozen=True, slots=True)
class BallPaint:
    """A ball's two display colours (0..255) and how they share it: "octants", "bands", "cap"."""

    base: Colour
    accent: Colour
    pattern: str


@dataclass(frozen=True, slots=True)
class Ball:
    """A sphere with its paint, glossy."""

    sphere: Sphere
    look: BallPaint
    light: Lighting

    def paint(self, hits: Hits) -> Painted:
        """Return the lit colours and the sphere's class."""
        points = hits.points()
        scale = 1.0 / self.sphere.radius
        nx, ny, nz = ((p - c) * scale for p, c in zip(points, self.sphere.centre, strict=True))
        share = self._accent_share((nx, ny, nz), hits)
        light = np.sqrt(self.light.irradiance(points, (nx, ny, nz)) * _near_floor(points[2]))
        shine = self.light.gloss(points, (nx, ny, nz), hits.rays.origin) * 150.0
        colours = np.empty((3, hits.t.size), np.float32)
        for channel, (base, accent) in enumerate(
            zip(self.look.base, self.look.accent, strict=True)
        ):
            colours[channel] = (share * (accent - base) + base) * light + shine
        return Painted(colours, SPHERE)

    def _accent_share(self, normal: tuple[FloatArray, ...], hits: Hits) -> FloatArray:
        """The pattern, its borders softened over about two pixels."""
        sharpness = (0.6 * hits.focal_px * self.sphere.radius) / hits.t
        a, b, c = (_component(normal, axis) for axis in self.sphere.spin)
        if self.look.pattern == "octants":
            soft = _clipped(a * sharpness) * _clipped(b * sharpness) * _clipped(c * sharpness)
            return soft * 0.5 + 0.5
        if self.look.pattern == "bands":
            return _clipped((0.28 - np.abs(np.abs(a) - 0.45)) * sharpness + 0.5, low=0.0)
        return _clipped((np.abs(a) - 0.72) * sharpness + 0.5, low=0.0)


def _component(normal: tuple[FloatArray, ...], axis: Vec3) -> FloatArray:
    x, y, z = normal
    component: FloatArray = x * axis[0] + y * axis[1] + z * axis[2]
    return component


def _clipped(value: FloatArray, *, low: float = -1.0) -> FloatArray:
    clipped: FloatArray = np.minimum(np.maximum(value, low), 1.0)
    return clipped


def _near_floor(z: FloatArray) -> FloatArray:
    """Less light comes from below when the floor is close: a fit by eye."""
    return _clipped(z * 1.1 + 0.55, low=0.0)
