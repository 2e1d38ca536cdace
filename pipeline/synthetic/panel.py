"""A flat textured rectangle in space: hits -> (u, v), colours and classes.

The faces of rooms and boxes are panels. Knows nothing of light; room panels carry theirs baked in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .rays import FloatArray, Hits
from .texture import Texture
from .vector import Vec3, cross, dot, length, minus, times, unit

ClassArray = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle: its top left corner and its two edges (perpendicular, metres), as seen."""

    corner: Vec3
    right: Vec3
    down: Vec3

    @property
    def normal(self) -> Vec3:
        """The unit normal towards whoever sees the frame as described."""
        return unit(cross(self.down, self.right))

    def uv(self, hits: Hits) -> tuple[FloatArray, FloatArray]:
        """Return where hits lie: float32 [N] each, 0..1 to the right and down."""
        u, v = (self._fraction(hits, edge) for edge in (self.right, self.down))
        return u, v

    def _fraction(self, hits: Hits, edge: Vec3) -> FloatArray:
        per_metre = times(edge, 1.0 / dot(edge, edge))
        start = dot(minus(hits.rays.origin, self.corner), per_metre)
        return hits.rays.along(per_metre) * hits.t + start


@dataclass(frozen=True, slots=True)
class Patch:
    """A part of a panel with a class of its own: u0 <= u < u1 and v0 <= v < v1."""

    class_id: int
    u0: float
    v0: float
    u1: float
    v1: float


@dataclass(frozen=True, slots=True)
class Panel:
    """A frame with a texture, a class, and patches of other classes (a later patch wins)."""

    frame: Frame
    texture: Texture
    class_id: int
    patches: tuple[Patch, ...] = ()

    def colours(self, hits: Hits, u: FloatArray, v: FloatArray) -> FloatArray:
        """Return the texture's display colours at hits, float32 [3, N], 0..255."""
        return self.texture.sample(u, v, self._texels_per_pixel_sq(hits))

    def classes(self, u: FloatArray, v: FloatArray) -> ClassArray | int:
        """Return the class ids at positions, uint8 [N], or the one id when there are no patches."""
        if not self.patches:
            return self.class_id
        ids = np.full(u.shape, self.class_id, np.uint8)
        for patch in self.patches:
            inside = (u >= patch.u0) & (u < patch.u1) & (v >= patch.v0) & (v < patch.v1)
            ids[inside] = patch.class_id
        return ids

    def _texels_per_pixel_sq(self, hits: Hits) -> FloatArray:
        """A pixel at depth t covers (t / focal)^2 of a plane that faces it, 1 / cos of that on a
        tilted one, and cos is the camera's distance to the plane over t."""
        height, width = self.texture.size_hw
        frame = self.frame
        texels_per_m2 = height * width / (length(frame.right) * length(frame.down))
        distance = abs(dot(minus(hits.rays.origin, frame.corner), frame.normal))
        factor = texels_per_m2 / (hits.focal_px**2 * max(distance, 1e-3))
        covered: FloatArray = hits.t * hits.t * hits.t * factor
        return covered
